/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections, statements, rows. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/events/person.h"
#include "control/store/store_internal.h"

int store_db_fault(struct store_db *db, int code)
{
	snprintf(db->error, sizeof(db->error), "%s",
		 db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_TOOBIG:
		return -EFBIG;
	case SQLITE_IOERR:
		return -EIO;
	default:
		return -EINVAL;
	}
}

/* forgotten(text, words) of control/store/store.h; a blob stays one. */
static void forgotten(sqlite3_context *context, int count, sqlite3_value **values)
{
	const int type = sqlite3_value_type(values[0]);
	const void *text = sqlite3_value_blob(values[0]);
	const char *words = (const char *)sqlite3_value_text(values[1]);
	size_t len;
	char *rest = text && words ? person_words_out(text, (size_t)sqlite3_value_bytes(values[0]),
						      words, &len)
				   : NULL;

	if (!rest)
		sqlite3_result_null(context);
	else if (type == SQLITE_BLOB)
		sqlite3_result_blob64(context, rest, len, free);
	else
		sqlite3_result_text64(context, rest, len, free, SQLITE_UTF8);
}

int store_db_open(struct store_db *db, const char *path, int flags)
{
	int code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (code != SQLITE_OK)
		return store_db_fault(db, code);
	sqlite3_extended_result_codes(db->handle, 1);
	/* Nobody writes to the schema by hand. */
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_timeout(db->handle, STORE_PATIENCE_MS);
	code = sqlite3_create_function(db->handle, "forgotten", 2,
				       SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
				       forgotten, NULL, NULL);
	return code == SQLITE_OK ? 0 : store_db_fault(db, code);
}

void store_db_wait(struct store_db *db, bool wait)
{
	if (db->hasty != wait)
		return;
	sqlite3_busy_timeout(db->handle, wait ? STORE_PATIENCE_MS : 0);
	db->hasty = !wait;
}

static int on_commit(void *ctx, sqlite3 *handle, const char *name, int pages)
{
	struct store_db *db = ctx;
	int log = 0, done = 0;
	struct timespec now;

	if (pages < STORE_LOG_PAGES ||
	    sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, &log, &done) !=
		    SQLITE_OK ||
	    done < log)
		return SQLITE_OK; /* it is committed all the same */
	clock_gettime(CLOCK_REALTIME, &now);
	db->checkpointed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	db->checkpoints++;
	return SQLITE_OK;
}

void store_db_checkpoints(struct store_db *db)
{
	sqlite3_wal_hook(db->handle, on_commit, db);
}

void store_db_close(struct store_db *db)
{
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(db->statement[i].rows.statement);
	sqlite3_close(db->handle);
	*db = (struct store_db){0};
}

/* Values */

struct store_value store_text(const char *text)
{
	return text ? (struct store_value){.type = STORE_TYPE_TEXT,
					   .data = text,
					   .len = strlen(text)}
		    : (struct store_value){.type = STORE_TYPE_NULL};
}

struct store_value store_blob(const void *data, size_t len)
{
	return data ? (struct store_value){.type = STORE_TYPE_BLOB, .data = data, .len = len}
		    : (struct store_value){.type = STORE_TYPE_NULL};
}

static int bind(sqlite3_stmt *statement, int at, const struct store_value *v)
{
	switch (v->type) {
	case STORE_TYPE_INT:
		return sqlite3_bind_int64(statement, at, v->integer);
	case STORE_TYPE_REAL:
		return sqlite3_bind_double(statement, at, v->real);
	case STORE_TYPE_TEXT:
		return sqlite3_bind_text64(statement, at, v->data, v->len, SQLITE_TRANSIENT,
					   SQLITE_UTF8);
	case STORE_TYPE_BLOB:
		return sqlite3_bind_blob64(statement, at, v->data, v->len, SQLITE_TRANSIENT);
	default:
		return sqlite3_bind_null(statement, at);
	}
}

/* Statements */

static struct store_statement *statement_find(struct store_db *db, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * 0x9e3779b1u;

	for (size_t i = 0; i < STORE_STATEMENTS; i++) {
		struct store_statement *s = &db->statement[(at + i) & (STORE_STATEMENTS - 1)];

		if (!s->sql || s->sql == sql)
			return s;
	}
	assert(!"more statements than STORE_STATEMENTS: is one not a literal?");
	return NULL;
}

struct store_rows *store_db_query_list(struct store_db *db, const char *sql,
				       const struct store_value *values, size_t n)
{
	struct store_statement *s = statement_find(db, sql);
	struct store_rows *rows = &s->rows;
	int code = SQLITE_OK;

	assert(!rows->busy);
	s->sql = sql;
	if (!rows->statement)
		code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
					  &rows->statement, NULL);
	for (size_t i = 0; code == SQLITE_OK && i < n; i++)
		code = bind(rows->statement, (int)i + 1, &values[i]);
	rows->db = db;
	rows->busy = true;
	rows->rc = code == SQLITE_OK ? 0 : store_db_fault(db, code);
	return rows;
}

bool store_next(struct store_rows *rows)
{
	int code;

	if (rows->rc)
		return false;
	code = sqlite3_step(rows->statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		rows->rc = store_db_fault(rows->db, code);
	return code == SQLITE_ROW;
}

int store_end(struct store_rows *rows)
{
	if (rows->statement) {
		sqlite3_reset(rows->statement);
		sqlite3_clear_bindings(rows->statement);
	}
	rows->busy = false;
	return rows->rc;
}

int store_db_run_list(struct store_db *db, const char *sql, const struct store_value *values,
		      size_t n)
{
	struct store_rows *rows = store_db_query_list(db, sql, values, n);

	while (store_next(rows))
		;
	return store_end(rows);
}

int64_t store_column_int(struct store_rows *rows, int column)
{
	return sqlite3_column_int64(rows->statement, column);
}

double store_column_real(struct store_rows *rows, int column)
{
	return sqlite3_column_double(rows->statement, column);
}

const char *store_column_text(struct store_rows *rows, int column)
{
	const char *text = (const char *)sqlite3_column_text(rows->statement, column);

	return text ? text : "";
}

const void *store_column_blob(struct store_rows *rows, int column, size_t *len)
{
	const void *data = sqlite3_column_blob(rows->statement, column);

	*len = (size_t)sqlite3_column_bytes(rows->statement, column);
	return data;
}

bool store_column_null(struct store_rows *rows, int column)
{
	return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}
