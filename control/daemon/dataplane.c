/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/dataplane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/policy_image.h"
#include "bpf/ruleset.h"
#include "control/daemon/channel_client.h"

#define CONNECT_MS 1000
#define WHY_SIZE   (CHANNEL_WORDS + 64)

static const struct timeval look_again = {0, 200000}; /* for one that starts */
static const struct timeval look_later = {2, 0};      /* for one that can't be talked to */
static const struct timeval greeting = {5, 0};        /* it may still be busy with its memory */
static const struct timeval patience = {60, 0};       /* it builds its matchers anew */

enum step { STEP_SLOTS, STEP_BASE, STEP_DELTA, STEP_RULESET, STEP_POLICY, STEP_COUNT };

struct push {
	struct dataplane_policy policy, before;
	bool has_before, back; /* back: taking back what was done */
	bool lists_only;
	enum step step;
	int rc;
	char words[CHANNEL_WORDS];
	void (*done)(void *ctx, int rc, const char *words);
	void *ctx;
};

struct dataplane {
	struct event_base *base;
	struct dataplane_events events;
	char *path;
	int channel; /* -1: none */
	struct event *readable, *retry, *late;
	struct shm_head *memory;
	size_t memory_size;
	struct channel_status status;
	uint64_t next_id;
	bool up, pushing;
	bool has_slots;    /* of this posternd */
	uint64_t lists[2]; /* versions that it has; 0: none */
	struct push push;
	char trouble[WHY_SIZE], told[WHY_SIZE];
};

static void drop(struct dataplane *d, const char *why);

static int request(struct dataplane *d, enum channel_type type, int fd, size_t size,
		   uint64_t generation, uint32_t count)
{
	struct channel_request r = channel_request_of(type);

	r.id = ++d->next_id;
	r.size = size;
	r.generation = generation;
	r.count = count;
	r.slot_size = sizeof(struct tenant_slot);
	evtimer_add(d->late, type == CHANNEL_HELLO ? &greeting : &patience);
	return channel_send(d->channel, &r, fd);
}

/* Pushing */

static void push_end(struct dataplane *d, int rc, const char *words)
{
	struct push p = d->push;
	char text[WHY_SIZE];

	snprintf(text, sizeof(text), "%s", words); /* they may be the push's own */
	evtimer_del(d->late);
	d->pushing = false;
	memset(&d->push, 0, sizeof(d->push));
	p.done(p.ctx, rc, text);
}

static int lists_send(struct dataplane *d, const struct dataplane_lists *lists, unsigned which)
{
	struct channel_request r = channel_request_of(CHANNEL_LISTS);

	r.id = ++d->next_id;
	r.size = lists->size[which];
	r.count = which;
	r.generation = lists->settled;
	memcpy(r.key, lists->key, sizeof(r.key));
	evtimer_add(d->late, &patience);
	return channel_send(d->channel, &r, lists->file[which]);
}

/* Past what it has already. */
static void push_skip(struct dataplane *d)
{
	struct push *push = &d->push;
	const struct dataplane_lists *lists = &push->policy.lists;

	while ((push->step == STEP_BASE || push->step == STEP_DELTA) &&
	       lists->version[push->step - STEP_BASE] == d->lists[push->step - STEP_BASE])
		push->step++;
}

static bool push_is_done(const struct push *push)
{
	return push->step == STEP_COUNT || (push->lists_only && push->step == STEP_RULESET);
}

static int push_send(struct dataplane *d)
{
	const struct push *push = &d->push;
	const struct dataplane_policy *p = push->back ? &push->before : &push->policy;

	switch (push->step) {
	case STEP_SLOTS:
		return request(d, CHANNEL_SLOTS, p->slots, p->slots_size, 0, p->slot_count);
	case STEP_BASE:
	case STEP_DELTA:
		return lists_send(d, &push->policy.lists, push->step - STEP_BASE);
	case STEP_RULESET:
		return request(d, CHANNEL_RULESET, p->ruleset, p->ruleset_size, p->generation, 0);
	default:
		return request(d, CHANNEL_POLICY, p->policy, p->policy_size, p->generation, 0);
	}
}

static void push_go(struct dataplane *d)
{
	int rc = push_send(d);

	if (rc)
		drop(d, strerror(-rc));
}

