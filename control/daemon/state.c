/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/base/json_file.h"

#define VERSION  1
#define OLD_FILE "state.json"

/* Generations that are reserved on the disk before they are given out, so that nobody waits. */
#define RESERVED 64

struct state {
	struct store *store;
	bool behind;   /* the disk has less */
	bool flushing; /* all of it is on its way */
	bool reserving;
	uint64_t generation, reserved, stored; /* stored: reserved on the disk */
	struct override *items;
	size_t count, room;
};

static const char *const schema[] = {
	"CREATE TABLE state_override(tenant INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;"
	"CREATE TABLE state_number(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, "
	"WITHOUT ROWID",
	NULL,
};

const struct store_part state_part = {.name = "state", .schema = schema};

/* The first override of this tenant or a later one. */
static size_t place_of(const struct state *s, uint32_t tenant)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->items[middle].tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct override *state_find(const struct state *s, uint32_t tenant)
{
	size_t at = place_of(s, tenant);

	return at < s->count && s->items[at].tenant == tenant ? &s->items[at] : NULL;
}

const struct override *state_all(const struct state *s, size_t *count)
{
	*count = s->count;
	return s->items;
}

static int put(struct state *s, const struct override *override)
{
	size_t at = place_of(s, override->tenant);
	bool there = at < s->count && s->items[at].tenant == override->tenant;

	if (there && !override_is_empty(override)) {
		s->items[at] = *override;
		return 0;
	}
	if (there) {
		s->count--;
		memmove(&s->items[at], &s->items[at + 1], (s->count - at) * sizeof(*s->items));
		return 0;
	}
	if (override_is_empty(override))
		return 0;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct override *more = reallocarray(s->items, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->items = more;
		s->room = room;
	}
	memmove(&s->items[at + 1], &s->items[at], (s->count - at) * sizeof(*s->items));
	s->items[at] = *override;
	s->count++;
	return 0;
}

/* Writing */

static int put_row(const struct override *o, struct store_unit *unit)
{
	json_t *object = override_json(o);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!text)
		return -ENOMEM;
	store_add(unit, "INSERT OR REPLACE INTO state_override(tenant, data) VALUES (?1, ?2)",
		  STORE_INT(o->tenant), STORE_TEXT(text));
	free(text);
	return 0;
}

static void put_number(const char *name, uint64_t value, struct store_unit *unit)
{
	store_add_fleeting(unit, "INSERT OR REPLACE INTO state_number(name, value) VALUES (?1, ?2)",
			   STORE_TEXT(name), STORE_INT(value));
}

int state_put(struct state *s, const struct override *override, struct store_unit *unit)
{
	int rc;

	if (override_is_empty(override))
		store_add(unit, "DELETE FROM state_override WHERE tenant = ?1",
			  STORE_INT(override->tenant));
	else if ((rc = put_row(override, unit)) != 0)
		return rc;
	return put(s, override);
}

void state_unstored(struct state *s)
{
	s->behind = true;
}

static void on_flushed(void *ctx, const struct store_result *result)
{
	struct state *s = ctx;

	s->flushing = false;
	s->behind |= result->rc != 0;
}

void state_flush(struct state *s)
{
	struct store_unit *unit;
	int rc = 0;

	if (!s->behind || s->flushing)
		return;
	unit = store_begin(s->store);
	store_add(unit, "DELETE FROM state_override");
	for (size_t i = 0; i < s->count && !rc; i++)
		rc = put_row(&s->items[i], unit);
	put_number("generation", s->reserved, unit);
	if (rc)
		store_abandon(unit);
	else
		rc = store_commit(s->store, unit, on_flushed, s);
	s->flushing = rc == 0;
	s->behind = rc != 0;
}

static void reserve(struct state *s);

static void on_reserved(void *ctx, const struct store_result *result)
{
	struct state *s = ctx;

	s->reserving = false;
	if (result->rc) {
		s->behind = true;
		return;
	}
	s->stored = s->reserved;
	reserve(s);
}

/* One at a time, when half of what was reserved is left. */
static void reserve(struct state *s)
{
	struct store_unit *unit;

	if (s->reserving || s->generation + RESERVED / 2 <= s->reserved)
		return;
	unit = store_begin(s->store);
	s->reserved = s->generation + RESERVED;
	put_number("generation", s->reserved, unit);
	s->reserving = store_commit(s->store, unit, on_reserved, s) == 0;
	s->behind |= !s->reserving;
}

/* Who is faster than the disk waits for it: a disk that fails is known by then, and told of. */
uint64_t state_generation(struct state *s)
{
	s->generation++;
	reserve(s);
	if (s->generation > s->stored) {
		store_settle(s->store);
		s->stored = s->reserved;
	}
	return s->generation;
}

