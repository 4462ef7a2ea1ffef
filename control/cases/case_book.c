/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/case_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const schema[] = {
	"CREATE TABLE case_one(id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, state TEXT NOT "
	"NULL,"
	" opened INTEGER NOT NULL, told INTEGER NOT NULL, due INTEGER NOT NULL,"
	" closed INTEGER NOT NULL) STRICT;"
	"CREATE INDEX case_one_tenant ON case_one(tenant, id);"
	"CREATE INDEX case_one_closed ON case_one(closed);"
	"CREATE TABLE case_item(id INTEGER PRIMARY KEY, of INTEGER NOT NULL, time INTEGER NOT NULL,"
	" what TEXT NOT NULL, by TEXT NOT NULL, fields TEXT NOT NULL) STRICT;"
	"CREATE INDEX case_item_of ON case_item(of, id);"
	"CREATE TRIGGER case_one_gone AFTER DELETE ON case_one "
	"BEGIN DELETE FROM case_item WHERE of = old.id; END",
	NULL,
};

static const char *const words[] = {STORE_WORDS("case_item", "fields"), NULL};

const struct store_part case_part = {
	.name = "case",
	.schema = schema,
	.retention = "cases",
	.expire = "DELETE FROM case_one WHERE id IN (SELECT id FROM case_one WHERE closed > 0 AND "
		  "closed < ?1 LIMIT ?2)",
	.words = words,
};

static const struct {
	const char *name, *text;
} states[] = {
#define X(id, name, text) {name, text},
	CASE_STATES(X)
#undef X
};

const char *case_state_name(enum case_state state)
{
	return states[state].name;
}

const char *case_state_text(enum case_state state)
{
	return states[state].text;
}

static enum case_state state_find(const char *name)
{
	unsigned i = 0;

	while (i < CASE_STATE_COUNT - 1 && strcmp(states[i].name, name) != 0)
		i++;
	return (enum case_state)i;
}

/* Memory */

static struct case_one *put(struct case_book *book, const struct case_one *one)
{
	if (book->count == book->room) {
		size_t room = book->room ? 2 * book->room : 64;
		struct case_one *more = reallocarray(book->one, room, sizeof(*more));

		if (!more)
			return NULL;
		book->one = more;
		book->room = room;
	}
	book->one[book->count] = *one;
	return &book->one[book->count++];
}

static int load(struct case_book *book)
{
	struct store_rows *rows =
		store_query(book->store,
			    "SELECT id, tenant, state, opened, told, due,"
			    " (SELECT count(*) FROM case_item WHERE of = case_one.id) FROM case_one"
			    " WHERE closed = 0 ORDER BY id");
	int rc = 0;

	while (!rc && store_next(rows)) {
		const struct case_one one = {
			.id = (uint64_t)store_column_int(rows, 0),
			.tenant = (uint32_t)store_column_int(rows, 1),
			.state = state_find(store_column_text(rows, 2)),
			.opened = (uint64_t)store_column_int(rows, 3),
			.told = (uint64_t)store_column_int(rows, 4),
			.due = (uint64_t)store_column_int(rows, 5),
			.items = (uint64_t)store_column_int(rows, 6),
		};

		rc = put(book, &one) ? 0 : -ENOMEM;
	}
	return store_end(rows) && !rc ? -EIO : rc;
}

int case_book_open(struct case_book *book, struct store *store)
{
	struct store_rows *rows;
	int rc;

	*book = (struct case_book){.store = store};
	rc = load(book);
	if (rc)
		return rc;
	rows = store_query(store, "SELECT coalesce(max(id), 0) FROM case_one");
	if (store_next(rows))
		book->last = (uint64_t)store_column_int(rows, 0);
	return store_end(rows) ? -EIO : 0;
}

void case_book_close(struct case_book *book)
{
	free(book->one);
	*book = (struct case_book){0};
}

struct case_one *case_find(struct case_book *book, uint64_t id)
{
	for (size_t i = 0; i < book->count; i++)
		if (book->one[i].id == id)
			return &book->one[i];
	return NULL;
}

struct case_one *case_of(struct case_book *book, uint32_t tenant)
{
	for (size_t i = 0; i < book->count; i++)
		if (book->one[i].tenant == tenant)
			return &book->one[i];
	return NULL;
}

struct case_one *case_late(struct case_book *book, size_t *from, uint64_t now)
{
	while (*from < book->count) {
		struct case_one *one = &book->one[(*from)++];

		if (one->state == CASE_TOLD && one->due && one->due <= now)
			return one;
	}
	return NULL;
}

/* Changes */

static void store_one(struct store_unit *unit, const struct case_one *one, uint64_t closed)
{
	store_add(unit,
		  "INSERT INTO case_one(id, tenant, state, opened, told, due, closed)"
		  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO UPDATE SET"
		  " state = ?3, told = ?5, due = ?6, closed = ?7",
		  STORE_INT(one->id), STORE_INT(one->tenant), STORE_TEXT(states[one->state].name),
		  STORE_INT(one->opened), STORE_INT(one->told), STORE_INT(one->due),
		  STORE_INT(closed));
}