static void push_next(struct dataplane *d)
{
	push_skip(d);
	if (push_is_done(&d->push))
		push_end(d, 0, "");
	else
		push_go(d);
}

/* The ruleset is the one thing that can be in force when a later step is refused. */
static void push_refused(struct dataplane *d, const struct channel_reply *reply)
{
	struct push *push = &d->push;

	if (!push->rc) {
		push->rc = reply->error;
		memcpy(push->words, reply->words, sizeof(push->words));
	}
	if (!push->back && push->step == STEP_POLICY && push->has_before) {
		push->back = true;
		push->step = STEP_RULESET;
		push_go(d);
		return;
	}
	push_end(d, push->rc, push->words);
}

static void push_reply(struct dataplane *d, const struct channel_reply *reply)
{
	struct push *push = &d->push;

	if (!reply->error && push->step == STEP_SLOTS)
		d->has_slots = true;
	if (!reply->error && (push->step == STEP_BASE || push->step == STEP_DELTA))
		d->lists[push->step - STEP_BASE] =
			push->policy.lists.version[push->step - STEP_BASE];
	if (reply->error) {
		push_refused(d, reply);
	} else if (push->back) {
		push_end(d, push->rc, push->words);
	} else {
		push->step++;
		push_next(d);
	}
}

static int push_begin(struct dataplane *d, const struct push *push)
{
	if (!d->up)
		return -ENOTCONN;
	if (d->pushing)
		return -EBUSY;
	d->pushing = true;
	d->push = *push;
	push_next(d);
	return 0;
}

int dataplane_push(struct dataplane *d, const struct dataplane_policy *policy,
		   const struct dataplane_policy *before,
		   void (*done)(void *ctx, int rc, const char *words), void *ctx)
{
	struct push push = {.policy = *policy, .done = done, .ctx = ctx};

	push.step = d->has_slots ? STEP_BASE : STEP_SLOTS;
	if (before) {
		push.before = *before;
		push.has_before = true;
	}
	return push_begin(d, &push);
}

int dataplane_push_lists(struct dataplane *d, const struct dataplane_lists *lists,
			 void (*done)(void *ctx, int rc, const char *words), void *ctx)
{
	const struct push push = {
		.policy.lists = *lists,
		.lists_only = true,
		.step = STEP_BASE,
		.done = done,
		.ctx = ctx,
	};

	return push_begin(d, &push);
}

/* Meeting it */

static void unmap(struct dataplane *d)
{
	if (d->memory)
		munmap(d->memory, d->memory_size);
	d->memory = NULL;
}

static void drop(struct dataplane *d, const char *why)
{
	bool was_up = d->up, was_pushing = d->pushing;

	snprintf(d->trouble, sizeof(d->trouble), "%s", why);
	if (d->readable)
		event_free(d->readable);
	if (d->channel >= 0)
		close(d->channel);
	d->readable = NULL;
	d->channel = -1;
	d->up = d->has_slots = false;
	d->lists[0] = d->lists[1] = 0;
	evtimer_del(d->late);
	if (was_pushing)
		push_end(d, -EPIPE, d->trouble);
	if (was_up)
		d->events.down(d->events.ctx, d->trouble);
	unmap(d);
	evtimer_add(d->retry, &look_again);
}

static void wrong(struct dataplane *d, const char *why)
{
	char text[WHY_SIZE];

	snprintf(text, sizeof(text), "%s", why);
	drop(d, text);
	evtimer_add(d->retry, &look_later);
	if (strcmp(d->told, text) == 0)
		return;
	memcpy(d->told, text, sizeof(text));
	d->events.wrong(d->events.ctx, text);
}