/* Reading */

static int take_row(struct state *s, const json_t *item, char *error)
{
	struct override override;
	int rc = override_parse(item, &override, error, STATE_ERROR);

	return rc ? rc : put(s, &override);
}

static int read_override(struct state *s, const char *text, char *error)
{
	json_t *item = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	int rc = -EINVAL;

	if (item)
		rc = take_row(s, item, error);
	else
		snprintf(error, STATE_ERROR, "a row of state_override is no JSON");
	json_decref(item);
	return rc;
}

static int read_overrides(struct state *s, char *error)
{
	struct store_rows *rows =
		store_query(s->store, "SELECT data FROM state_override ORDER BY tenant");
	int rc = 0, ended;

	while (!rc && store_next(rows))
		rc = read_override(s, store_column_text(rows, 0), error);
	ended = store_end(rows);
	if (!rc && ended)
		snprintf(error, STATE_ERROR, "%s", strerror(-ended));
	return rc ? rc : ended;
}

static uint64_t read_number(struct state *s, const char *name)
{
	struct store_rows *rows = store_query(
		s->store, "SELECT value FROM state_number WHERE name = ?1", STORE_TEXT(name));
	const int64_t value = store_next(rows) ? store_column_int(rows, 0) : 0;

	store_end(rows);
	return value > 0 ? (uint64_t)value : 0;
}

/* The file that it was before there was a store */

static int take_root(struct state *s, const json_t *root, char *error)
{
	const json_t *tenants = json_object_get(root, "tenants");
	json_t *item;
	size_t i;
	int rc;

	if (json_integer_value(json_object_get(root, "version")) != VERSION) {
		snprintf(error, STATE_ERROR, "not a state of version %d", VERSION);
		return -EINVAL;
	}
	if (!json_is_array(tenants)) {
		snprintf(error, STATE_ERROR, "no \"tenants\" in it");
		return -EINVAL;
	}
	json_array_foreach(tenants, i, item)
	{
		rc = take_row(s, item, error);
		if (rc)
			return rc;
	}
	s->generation = (uint64_t)json_integer_value(json_object_get(root, "generation"));
	return 0;
}

static void note_taken(void *ctx, const struct store_result *result)
{
	*(int *)ctx = result->rc;
}

static int store_taken(struct state *s)
{
	struct store_unit *unit = store_begin(s->store);
	int rc = 0, stored = -EIO;

	for (size_t i = 0; i < s->count && !rc; i++)
		rc = put_row(&s->items[i], unit);
	put_number("generation", s->generation, unit);
	put_number("taken", 1, unit);
	if (rc)
		store_abandon(unit);
	else
		rc = store_commit(s->store, unit, note_taken, &stored);
	store_sync(s->store);
	return rc ? rc : stored;
}

static int take_file(struct state *s, char *error)
{
	char why[STATE_ERROR - 64] = "";
	json_t *root;
	int rc = json_file_read(store_dir(s->store), OLD_FILE, &root, why, sizeof(why));

	if (root && !read_number(s, "taken")) {
		rc = take_root(s, root, why);
		if (!rc && (rc = store_taken(s)) != 0)
			snprintf(why, sizeof(why), "%s", strerror(-rc));
	}
	if (root && !rc)
		renameat(store_dir(s->store), OLD_FILE, store_dir(s->store), OLD_FILE ".taken");
	json_decref(root);
	if (rc)
		snprintf(error, STATE_ERROR, OLD_FILE ": %s", why);
	return rc;
}

int state_open(struct store *store, struct state **statep, char error[STATE_ERROR])
{
	struct state *s = calloc(1, sizeof(*s));
	int rc = -ENOMEM;

	snprintf(error, STATE_ERROR, "no memory");
	if (s) {
		s->store = store;
		rc = read_overrides(s, error);
	}
	if (!rc) {
		s->generation = read_number(s, "generation");
		rc = take_file(s, error);
	}
	if (rc) {
		free(s ? s->items : NULL);
		free(s);
		return rc;
	}
	s->reserved = s->generation; /* by now given out, all of them */
	reserve(s);
	store_sync(store);
	*statep = s;
	return 0;
}

void state_close(struct state *s)
{
	struct store_unit *unit;

	if (!s)
		return;
	state_flush(s);
	unit = store_begin(s->store);
	put_number("generation", s->generation, unit);
	store_commit(s->store, unit, NULL, NULL);
	store_sync(s->store);
	free(s->items);
	free(s);
}