static void store_item(struct store_unit *unit, struct case_one *one, const char *what,
		       const char *by, json_t *fields, uint64_t now)
{
	char *text = fields ? json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	store_add(unit,
		  "INSERT INTO case_item(of, time, what, by, fields) VALUES (?1, ?2, ?3, ?4, ?5)",
		  STORE_INT(one->id), STORE_INT(now), STORE_TEXT(what), STORE_TEXT(by),
		  STORE_TEXT(text ? text : "{}"));
	one->items++;
	free(text);
	json_decref(fields);
}

/* With the case itself: an item is never there without it, whatever was lost before. */
void case_add(struct case_book *book, struct store_unit *unit, struct case_one *one,
	      const char *what, const char *by, json_t *fields, uint64_t now)
{
	store_one(unit, one, 0);
	store_item(unit, one, what, by, fields, now);
}

static void change(struct case_book *book, struct store_unit *unit, struct case_one *one,
		   enum case_state state, const char *by, json_t *fields, uint64_t now)
{
	one->state = state;
	store_one(unit, one, state == CASE_CLOSED ? now : 0);
	store_item(unit, one, states[state].name, by, fields, now);
}

struct case_one *case_take(struct case_book *book, struct store_unit *unit, uint32_t tenant,
			   uint64_t now, bool *opened)
{
	struct case_one *one = case_of(book, tenant);

	*opened = !one;
	if (one)
		return one;
	one = put(book, &(struct case_one){.id = book->last + 1, .tenant = tenant, .opened = now});
	if (!one)
		return NULL;
	book->last++;
	change(book, unit, one, CASE_OPEN, "posternd", NULL, now);
	return one;
}

void case_told(struct case_book *book, struct store_unit *unit, struct case_one *one,
	       uint64_t answer_within, json_t *fields, uint64_t now)
{
	one->told = now;
	one->due = now + answer_within;
	change(book, unit, one, CASE_TOLD, "posternd", fields, now);
}

void case_answered(struct case_book *book, struct store_unit *unit, struct case_one *one,
		   const char *by, json_t *fields, uint64_t now)
{
	one->due = 0;
	change(book, unit, one, CASE_ANSWERED, by, fields, now);
}

void case_overdue(struct case_book *book, struct store_unit *unit, struct case_one *one,
		  uint64_t now)
{
	change(book, unit, one, CASE_OVERDUE, "posternd", NULL, now);
}

void case_closed(struct case_book *book, struct store_unit *unit, struct case_one *one,
		 const char *by, json_t *fields, uint64_t now)
{
	const size_t i = (size_t)(one - book->one);

	change(book, unit, one, CASE_CLOSED, by, fields, now);
	memmove(one, one + 1, (book->count - i - 1) * sizeof(*one));
	book->count--;
}

/* Reading */

static json_t *time_json(int64_t ns)
{
	return ns ? json_real((double)ns / 1e9) : json_null();
}

#define COLUMNS                                                \
	"SELECT id, tenant, state, opened, told, due, closed," \
	" (SELECT count(*) FROM case_item WHERE of = case_one.id) FROM case_one"

static json_t *row_json(struct store_rows *rows)
{
	return json_pack("{s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:I}", "case",
			 (json_int_t)store_column_int(rows, 0), "tenant_id",
			 (json_int_t)store_column_int(rows, 1), "state", store_column_text(rows, 2),
			 "opened", time_json(store_column_int(rows, 3)), "told",
			 time_json(store_column_int(rows, 4)), "due",
			 time_json(store_column_int(rows, 5)), "closed",
			 time_json(store_column_int(rows, 6)), "items",
			 (json_int_t)store_column_int(rows, 7));
}

json_t *case_list(struct case_book *book, uint32_t tenant, bool whole, bool closed, unsigned most)
{
	struct store_rows *rows = store_query(
		book->store,
		COLUMNS " WHERE (?1 OR tenant = ?2) AND (?3 OR closed = 0)"
			" ORDER BY id DESC LIMIT ?4",
		STORE_INT(whole), STORE_INT(tenant), STORE_INT(closed), STORE_INT(most));
	json_t *list = json_array();

	while (store_next(rows))
		json_array_append_new(list, row_json(rows));
	store_end(rows);
	return list;
}

static json_t *items_json(struct case_book *book, uint64_t id)
{
	struct store_rows *rows = store_query(
		book->store,
		"SELECT time, what, by, fields FROM case_item WHERE of = ?1 ORDER BY id",
		STORE_INT(id));
	json_t *list = json_array();

	while (store_next(rows)) {
		json_t *fields = json_loads(store_column_text(rows, 3), 0, NULL);

		json_array_append_new(list,
				      json_pack("{s:o, s:s, s:s, s:o*}", "time",
						time_json(store_column_int(rows, 0)), "what",
						store_column_text(rows, 1), "by",
						store_column_text(rows, 2), "fields", fields));
	}
	store_end(rows);
	return list;
}

json_t *case_json(struct case_book *book, uint64_t id)
{
	struct store_rows *rows = store_query(book->store, COLUMNS " WHERE id = ?1", STORE_INT(id));
	json_t *found = store_next(rows) ? row_json(rows) : NULL;

	store_end(rows);
	if (found)
		json_object_set_new(found, "history", items_json(book, id));
	return found;
}