static const char *check_versions(const struct channel_status *s, char *error, size_t size)
{
	const struct {
		const char *what;
		uint32_t theirs, ours;
	} versions[] = {
		{"memory object", s->shm_abi, SHM_ABI},
		{"tenant table", s->tenant_abi, TENANT_ABI},
		{"policy image", s->policy_version, POLICY_IMAGE_VERSION},
		{"ruleset", s->ruleset_version, RULESET_VERSION},
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (versions[i].theirs == versions[i].ours)
			continue;
		snprintf(error, size,
			 "the running dataplane is of another version (%s: %u, expected %u): "
			 "restart it",
			 versions[i].what, versions[i].theirs, versions[i].ours);
		return error;
	}
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *map_memory(struct dataplane *d, int fd, char error[SHM_ERROR])
{
	struct stat st;
	void *memory;

	if (fd < 0 || fstat(fd, &st) != 0 || (uint64_t)st.st_size < d->status.shm_size)
		return "the dataplane handed no memory over";
	memory = mmap(NULL, d->status.shm_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return "the dataplane's memory can't be mapped";
	d->memory = memory;
	d->memory_size = d->status.shm_size;
	return shm_check(memory, d->memory_size, error);
}

static void hello_reply(struct dataplane *d, const struct channel_reply *reply, int fd)
{
	char error[WHY_SIZE];
	const char *why = NULL;

	if (reply->error) {
		wrong(d, *reply->words ? reply->words : strerror(-reply->error));
		return;
	}
	why = check_versions(&d->status, error, sizeof(error));
	if (!why)
		why = map_memory(d, fd, error);
	if (why) {
		wrong(d, why);
		return;
	}
	evtimer_del(d->late);
	d->up = true;
	d->trouble[0] = d->told[0] = '\0';
	d->events.up(d->events.ctx);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct dataplane *d = ctx;
	struct channel_reply reply;
	int got, rc = channel_receive(d->channel, &reply, &got);

	if (rc == -EPIPE || rc == -ECONNRESET) {
		drop(d, "the dataplane has gone");
	} else if (rc) {
		wrong(d, rc == -EPROTO ? "the running dataplane is of another version: restart it"
				       : strerror(-rc));
	} else {
		d->status = reply.status;
		if (!d->up)
			hello_reply(d, &reply, got);
		else if (d->pushing && reply.id == d->next_id)
			push_reply(d, &reply);
	}
	if (got >= 0)
		close(got);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct dataplane *d = ctx;

	wrong(d, d->up ? "the dataplane did not take the new policy in time"
		       : "the dataplane does not answer");
}

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	struct dataplane *d = ctx;
	int channel = channel_connect(d->path, CONNECT_MS), rc;

	if (channel == -ENOENT || channel == -ECONNREFUSED) {
		snprintf(d->trouble, sizeof(d->trouble), "the dataplane does not run");
		evtimer_add(d->retry, &look_again);
		return;
	}
	if (channel < 0) {
		wrong(d, strerror(-channel));
		return;
	}
	d->channel = channel;
	evutil_make_socket_nonblocking(channel);
	d->readable = event_new(d->base, channel, EV_READ | EV_PERSIST, on_readable, d);
	rc = d->readable && event_add(d->readable, NULL) == 0
		     ? request(d, CHANNEL_HELLO, -1, 0, 0, 0)
		     : -ENOMEM;
	/* Who is refused at the door may not be able to send, and can read why. */
	if (rc && rc != -EPIPE)
		drop(d, strerror(-rc));
}

int dataplane_open(struct event_base *base, const char *path, const struct dataplane_events *events,
		   struct dataplane **dataplanep)
{
	static const struct timeval now = {0, 0};
	struct dataplane *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	*d = (struct dataplane){.base = base, .events = *events, .channel = -1};
	d->path = strdup(path);
	d->retry = evtimer_new(base, on_retry, d);
	d->late = evtimer_new(base, on_late, d);
	snprintf(d->trouble, sizeof(d->trouble), "the dataplane does not run");
	if (!d->path || !d->retry || !d->late || evtimer_add(d->retry, &now) != 0) {
		dataplane_close(d);
		return -ENOMEM;
	}
	*dataplanep = d;
	return 0;
}

void dataplane_close(struct dataplane *d)
{
	if (!d)
		return;
	if (d->readable)
		event_free(d->readable);
	if (d->retry)
		event_free(d->retry);
	if (d->late)
		event_free(d->late);
	if (d->channel >= 0)
		close(d->channel);
	unmap(d);
	free(d->path);
	free(d);
}

bool dataplane_is_up(const struct dataplane *d)
{
	return d->up;
}

const struct shm_head *dataplane_memory(const struct dataplane *d)
{
	return d->up ? d->memory : NULL;
}

const struct channel_status *dataplane_status(const struct dataplane *d)
{
	return &d->status;
}

const char *dataplane_trouble(const struct dataplane *d)
{
	return d->trouble;
}
