/* SPDX-License-Identifier: BSD-3-Clause */
/* What control's requests do. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/policy_image.h"
#include "dataplane/live/live.h"

static void status_fill(struct live *l, struct channel_status *status)
{
	*status = (struct channel_status){
		.shm_abi = SHM_ABI,
		.tenant_abi = TENANT_ABI,
		.policy_version = POLICY_IMAGE_VERSION,
		.ruleset_version = RULESET_VERSION,
		.pid = l->shm->pid,
		.workers = l->options.workers,
		.slots = l->shm->slots,
		.xdp = l->options.mode == LIVE_XDP,
		.shm_size = l->shm->size,
		.started = l->started,
		.policy_generation = snapshot_policy_generation(&l->snapshot),
		.ruleset_generation = snapshot_rules_generation(&l->snapshot),
		.list_entries = snapshot_list_entries(&l->snapshot),
		.own_slots = !l->snapshot.slots_size,
		.old_rulesets = snapshot_tidy(&l->snapshot),
	};
}

static int policy_take(struct live *l, const struct channel_request *r, int fd, char *words)
{
	struct image image;
	int rc = image_open(&image, fd, r->size, words, CHANNEL_WORDS);

	return rc ? rc
		  : snapshot_policy_set(&l->snapshot, &image, r->generation, words, CHANNEL_WORDS);
}

static int ruleset_take(struct live *l, const struct channel_request *r, int fd, char *words)
{
	struct image image;
	int rc;

	if (fd < 0 && !r->size)
		return snapshot_rules_set(&l->snapshot, NULL, 0, words, CHANNEL_WORDS);
	rc = image_open(&image, fd, r->size, words, CHANNEL_WORDS);
	return rc ? rc
		  : snapshot_rules_set(&l->snapshot, &image, r->generation, words, CHANNEL_WORDS);
}

static int lists_take(struct live *l, const struct channel_request *r, int fd, char *words)
{
	struct image image = {0};
	int rc = 0;

	if (fd >= 0 || r->size)
		rc = image_open(&image, fd, r->size, words, CHANNEL_WORDS);
	if (!rc)
		snapshot_lists_settle(&l->snapshot, r->generation);
	return rc ? rc
		  : snapshot_lists_set(&l->snapshot, r->count == 1, image.data ? &image : NULL,
				       r->key, words, CHANNEL_WORDS);
}

static int slots_take(struct live *l, const struct channel_request *r, int fd, char *words)
{
	if (r->slot_size != sizeof(struct tenant_slot)) {
		snprintf(words, CHANNEL_WORDS, "tenant slots of %u bytes, and here they have %zu",
			 r->slot_size, sizeof(struct tenant_slot));
		return -EPROTO;
	}
	return snapshot_slots_set(&l->snapshot, fd, r->size, r->count, words, CHANNEL_WORDS);
}

static const char *const names[] = {
	[CHANNEL_HELLO] = "hello", [CHANNEL_POLICY] = "policy", [CHANNEL_RULESET] = "ruleset",
	[CHANNEL_SLOTS] = "slots", [CHANNEL_STATUS] = "status", [CHANNEL_STOP] = "stop",
	[CHANNEL_ARRAY] = "array", [CHANNEL_LISTS] = "lists",
};

static int on_request(void *ctx, const struct channel_request *request, int fd,
		      struct channel_reply *reply)
{
	struct live *l = ctx;
	uint64_t began = monotonic_ns();

	switch ((enum channel_type)request->type) {
	case CHANNEL_POLICY:
		reply->error = policy_take(l, request, fd, reply->words);
		break;
	case CHANNEL_RULESET:
		reply->error = ruleset_take(l, request, fd, reply->words);
		break;
	case CHANNEL_SLOTS:
		reply->error = slots_take(l, request, fd, reply->words);
		break;
	case CHANNEL_LISTS:
		reply->error = lists_take(l, request, fd, reply->words);
		break;
	case CHANNEL_STOP:
		l->asked_to_stop = true;
		break;
	case CHANNEL_HELLO:
	case CHANNEL_STATUS:
	case CHANNEL_ARRAY:
		break;
	}
	if (!reply->error)
		reply->words[0] = '\0';
	status_fill(l, &reply->status);
	if (request->type != CHANNEL_STATUS)
		live_log(reply->error ? "warning" : "info", names[request->type],
			 "generation=%llu error=%d words=\"%s\" us=%llu",
			 (unsigned long long)request->generation, reply->error, reply->words,
			 (unsigned long long)(monotonic_ns() - began) / 1000);
	if (request->type == CHANNEL_ARRAY)
		return l->snapshot.slots_size ? l->snapshot.slots_fd : -1;
	return request->type == CHANNEL_HELLO ? l->shm_fd : -1;
}

static void on_complaint(void *ctx, const char *words)
{
	live_log("warning", "channel", "words=\"%s\"", words);
}

struct channel_handler live_handler(struct live *l)
{
	return (struct channel_handler){on_request, on_complaint, l};
}
