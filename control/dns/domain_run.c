/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dns/domain_run.h"

#include <errno.h>
#include <string.h>

#include "bpf/event_record.h"
#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/lists/list_kind.h"
#include "control/lists/list_work.h"

#define TURN_MS 500
#define AT_ONCE 1000 /* entries of one change */

static const char *const schema[] = {
	"CREATE TABLE domain_bad(name TEXT PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID;",
	NULL,
};

const struct store_part domain_part = {.name = "domain", .schema = schema};

void domain_record(struct daemon *d, const struct event_head *head)
{
	struct event_value value;

	if (head->type == EVENT_DOMAIN && d->domains.lookup &&
	    event_find(head, FIELD_KEY_DOMAIN_NAME, &value))
		domain_lookup_see(d->domains.lookup, (const char *)value.p, value.len,
				  daemon_clock());
}

static void on_changed(void *ctx, const char *domain, bool bad)
{
	struct daemon *d = ctx;
	struct store_unit *unit = store_begin(d->store);

	json_object_set_new(d->domains.pending, domain, json_boolean(bad));
	if (bad)
		store_add(unit, "INSERT OR REPLACE INTO domain_bad(name, since) VALUES (?1, ?2)",
			  STORE_TEXT(domain), STORE_INT(daemon_time()));
	else
		store_add(unit, "DELETE FROM domain_bad WHERE name = ?1", STORE_TEXT(domain));
	store_commit(d->store, unit, NULL, NULL);
}

/* Those of one sort, taken from what is pending. */
static json_t *take_pending(struct domain_run *run, bool bad)
{
	json_t *entries = json_array(), *value, *name;
	const char *key;
	size_t i;

	json_object_foreach(run->pending, key, value)
	{
		if (json_is_true(value) == bad && json_array_size(entries) < AT_ONCE)
			json_array_append_new(entries, json_string(key));
	}
	json_array_foreach(entries, i, name)
	{
		json_object_del(run->pending, json_string_value(name));
	}
	return entries;
}

/* One change at a time, as people's; what could not be written is tried again. */
static void put(struct daemon *d, bool bad)
{
	const struct list_target target = {.info = list_kind_find("invalid-domain")};
	json_t *entries = take_pending(&d->domains, bad), *result, *name;
	char error[LIST_STORE_ERROR];
	size_t i;

	if (!json_array_size(entries)) {
		json_decref(entries);
		return;
	}
	d->lists.store.now = daemon_time() / 1000000000;
	result = list_work_patch(&d->lists.store, &target, entries, !bad, 0, error);
	if (result) {
		lists_changed(d, result);
	} else {
		log_warning("domains can't be listed", "error=%s", log_text(error));
		json_array_foreach(entries, i, name)
		{
			json_object_set_new(d->domains.pending, json_string_value(name),
					    json_boolean(bad));
		}
	}
	json_decref(entries);
}

static void on_turn(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	for (int bad = 1; bad >= 0; bad--)
		if (json_object_size(d->domains.pending) && !d->lists.busy && !*d->lists.trouble)
			put(d, bad);
}

/* What was bad is on the list still, and is looked up anew when it is seen, or leaves it. */
static void restore(struct daemon *d)
{
	struct store_rows *rows =
		store_query_list(d->store, "SELECT name FROM domain_bad", NULL, 0);

	while (store_next(rows)) {
		const char *name = store_column_text(rows, 0);

		domain_lookup_restore(d->domains.lookup, name, daemon_clock());
		/* The last posternd may have ended between the two. */
		json_object_set_new(d->domains.pending, name, json_true());
	}
	store_end(rows);
}

int domain_run_open(struct daemon *d)
{
	static const struct timeval pause = {0, TURN_MS * 1000};
	struct domain_run *run = &d->domains;

	run->pending = json_object();
	run->turn = event_new(d->base, -1, EV_PERSIST, on_turn, d);
	if (!run->pending || !run->turn || event_add(run->turn, &pause) != 0 ||
	    domain_lookup_new(d->base, d->resolver, on_changed, d, &run->lookup) != 0)
		return -ENOMEM;
	restore(d);
	return 0;
}

void domain_run_close(struct daemon *d)
{
	struct domain_run *run = &d->domains;

	domain_lookup_free(run->lookup);
	if (run->turn)
		event_free(run->turn);
	json_decref(run->pending);
	*run = (struct domain_run){0};
}
