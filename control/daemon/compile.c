/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/compile.h"

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
#include "control/daemon/child.h"

enum { REPORT, POLICY, RULESET, PREFIXES, INDEX, SETTINGS, REPLIES, FILES };

/*
 * Above the child's standard files. The end of the child is seen by the end of a pipe that only it
 * holds open: no SIGCHLD is needed, and none is lost.
 */
struct compile {
	pid_t pid;
	int file[FILES];
	int alive;
	struct event *ended, *late;
	bool too_late;
	uint64_t generation, now;
	void (*done)(void *ctx, struct compiled *result, const char *why);
	void *ctx;
};

static const char *const file_names[FILES] = {
	"postern-report", "postern-policy",   "postern-rules",  "postern-prefixes",
	"postern-index",  "postern-settings", "postern-replies"};

/* Moves what the child needs to 3 and up, and closes the rest. */
static void keep_files(int file[FILES], int *alive)
{
	const int first = 3, above = 16;
	int all[FILES + 1];

	memcpy(all, file, FILES * sizeof(*file));
	all[FILES] = *alive;
	for (int i = 0; i <= FILES; i++)
		all[i] = fcntl(all[i], F_DUPFD, above);
	for (int i = 0; i <= FILES; i++)
		dup2(all[i], first + i);
	close_range(first + FILES + 1, ~0U, 0);
	for (int i = 0; i < FILES; i++)
		file[i] = first + i;
	*alive = first + FILES;
}

__attribute__((noreturn)) static void child(const struct compile_job *job, struct compile *c,
					    int parent, int alive)
{
	struct compile_output output;

	child_confine("postern-compile", parent, job->memory, job->time);
	keep_files(c->file, &alive);
	output = (struct compile_output){c->file[REPORT],   c->file[POLICY], c->file[RULESET],
					 c->file[PREFIXES], c->file[INDEX],  c->file[SETTINGS],
					 c->file[REPLIES]};
	_exit(compile_files(job, &output) ? 1 : 0);
}

static void compile_free(struct compile *c)
{
	for (int i = 0; i < FILES; i++)
		if (c->file[i] >= 0)
			close(c->file[i]);
	if (c->alive >= 0)
		close(c->alive);
	if (c->ended)
		event_free(c->ended);
	if (c->late)
		event_free(c->late);
	free(c);
}

/* Nobody changes it any more; its size. */
static size_t seal(int fd)
{
	struct stat st;

	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	return fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
}

/* Takes a file that has something in it over. */
static int take(struct compile *c, int which, size_t *size)
{
	int fd = c->file[which];

	*size = seal(fd);
	if (!*size)
		return -1;
	c->file[which] = -1;
	return fd;
}

static struct compiled *collect(struct compile *c)
{
	struct compiled *result = calloc(1, sizeof(*result));

	if (!result)
		return NULL;
	result->policy = result->ruleset = result->prefixes = result->index = -1;
	result->settings = result->replies = -1;
	result->generation = c->generation;
	result->now = c->now;
	result->report = json_fd_read(c->file[REPORT], 0, NULL);
	if (!result->report) {
		compiled_free(result);
		return NULL;
	}
	if (json_is_true(json_object_get(result->report, "ok"))) {
		result->policy = take(c, POLICY, &result->policy_size);
		result->ruleset = take(c, RULESET, &result->ruleset_size);
		result->prefixes = take(c, PREFIXES, &result->prefixes_size);
		result->index = take(c, INDEX, &result->index_size);
		result->settings = take(c, SETTINGS, &result->settings_size);
		result->replies = take(c, REPLIES, &result->replies_size);
	}
	return result;
}

static void explain(const struct compile *c, int status, char *why, size_t size)
{
	if (c->too_late)
		snprintf(why, size, "it took longer than gate.compile_time");
	else
		child_explain("compiler", status, why, size);
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
	struct compile *c = ctx;
	struct compiled *result = NULL;
	char why[160] = "its report can't be read";
	int status;

	/* The pipe's end is closed on the way out: there is hardly anything to wait for. */
	status = child_wait(c->pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		result = collect(c);
	else
		explain(c, status, why, sizeof(why));
	c->done(c->ctx, result, result ? NULL : why);
	compile_free(c);
}

static void on_late(evutil_socket_t fd, short what, void *ctx)
{
	struct compile *c = ctx;

	c->too_late = true;
	kill(c->pid, SIGKILL);
}

static int prepare(struct event_base *base, const struct compile_job *job, struct compile *c)
{
	const struct timeval time = {(time_t)(job->time / 1000000000), 0};
	const pid_t parent = getpid();
	int ends[2];

	for (int i = 0; i < FILES; i++) {
		c->file[i] = memfd_create(file_names[i], MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (c->file[i] < 0)
			return -errno;
	}
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	c->alive = ends[0];
	c->ended = event_new(base, ends[0], EV_READ, on_ended, c);
	c->late = evtimer_new(base, on_late, c);
	if (!c->ended || !c->late || event_add(c->ended, NULL) != 0 ||
	    event_add(c->late, &time) != 0) {
		close(ends[1]);
		return -ENOMEM;
	}
	c->pid = fork();
	if (c->pid == 0)
		child(job, c, parent, ends[1]);
	close(ends[1]);
	return c->pid < 0 ? -errno : 0;
}

int compile_start(struct event_base *base, const struct compile_job *job,
		  void (*done)(void *ctx, struct compiled *result, const char *why), void *ctx,
		  struct compile **compilep)
{
	struct compile *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return -ENOMEM;
	*c = (struct compile){
		.file = {-1, -1, -1, -1, -1, -1, -1}, .alive = -1, .done = done, .ctx = ctx};
	c->generation = job->generation;
	c->now = job->now;
	rc = prepare(base, job, c);
	if (rc) {
		compile_free(c);
		return rc;
	}
	*compilep = c;
	return 0;
}

void compile_cancel(struct compile *c)
{
	if (!c)
		return;
	kill(c->pid, SIGKILL);
	child_wait(c->pid);
	compile_free(c);
}

void compiled_free(struct compiled *compiled)
{
	if (!compiled)
		return;
	if (compiled->policy >= 0)
		close(compiled->policy);
	if (compiled->ruleset >= 0)
		close(compiled->ruleset);
	if (compiled->prefixes >= 0)
		close(compiled->prefixes);
	if (compiled->index >= 0)
		close(compiled->index);
	if (compiled->settings >= 0)
		close(compiled->settings);
	if (compiled->replies >= 0)
		close(compiled->replies);
	json_decref(compiled->report);
	free(compiled);
}

static int borrow(int *fd, int from)
{
	if (from < 0)
		return 0;
	*fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
	return *fd < 0 ? -errno : 0;
}

int compiled_complete(struct compiled *c, const struct compiled *from)
{
	json_t *counts = json_copy(json_object_get(from->report, "counts")), *report;
	int rc = borrow(&c->policy, from->policy);

	if (!rc)
		rc = borrow(&c->prefixes, from->prefixes);
	if (!rc)
		rc = borrow(&c->settings, from->settings);
	c->policy_size = from->policy_size;
	c->prefixes_size = from->prefixes_size;
	c->settings_size = from->settings_size;
	report = json_copy(from->report);
	json_object_del(report, "unstored");
	json_object_del(report, "cost");
	if (!rc && (!counts || !report ||
		    json_object_update(counts, json_object_get(c->report, "counts")) != 0 ||
		    json_object_update(report, c->report) != 0 ||
		    json_object_set(report, "counts", counts) != 0))
		rc = -ENOMEM;
	json_decref(counts);
	json_decref(c->report);
	c->report = report;
	return rc;
}
