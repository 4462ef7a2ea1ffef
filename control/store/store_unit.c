/* SPDX-License-Identifier: BSD-3-Clause */
/* Units: made on the event loop's thread, run on the writer's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/store/store_internal.h"

#define VALUES_MAX 32

/* A statement, or work; values' data are places in unit->bytes. */
struct store_op {
	const char *sql;
	int (*work)(struct store_db *db, void *arg);
	size_t values, count; /* of a statement; of work: where its argument is, and its bytes */
	bool fleeting;        /* written anew anyway */
};

struct store_unit *store_begin(struct store *store)
{
	return calloc(1, sizeof(struct store_unit));
}

void store_unit_free(struct store_unit *u)
{
	if (!u)
		return;
	free(u->ops);
	free(u->bytes);
	free(u);
}

void store_abandon(struct store_unit *u)
{
	store_unit_free(u);
}

size_t store_unit_bytes(const struct store_unit *u)
{
	return sizeof(*u) + u->room * sizeof(*u->ops) + u->size;
}

/* Room for `len` bytes at a place that any type may have; SIZE_MAX: there is none. */
static size_t take(struct store_unit *u, size_t len)
{
	const size_t at = (u->used + 15) & ~(size_t)15;

	if (at + len > u->size) {
		size_t size = 2 * u->size > at + len ? 2 * u->size : at + len + 64;
		uint8_t *more = realloc(u->bytes, size);

		if (!more) {
			u->failed = -ENOMEM;
			return SIZE_MAX;
		}
		u->bytes = more;
		u->size = size;
	}
	u->used = at + len;
	return at;
}

static size_t copy(struct store_unit *u, const void *data, size_t len)
{
	const size_t at = take(u, len);

	if (at != SIZE_MAX && len)
		memcpy(u->bytes + at, data, len);
	return at;
}

static struct store_op *op_add(struct store_unit *u)
{
	if (u->count == u->room) {
		size_t room = u->room ? 2 * u->room : 4;
		struct store_op *more = reallocarray(u->ops, room, sizeof(*more));

		if (!more) {
			u->failed = -ENOMEM;
			return NULL;
		}
		u->ops = more;
		u->room = room;
	}
	return &u->ops[u->count];
}

static void add_list(struct store_unit *u, const char *sql, const struct store_value *values,
		     size_t n, bool fleeting)
{
	struct store_op *op = u && n <= VALUES_MAX ? op_add(u) : NULL;
	size_t at;

	if (u && n > VALUES_MAX)
		u->failed = -EINVAL;
	if (!op)
		return;
	at = copy(u, values, n * sizeof(*values));
	for (size_t i = 0; i < n && !u->failed; i++) {
		size_t data = 0;

		if (values[i].type < STORE_TYPE_TEXT)
			continue;
		data = copy(u, values[i].data, values[i].len);
		if (data != SIZE_MAX)
			((struct store_value *)(void *)(u->bytes + at))[i].integer = (int64_t)data;
	}
	*op = (struct store_op){.sql = sql, .values = at, .count = n, .fleeting = fleeting};
	u->count += !u->failed;
}

void store_add_list(struct store_unit *u, const char *sql, const struct store_value *values,
		    size_t n)
{
	add_list(u, sql, values, n, false);
}

void store_add_fleeting_list(struct store_unit *u, const char *sql,
			     const struct store_value *values, size_t n)
{
	add_list(u, sql, values, n, true);
}

void store_keep(struct store_unit *u)
{
	if (u)
		u->keep = true;
}

void store_call(struct store_unit *u, int (*work)(struct store_db *db, void *arg), const void *arg,
		size_t size)
{
	struct store_op *op = u ? op_add(u) : NULL;

	if (!op)
		return;
	*op = (struct store_op){.work = work, .values = copy(u, arg, size), .count = size};
	u->count += !u->failed;
}

static void op_values(const struct store_unit *u, const struct store_op *op,
		      struct store_value values[VALUES_MAX])
{
	if (op->count)
		memcpy(values, u->bytes + op->values, op->count * sizeof(*values));
	for (size_t i = 0; i < op->count; i++)
		if (values[i].type >= STORE_TYPE_TEXT)
			values[i].data = u->bytes + values[i].integer;
}

static int op_run(struct store_db *db, struct store_unit *u, const struct store_op *op)
{
	struct store_value values[VALUES_MAX];

	if (op->work)
		return op->work(db, u->bytes + op->values);
	op_values(u, op, values);
	return store_db_run_list(db, op->sql, values, op->count);
}

static void op_copy(struct store_unit *to, const struct store_unit *from, const struct store_op *op)
{
	struct store_value values[VALUES_MAX];

	if (op->work) {
		store_call(to, op->work, from->bytes + op->values, op->count);
		return;
	}
	op_values(from, op, values);
	store_add_list(to, op->sql, values, op->count);
}

bool store_unit_lasts(const struct store_unit *u)
{
	for (size_t i = 0; i < u->count; i++)
		if (!u->ops[i].fleeting)
			return true;
	return false;
}

int store_unit_trim(struct store_unit *u)
{
	struct store_unit rest = {0};

	for (size_t i = 0; i < u->count; i++)
		if (!u->ops[i].fleeting)
			op_copy(&rest, u, &u->ops[i]);
	if (rest.failed) {
		free(rest.ops);
		free(rest.bytes);
		return rest.failed;
	}
	free(u->ops);
	free(u->bytes);
	u->ops = rest.ops;
	u->count = rest.count;
	u->room = rest.room;
	u->bytes = rest.bytes;
	u->used = rest.used;
	u->size = rest.size;
	return 0;
}

int store_unit_run(struct store_db *db, struct store_unit *u)
{
	const int64_t before = sqlite3_total_changes64(db->handle);
	int rc;

	db->error[0] = '\0';
	rc = store_db_run(db, "SAVEPOINT unit");
	if (rc)
		return rc;
	for (size_t i = 0; i < u->count && !rc; i++)
		rc = op_run(db, u, &u->ops[i]);
	if (rc)
		memcpy(db->failure, db->error, sizeof(db->failure));
	u->result.changes = rc ? 0 : (uint64_t)(sqlite3_total_changes64(db->handle) - before);
	/* Some failures undo the whole transaction by themselves. */
	if (rc && !sqlite3_get_autocommit(db->handle))
		store_db_run(db, "ROLLBACK TO unit");
	if (!sqlite3_get_autocommit(db->handle)) {
		int released = store_db_run(db, "RELEASE unit");

		rc = rc ? rc : released;
	}
	return rc;
}
