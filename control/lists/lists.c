/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/lists.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/base/json_fd.h"
#include "control/base/log.h"
#include "control/daemon/child.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/lists/list_learn.h"
#include "control/lists/list_work.h"

static const char *const files[2] = {"base.set", "delta.set"};

static void forget(struct lists *l, int which)
{
	if (l->send.file[which] >= 0)
		close(l->send.file[which]);
	l->send.file[which] = -1;
	l->send.size[which] = 0;
}

static void take_file(struct lists *l, int which, const struct list_set *set)
{
	forget(l, which);
	l->send.version[which] = ++l->version;
	if (!set)
		return;
	l->send.file[which] = openat(l->store.dir, files[which], O_RDONLY | O_CLOEXEC);
	l->send.size[which] = l->send.file[which] < 0 ? 0 : set->head->size;
}

/* What the dataplane should have: the files as they are now. A base that it has is not sent again.
 */
static void take(struct lists *l)
{
	const struct list_sets *sets = &l->store.sets;

	memcpy(l->send.key, sets->key, sizeof(l->send.key));
	if (!sets->base.head)
		take_file(l, 0, NULL);
	else if (l->base != sets->base.head->generation)
		take_file(l, 0, &sets->base);
	l->base = sets->base.head ? sets->base.head->generation : 0;
	take_file(l, 1, list_sets_fit(sets) ? &sets->delta : NULL);
	l->send.settled = list_learn_settled(l->learned);
}

static void fail(struct daemon *d, const char *why)
{
	snprintf(d->lists.trouble, sizeof(d->lists.trouble), "%s", why);
	daemon_event(d, "lists_failed", 0, json_pack("{s:s}", "reason", why));
}

void lists_open(struct daemon *d)
{
	struct lists *l = &d->lists;
	char error[LIST_STORE_ERROR];

	*l = (struct lists){.report = -1, .alive = -1};
	l->send.file[0] = l->send.file[1] = -1;
	if (list_store_open(d->config->gate.state_dir, true, &l->store, error) != 0)
		fail(d, error);
	else
		take(l);
	l->store.sets.period = d->config->mail.suppress;
	list_learn_open(d);
}

static void child_forget(struct lists *l)
{
	if (l->ended)
		event_free(l->ended);
	if (l->report >= 0)
		close(l->report);
	if (l->alive >= 0)
		close(l->alive);
	l->ended = NULL;
	l->report = l->alive = -1;
	l->pid = 0;
}

void lists_close(struct daemon *d)
{
	struct lists *l = &d->lists;

	if (l->pid) {
		kill(l->pid, SIGKILL);
		child_wait(l->pid);
	}
	child_forget(l);
	list_learn_close(d); /* over what the child may have written */
	if (l->again)
		event_free(l->again);
	if (l->request)
		request_finish(l->request, NULL);
	json_decref(l->result);
	forget(l, 0);
	forget(l, 1);
	list_store_close(&l->store);
}

/* The end of a change */

static void finish(struct daemon *d, json_t *result)
{
	struct lists *l = &d->lists;
	struct request *r = l->request;

	l->busy = false;
	l->request = NULL;
	if (r)
		request_finish(r, result);
	else
		json_decref(result);
}

static void refuse(struct daemon *d, const char *code, const char *why, json_t *problems)
{
	if (d->lists.request) {
		request_error(d->lists.request, code, "%s", why);
		if (problems)
			request_error_detail(d->lists.request, "problems", json_incref(problems));
	}
	finish(d, NULL);
}

static void tell(struct daemon *d, const json_t *result)
{
	const json_t *kind = json_object_get(result, "kind");
	const struct request *r = d->lists.request;
	const char *tenant = json_string_value(json_object_get(result, "tenant"));
	uint32_t slot = tenant && d->roster ? roster_find(d->roster, tenant) : 0;

	if (kind)
		daemon_event(d, "lists_changed", slot,
			     json_pack("{s:O, s:O, s:s, s:s}", "kind", kind, "entries",
				       json_object_get(result, "entries"), "how",
				       r ? r->command->name : "", "by", r ? r->peer.name : ""));
}

/* A large delta costs each change more: it is merged while nobody waits. */
static void merge_if_large(struct daemon *d)
{
	const struct list_set *delta = &d->lists.store.sets.delta;

	if (d->lists.scrub || (list_sets_fit(&d->lists.store.sets) &&
			       delta->head->size > LIST_DELTA_MAX / 4 * 3 * sizeof(uint64_t)))
		lists_child(d, NULL);
}

static void answer(struct daemon *d, bool in_force)
{
	json_t *result = d->lists.result;

	d->lists.result = NULL;
	json_object_set_new(result, "in_force", json_boolean(in_force));
	tell(d, result);
	finish(d, result);
	merge_if_large(d);
}

static void push(struct daemon *d);

static void on_pushed(void *ctx, int rc, const char *words)
{
	struct daemon *d = ctx;

	if (rc && rc != -EPIPE)
		daemon_event(d, "dataplane_refused", 0,
			     json_pack("{s:s}", "reason", *words ? words : strerror(-rc)));
	answer(d, rc == 0);
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	push(ctx);
}

static void push(struct daemon *d)
{
	static const struct timeval pause = {0, 20000};
	struct lists *l = &d->lists;
	int rc = dataplane_push_lists(d->dataplane, &l->send, on_pushed, d);

	if (rc == -EBUSY && !l->again)
		l->again = evtimer_new(d->base, on_again, d);
	if (rc == -EBUSY && l->again && evtimer_add(l->again, &pause) == 0)
		return;
	if (rc)
		answer(d, false); /* it gets it when it comes */
}

