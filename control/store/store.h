/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * posternd's lasting state: state.db in gate.state_dir, a database of SQLite's. Parts of posternd
 * own tables in it (struct store_part); a thread of the store's writes them, so that the event loop
 * never waits for the disk; whoever needs to know is told when the disk has it.
 *
 *   struct store_unit *u = store_begin(store);
 *
 *   store_add(u, "INSERT INTO report(id, tenant) VALUES (?1, ?2)", STORE_TEXT(id), STORE_INT(7));
 *   rc = store_commit(store, u, on_stored, request);
 *
 * A unit is stored as a whole or not at all, after all units that were committed before it. What
 * was acknowledged outlives posternd's death and the machine's (WAL, synchronous=FULL).
 *
 * While the disk takes nothing (it is full, can't be written, is locked by somebody), units that
 * nobody waits for are kept in memory, and written in their order when it takes them: within
 * STORE_KEPT, what comes beyond it is lost. Nothing overtakes them: as long as some are kept, who
 * waits for a unit is told at once that it is not stored. They end with posternd.
 *
 * All functions belong to the thread that opened the store (the event loop's) but for those of
 * struct store_db, which belong to the writer's. SQL is a literal, or lives as long as the store:
 * a statement is prepared once and known by its address. Times in tables are ns since 1970.
 */
#ifndef POSTERN_CONTROL_STORE_H
#define POSTERN_CONTROL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct store;
struct store_db;
struct store_rows;
struct store_unit;

#define STORE_ERROR     512
#define STORE_ROOM      (UINT64_C(32) << 20) /* bytes of units that may wait for the writer */
#define STORE_KEPT      (STORE_ROOM / 4 * 3) /* of these while the disk takes nothing */
#define STORE_LINGER_MS 200 /* that a unit may wait for others when nobody waits for it */

/* forgotten(text, ?1): the text without it, NULL where it isn't in there. */
#define STORE_WORDS(table, column)                                                            \
	"UPDATE " table " SET " column " = forgotten(" column ", ?1) WHERE forgotten(" column \
	", ?1) IS NOT NULL"

/* Who owns which tables. Tables' names begin with the part's. */
struct store_part {
	const char *name;
	/*
	 * schema[v] brings the part's tables from version v to v + 1: statements that were
	 * shipped once are never edited, new ones are added. NULL ends.
	 */
	const char *const *schema;
	/*
	 * How long rows are kept: gate.retention.<retention>, and the statement that deletes at
	 * most ?2 of those that are older than ?1 (ns). NULL: for ever, or as the part itself says.
	 */
	const char *retention, *expire;
	/*
	 * Statements that delete what is about the person ?1 (control/events/person.h), for
	 * `postern forget`. NULL: there is nothing. NULL ends.
	 */
	const char *const *forget;
	/*
	 * The same for texts that somebody wrote, which may quote an address, a number or a
	 * person's hash: STORE_WORDS(table, column) takes ?1 out of them. NULL ends.
	 */
	const char *const *words;
};

/*
 * Opens DIR/state.db, or makes it, and brings its tables to the parts' versions. `parts` lives as
 * long as the store; NULL ends it. `base` NULL: acknowledgements come in store_dispatch() alone.
 * 0; -EBUSY: another posternd has it open; -EINVAL: a file is damaged, foreign, or of a newer
 * posternd; -ENOMEM, -errno. `error` says it in words, with the file's name.
 */
int store_open(const char *dir, const struct store_part *const *parts, struct event_base *base,
	       struct store **storep, char error[STORE_ERROR]);

/*
 * Writes all that waits, acknowledges it, and ends. What is kept is lost: store_retry() before.
 * NULL is fine.
 */
void store_close(struct store *store);

/* Of gate.state_dir: a descriptor, the store's. */
int store_dir(const struct store *store);

/* Values */

enum store_type {
	STORE_TYPE_NULL,
	STORE_TYPE_INT,
	STORE_TYPE_REAL,
	STORE_TYPE_TEXT,
	STORE_TYPE_BLOB
};

struct store_value {
	enum store_type type;
	union {
		int64_t integer;
		double real;
		const void *data; /* copied */
	};
	size_t len;
};

static inline struct store_value store_int(int64_t n)
{
	return (struct store_value){.type = STORE_TYPE_INT, .integer = n};
}

static inline struct store_value store_real(double n)
{
	return (struct store_value){.type = STORE_TYPE_REAL, .real = n};
}

/* NULL is SQL's NULL. */
struct store_value store_text(const char *text);
struct store_value store_blob(const void *data, size_t len);

#define STORE_INT(n)        store_int((int64_t)(n))
#define STORE_REAL(n)       store_real(n)
#define STORE_TEXT(text)    store_text(text)
#define STORE_BLOB(data, n) store_blob(data, n)
#define STORE_LIST(...)              \
	(const struct store_value[]) \
	{                            \
		__VA_ARGS__          \
	}
#define STORE_COUNT(...) (sizeof(STORE_LIST(__VA_ARGS__)) / sizeof(struct store_value))

/* Writing */

struct store_result {
	int rc; /* 0: the disk has it. -ENOSPC, -EIO, -EEXIST (a constraint), …: it has not */
	uint64_t changes; /* rows that the unit inserted, changed or deleted */
};

/*
 * Whether there is room for work that can be done later as well (scores, clean-ups). Half of the
 * room is kept for what can't. false is counted as waiting.
 */
bool store_ready(struct store *store);

/* Never NULL to its callers' harm: store_add() and store_commit() take what store_begin() gives. */
struct store_unit *store_begin(struct store *store);

/* A statement, ?1 … its values. */
#define store_add(unit, sql, ...) \
	store_add_list(unit, sql, STORE_LIST(__VA_ARGS__), STORE_COUNT(__VA_ARGS__))
void store_add_list(struct store_unit *unit, const char *sql, const struct store_value *values,
		    size_t n);

/*
 * As store_add(), of a row that its owner writes anew soon, and all the more when units have failed
 * (struct store_stats): it is not kept while the disk takes nothing.
 */
#define store_add_fleeting(unit, sql, ...) \
	store_add_fleeting_list(unit, sql, STORE_LIST(__VA_ARGS__), STORE_COUNT(__VA_ARGS__))
void store_add_fleeting_list(struct store_unit *unit, const char *sql,
			     const struct store_value *values, size_t n);

/*
 * What the unit says holds already: it may be kept, although somebody waits for it, who is told at
 * once that it is not stored.
 */
void store_keep(struct store_unit *unit);

/*
 * Work on the writer's thread, inside the unit: 0 or -errno, which undoes the unit. It touches
 * nothing but the database and `arg`, of which `size` bytes are copied.
 */
void store_call(struct store_unit *unit, int (*work)(struct store_db *db, void *arg),
		const void *arg, size_t size);

/*
 * Hands the unit over, in any case. 0: done(ctx) comes on this thread when the disk has it, or
 * when it can't have it, in the order of commits; never before this returns. Without `done` it
 * may linger, and be kept. -ENOBUFS: there is no room (counted as lost), -ENOMEM: done() never
 * comes.
 */
int store_commit(struct store *store, struct store_unit *unit,
		 void (*done)(void *ctx, const struct store_result *result), void *ctx);

/*
 * Deletes what all parts know of a person, takes `words` (NULL ends) out of texts, and leaves
 * nothing of it in free pages or the log of writes; after what the unit does already. As
 * store_commit(); changes: rows of all parts.
 */
int store_forget(struct store *store, struct store_unit *unit, uint64_t person,
		 const char *const *words,
		 void (*done)(void *ctx, const struct store_result *result), void *ctx);

/* The same of at most `limit` of a part's rows that are older than `before` (ns since 1970). */
int store_expire(struct store *store, const struct store_part *part, uint64_t before,
		 unsigned limit, void (*done)(void *ctx, const struct store_result *result),
		 void *ctx);

/* A unit that is not to be stored after all. */
void store_abandon(struct store_unit *unit);

/* Waits for all that was committed and acknowledges it, but for what is kept; for starts, ends, and
 * tests. */
void store_sync(struct store *store);

/* The same, and acknowledges nothing: for what must not go on before it is on the disk. Blocks. */
void store_settle(struct store *store);

/* Acknowledges what is done. Without an event loop. */
void store_dispatch(struct store *store);

/* Reading: what is on the disk, by a connection of its own that can't write. Keep it small. */

/*
 * Rows of a statement that reads. End them before the loop goes on; the same statement can't be
 * read twice at a time. Never NULL: where it can't be done there are no rows, and store_end() says
 * why.
 */
#define store_query(store, sql, ...) \
	store_query_list(store, sql, STORE_LIST(__VA_ARGS__), STORE_COUNT(__VA_ARGS__))
struct store_rows *store_query_list(struct store *store, const char *sql,
				    const struct store_value *values, size_t n);

/* true: there is a row, whose columns are good until the next call. */
bool store_next(struct store_rows *rows);
int64_t store_column_int(struct store_rows *rows, int column);
double store_column_real(struct store_rows *rows, int column);
const char *store_column_text(struct store_rows *rows, int column); /* never NULL */
const void *store_column_blob(struct store_rows *rows, int column, size_t *len);
bool store_column_null(struct store_rows *rows, int column);
/* 0: there were no more; -errno: reading failed. */
int store_end(struct store_rows *rows);

/* Inside store_call()'s work: the same with the writer's connection. */
#define store_db_run(db, sql, ...) \
	store_db_run_list(db, sql, STORE_LIST(__VA_ARGS__), STORE_COUNT(__VA_ARGS__))
#define store_db_query(db, sql, ...) \
	store_db_query_list(db, sql, STORE_LIST(__VA_ARGS__), STORE_COUNT(__VA_ARGS__))
int store_db_run_list(struct store_db *db, const char *sql, const struct store_value *values,
		      size_t n);
struct store_rows *store_db_query_list(struct store_db *db, const char *sql,
				       const struct store_value *values, size_t n);

struct store_stats {
	uint64_t committed, batches; /* units on the disk; transactions that brought them */
	uint64_t failed;             /* units that the database refused */
	uint64_t lost;               /* units that found no room */
	uint64_t postponed;          /* units that were kept when the disk did not take them */
	uint64_t waited;             /* times that store_ready() said no */
	uint64_t queued, bytes;      /* units that wait now; their bytes */
	uint64_t kept, kept_bytes;   /* those of them that are kept */
	uint64_t kept_since;         /* ns since 1970: when the first of these was; 0: none is */
	uint64_t longest;            /* ns: of the transaction that took longest */
	uint64_t last;               /* ns since 1970: of the last transaction; 0: none yet */
	uint64_t checkpoints;        /* times that all of the log of writes was in the database */
	uint64_t checkpointed;       /* ns since 1970: the last of them; 0: none yet */
	int trouble;                 /* -errno: of the disk, while nothing can be written; 0 */
	char error[STORE_ERROR];     /* of the last failure; "" */
};

struct store_stats store_stats(struct store *store);

struct store_sizes {
	uint64_t database, log; /* bytes of state.db, and of its log of writes */
};

void store_sizes(const struct store *store, struct store_sizes *sizes);

/* While there is trouble: writes what is kept, or a row of nothing, to see whether it is over. */
void store_probe(struct store *store);
/* The same, and waits for it; for ends. */
void store_retry(struct store *store);

/* All parts of posternd's. */
extern const struct store_part *const store_parts[];

#endif
