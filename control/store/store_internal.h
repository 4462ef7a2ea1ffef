/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store's files share (control/store/store.h). */
#ifndef POSTERN_CONTROL_STORE_INTERNAL_H
#define POSTERN_CONTROL_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <sys/queue.h>

#include "control/store/store.h"

#define STORE_NAME       "state.db"
#define STORE_STATEMENTS 256 /* distinct ones; a power of two */

/* A statement that is being read. */
struct store_rows {
	struct store_db *db;
	sqlite3_stmt *statement;
	int rc;
	bool busy;
};

#define STORE_LOG STORE_NAME "-wal"

/* Pages in the log of writes from which on they are brought into the database. */
#define STORE_LOG_PAGES 1000

#define STORE_PATIENCE_MS 5000 /* with who has the database locked */

/* A connection, and the statements that it prepared. One thread's. */
struct store_db {
	sqlite3 *handle;
	char error[STORE_ERROR];            /* of the last failure */
	char failure[STORE_ERROR];          /* of the last unit, or transaction, that failed */
	uint64_t checkpoints, checkpointed; /* as in struct store_stats; the writer's alone */
	bool hasty;                         /* who has it locked is not waited for */
	struct store_statement {
		const char *sql;
		struct store_rows rows;
	} statement[STORE_STATEMENTS];
};

/* store_db.c */
int store_db_open(struct store_db *db, const char *path, int flags);
void store_db_close(struct store_db *db);
/*
 * Brings the log of writes into the database whenever it has STORE_LOG_PAGES, and counts it. A
 * reader may keep a part of it back; then with the next commit.
 */
void store_db_checkpoints(struct store_db *db);
/* Whether a lock of somebody's is waited for, STORE_PATIENCE_MS at the most. It is at first. */
void store_db_wait(struct store_db *db, bool wait);
/* SQLite's code as -errno; notes its words. */
int store_db_fault(struct store_db *db, int code);

/* store_schema.c: the same as store_open() says. */
int store_schema_open(struct store_db *db, int dir, const char *path,
		      const struct store_part *const *parts, char *error);

/* store_unit.c */
struct store_unit {
	STAILQ_ENTRY(store_unit) entry;
	struct store_op *ops;
	size_t count, room;
	uint8_t *bytes; /* of texts, blobs and arguments */
	size_t used, size;
	int failed; /* -ENOMEM while it was made */
	bool scrub; /* what it deleted is to be gone from the log of writes, too */
	bool keep;  /* it may wait for the disk though somebody waits for it */
	void (*done)(void *ctx, const struct store_result *result);
	void *ctx;
	struct store_result result;
};

STAILQ_HEAD(store_units, store_unit);

size_t store_unit_bytes(const struct store_unit *unit);
/* 0 or -errno; the writer's thread. */
int store_unit_run(struct store_db *db, struct store_unit *unit);
void store_unit_free(struct store_unit *unit);
/* Whether there is more in it than what is written anew anyway. */
bool store_unit_lasts(const struct store_unit *unit);
/* Takes that away. 0 or -ENOMEM. */
int store_unit_trim(struct store_unit *unit);

struct store {
	const struct store_part *const *parts;
	int dir, lock; /* lock: held by whoever has the directory open */
	struct store_db reader;
	struct event *woken;
	int wake; /* an eventfd: units are done */
	pthread_t thread;
	bool running;

	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t work, idle;
	struct store_units queue, done, kept;
	bool stop, urgent, busy; /* urgent: somebody waits for the queue; busy: it is written */
	bool retry;              /* what is kept is to be tried again */
	struct store_stats stats;

	struct store_db writer; /* the thread's, once it runs */
};

/* store_writer.c: the thread; `ctx` is the store. */
void *store_write_units(void *ctx);

/* store_kept.c */
/* Of the disk, or of what else is over some time; not of what was to be written. */
bool store_is_trouble(int rc);
/* Whether it failed in such a way, and may wait. */
bool store_unit_is_kept(const struct store_unit *unit);
/* Takes the unit over: kept, or lost where there is no room for more. `now`: ns since 1970. */
void store_kept_add(struct store *store, struct store_unit *unit, uint64_t now);
/* It is on the disk, or wrong; it was taken out of the list before. */
void store_kept_leave(struct store *store, const struct store_unit *unit);
/* The end: what is left is lost. */
void store_kept_lose(struct store *store);

#endif