void lists_changed(struct daemon *d, json_t *result)
{
	take(&d->lists);
	d->lists.busy = true;
	d->lists.result = result;
	push(d);
}

/* The child */

static const struct list_import_job nothing = {.fd = -1};

/* Merges what there is; nothing to be said of it but that. */
static json_t *merge_only(struct list_store *store)
{
	int rc = list_store_merge(store, NULL, NULL);

	return rc ? json_pack("{s:b, s:s}", "ok", false, "message", strerror(-rc))
		  : json_pack("{s:b}", "ok", true);
}

/* A posternd of its own, for a moment: the files are opened anew. */
static int work(const char *dir, const struct list_import_job *job, uint64_t now, uint64_t period,
		int out)
{
	char error[LIST_STORE_ERROR];
	struct list_store store;
	json_t *report;
	int rc;

	if (list_store_open(dir, true, &store, error) != 0) {
		report = json_pack("{s:b, s:s}", "ok", false, "message", error);
	} else {
		store.now = now;
		store.sets.period = period;
		report = job->fd >= 0 ? list_work_import(&store, job) : merge_only(&store);
		list_store_close(&store);
	}
	rc = report && json_fd_write(report, out) == 0 ? 0 : 1;
	json_decref(report);
	return rc;
}

/* The files as they are now, whatever was said of them. false: they can't be read. */
static bool refresh(struct daemon *d)
{
	char error[LIST_STORE_ERROR];

	if (list_store_refresh(&d->lists.store, error) == 0)
		return true;
	fail(d, error);
	refuse(d, "lists_failed", error, NULL);
	return false;
}

static void merged(struct daemon *d, json_t *report)
{
	if (!json_is_true(json_object_get(report, "ok"))) {
		refuse(d, "bad_list", json_string_value(json_object_get(report, "message")),
		       json_object_get(report, "problems"));
		json_decref(report);
	} else if (refresh(d)) {
		d->lists.scrub = false;
		json_object_del(report, "ok");
		lists_changed(d, report);
	} else {
		json_decref(report);
	}
}

/*
 * The child has no report: it may have died before it wrote the lists, or after. Where that can't
 * be looked at now, the next change looks (list_store.c).
 */
static void died(struct daemon *d, const char *why)
{
	struct list_store *store = &d->lists.store;
	const uint64_t base = store->base.inode;
	char error[LIST_STORE_ERROR], words[LIST_STORE_ERROR + 200];
	const char *what = "nothing has changed";

	if (list_store_refresh(store, error) != 0)
		what = error;
	else if (store->base.inode != base)
		what = "but the lists had been written, and hold";
	snprintf(words, sizeof(words), "%s; %s", why, what);
	log_warning("a change to the lists ended early", "why=%s", log_text(words));
	refuse(d, "lists_failed", words, NULL);
	if (store->base.inode == base)
		return;
	d->lists.scrub = false;
	lists_changed(d, json_object());
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;
	struct lists *l = &d->lists;
	char why[160] = "its report can't be read";
	json_t *report = NULL;
	int status;

	if (what & EV_TIMEOUT)
		kill(l->pid, SIGKILL);
	status = child_wait(l->pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		report = json_fd_read(l->report, 0, NULL);
	} else if (what & EV_TIMEOUT) {
		snprintf(why, sizeof(why), "it took longer than gate.compile_time");
	} else {
		child_explain("reader of lists", status, why, sizeof(why));
	}
	child_forget(l);
	if (report)
		merged(d, report);
	else
		died(d, why);
}

/* To 3 and up in this order, and nothing else: nobody's connection is held open here. */
static void keep_files(int *kept, int count)
{
	const int first = 3, above = 16;

	for (int i = 0; i < count; i++)
		kept[i] = kept[i] < 0 ? -1 : fcntl(kept[i], F_DUPFD, above);
	for (int i = 0; i < count; i++)
		if (kept[i] >= 0)
			kept[i] = dup2(kept[i], first + i);
	close_range((unsigned)(first + count), ~0U, 0);
}

__attribute__((noreturn)) static void
child(const struct daemon *d, const struct list_import_job *asked, int parent, int out, int alive)
{
	struct list_import_job job = *asked;
	int kept[] = {alive, out, job.fd};

	child_confine("postern-lists", parent, d->config->gate.compile_memory,
		      d->config->gate.compile_time);
	keep_files(kept, 3);
	job.fd = kept[2];
	_exit(work(d->config->gate.state_dir, &job, daemon_time() / 1000000000,
		   d->config->mail.suppress, kept[1]));
}

int lists_child(struct daemon *d, const struct list_import_job *job)
{
	struct lists *l = &d->lists;
	const struct timeval time = {(time_t)(d->config->gate.compile_time / 1000000000), 0};
	const pid_t parent = getpid();
	int ends[2];

	if (!job)
		job = &nothing;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	l->alive = ends[0];
	l->report = memfd_create("postern-lists", MFD_CLOEXEC);
	l->ended = event_new(d->base, ends[0], EV_READ, on_ended, d);
	if (l->report >= 0 && l->ended && event_add(l->ended, &time) == 0) {
		l->pid = fork();
		if (l->pid == 0)
			child(d, job, parent, l->report, ends[1]);
	}
	/* Of the pipe only the child holds this end now: its end is seen. */
	close(ends[1]);
	if (l->pid > 0) {
		l->busy = true;
		return 0;
	}
	l->pid = 0;
	child_forget(l);
	return -ENOMEM;
}
