/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern list -c CONFIG`: the lists of a state directory whose posternd does not run. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/config/config.h"
#include "control/config/value.h"
#include "control/lists/list_work.h"
#include "tools/list/list.h"

#define SECOND UINT64_C(1000000000)

struct straight {
	const struct list_call *call;
	struct config *config;
	int lock; /* -1: not held */
	int file; /* to be imported; -1: none */
	struct list_store store;
	struct list_target target;
};

static int say(const char *text)
{
	fprintf(stderr, "postern: %s\n", text);
	return 1;
}

static int open_config(struct straight *s)
{
	struct diag diag = {0};
	bool good;

	s->config = config_load(s->call->config, &diag);
	good = s->config && !diag.errors;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	return good ? 0 : say("the configuration has errors");
}

/* As whom posternd runs: it must be able to read what is written here. */
static int become_owner(const struct straight *s, const char *dir)
{
	const char *user = s->config->gate.user;
	const struct passwd *p = geteuid() == 0 && *user ? getpwnam(user) : NULL;

	if (!p)
		return 0;
	if (chown(dir, p->pw_uid, p->pw_gid) == 0 && setegid(p->pw_gid) == 0 &&
	    seteuid(p->pw_uid) == 0)
		return 0;
	fprintf(stderr, "postern: %s: %s\n", dir, strerror(errno));
	return 1;
}

/* posternd holds it as long as it runs. */
static int take_lock(struct straight *s)
{
	const char *dir = s->config->gate.state_dir;
	char path[4096];

	if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		fprintf(stderr, "postern: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	if (become_owner(s, dir) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/lock", dir);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (s->lock >= 0 && errno == EWOULDBLOCK)
		return say("posternd runs: leave -c out, and it does it");
	fprintf(stderr, "postern: %s: %s\n", path, strerror(errno));
	return 1;
}

static const struct config_tenant *find_tenant(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->tenants.count; i++) {
		const struct config_tenant *t = config_tenant_at(config, i);
		char id[16];

		snprintf(id, sizeof(id), "%u", t->id);
		if (strcmp(t->name, name) == 0 || strcmp(id, name) == 0)
			return t;
	}
	return NULL;
}

static int find_target(struct straight *s)
{
	const struct config_tenant *t;

	if (s->call->kind)
		s->target.info = list_kind_find(s->call->kind);
	if (!s->call->tenant)
		return 0;
	t = find_tenant(s->config, s->call->tenant);
	if (!t) {
		fprintf(stderr, "postern: there is no tenant \"%s\"\n", s->call->tenant);
		return 1;
	}
	s->target.owner = t->id;
	s->target.name = t->name;
	return 0;
}

/* false: `since` is no time. */
static bool find_from(const struct straight *s, uint64_t *from)
{
	uint64_t now = s->store.now, since = 0, ago;

	if (s->call->since && value_duration(s->call->since, &ago) == 0)
		since = now - ago / SECOND;
	else if (s->call->since && value_time(s->call->since, &since) != 0)
		return false;
	*from = list_effective(s->target.info, now, since,
			       s->call->at_once ? 0 : s->config->optout_grace / SECOND);
	return true;
}

static void show_progress(void *ctx, const struct list_import *m)
{
	fprintf(stderr, "\r%llu entries, %llu MB ", (unsigned long long)m->hashes.count,
		(unsigned long long)m->bytes / 1000000);
}

static int run_import(struct straight *s, uint64_t from, json_t **result)
{
	const struct list_call *c = s->call;
	bool shows = isatty(STDERR_FILENO);
	struct list_import_job job = {
		.target = s->target,
		.fd = s->file,
		.name = c->rest[0],
		.column = c->column,
		.skip_bad = c->skip_bad,
		.replaces = c->replaces,
		.from = from,
		.progress = shows ? show_progress : NULL,
	};
	json_t *report;

	report = list_work_import(&s->store, &job);
	if (shows)
		fprintf(stderr, "\r%40s\r", "");
	if (!report)
		return say("no memory");
	list_problems(report);
	if (!json_is_true(json_object_get(report, "ok"))) {
		say(json_string_value(json_object_get(report, "message")));
		json_decref(report);
		return 1;
	}
	*result = report;
	return 0;
}

static json_t *entries_of(const struct list_call *c)
{
	json_t *entries = json_array();

	for (int i = 0; i < c->count; i++)
		if (json_array_append_new(entries, json_string(c->rest[i])) != 0) {
			json_decref(entries);
			return NULL;
		}
	return entries;
}

static int run_entries(struct straight *s, uint64_t from, json_t **result)
{
	const char *verb = s->call->verb;
	char error[LIST_STORE_ERROR] = "no memory";
	json_t *entries = entries_of(s->call);

	if (!entries)
		return say("an entry that is no UTF-8");
	if (strcmp(verb, "check") == 0) {
		json_t *list = list_work_check(&s->store, &s->target, entries, error);

		*result = list ? json_pack("{s:o}", "entries", list) : NULL;
	} else {
		*result = list_work_patch(&s->store, &s->target, entries,
					  strcmp(verb, "remove") == 0, from, error);
	}
	json_decref(entries);
	return *result ? 0 : say(error);
}

static const char *name_of(void *ctx, uint32_t id)
{
	char text[16];
	const struct config_tenant *t;

	snprintf(text, sizeof(text), "%u", id);
	t = find_tenant(ctx, text);
	return t ? t->name : NULL;
}

static int run(struct straight *s, json_t **result)
{
	char error[LIST_STORE_ERROR];
	bool looks = strcmp(s->call->verb, "show") == 0 || strcmp(s->call->verb, "check") == 0;
	uint64_t from = 0;

	if (list_store_open(s->config->gate.state_dir, !looks, &s->store, error) != 0)
		return say(error);
	s->store.now = (uint64_t)time(NULL);
	if (strcmp(s->call->verb, "show") == 0) {
		*result = list_work_show(&s->store,
					 s->call->tenant   ? s->target.owner
					 : s->call->global ? 0
							   : UINT32_MAX,
					 name_of, s->config);
		return *result ? 0 : say("no memory");
	}
	if (!find_from(s, &from))
		return say("--since: expected a time such as 2026-11-30T08:00:00Z, or how long "
			   "ago, such as 3d");
	return strcmp(s->call->verb, "import") == 0 ? run_import(s, from, result)
						    : run_entries(s, from, result);
}

int list_straight(const struct list_call *call, json_t **result)
{
	struct straight s = {.call = call, .lock = -1, .file = -1};
	int rc = 0;

	list_store_init(&s.store);
	if (strcmp(call->verb, "import") == 0)
		rc = list_open_file(call->rest[0], &s.file);
	if (!rc)
		rc = open_config(&s);
	if (!rc)
		rc = take_lock(&s);
	if (!rc)
		rc = find_target(&s);
	if (!rc)
		rc = run(&s, result);
	list_store_close(&s.store);
	if (s.lock >= 0)
		close(s.lock);
	if (s.file >= 0)
		close(s.file);
	config_free(s.config);
	return rc;
}
