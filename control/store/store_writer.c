/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer's thread: units onto the disk, in batches. While the disk takes nothing, units that
 * may wait are kept (store_kept.c), and stay before all others: until they are on the disk, or
 * found to be wrong, no other unit is, so that none overtakes what it may hang on. Who waits for
 * one is told at once that it is not stored: between two tries at the disk, however long they take
 * and however often they are asked for.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/store/store_internal.h"

#define BATCH_BYTES (UINT64_C(4) << 20) /* of units in one transaction */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Until there is work, and it is time for it. false: there is none, and never will be. */
static bool wait_for_work(struct store *s)
{
	struct timespec until;

	while (STAILQ_EMPTY(&s->queue) && !s->retry && !s->stop)
		pthread_cond_wait(&s->work, &s->mutex);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += STORE_LINGER_MS * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!s->urgent && !s->retry && !s->stop &&
	       s->stats.bytes - s->stats.kept_bytes < BATCH_BYTES)
		if (pthread_cond_timedwait(&s->work, &s->mutex, &until) == ETIMEDOUT)
			break;
	return s->retry || !STAILQ_EMPTY(&s->queue);
}

static void take_batch(struct store_units *from, struct store_units *batch)
{
	struct store_unit *u;
	size_t bytes = 0;

	while ((u = STAILQ_FIRST(from)) && bytes < BATCH_BYTES) {
		bytes += store_unit_bytes(u);
		STAILQ_REMOVE_HEAD(from, entry);
		STAILQ_INSERT_TAIL(batch, u, entry);
	}
}

/* What was deleted is still in the log of writes, until that begins anew. */
static void scrub(struct store_db *db, const struct store_units *batch)
{
	const struct store_unit *u;
	bool wanted = false;

	STAILQ_FOREACH(u, batch, entry)
	wanted |= u->scrub && !u->result.rc;
	if (!wanted)
		return;
	store_db_wait(db, true); /* whoever reads at this moment */
	store_db_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* A unit that is kept holds up those behind it; one without statements asks for nothing. */
static void hold(struct store_unit *u, int rc)
{
	u->result = (struct store_result){.rc = u->count ? rc : 0};
}

/* All of it in one transaction; each unit's result says how it went. */
static void write_batch(struct store_db *db, struct store_units *batch)
{
	int rc = store_db_run(db, "BEGIN IMMEDIATE"), held = 0;
	struct store_unit *u;

	STAILQ_FOREACH(u, batch, entry)
	{
		if (rc)
			break;
		if (held) {
			hold(u, held);
			continue;
		}
		u->result.rc = store_unit_run(db, u);
		if (store_unit_is_kept(u))
			held = u->result.rc;
		/* The database gave the whole transaction up: disk full, no memory. */
		if (sqlite3_get_autocommit(db->handle))
			rc = u->result.rc ? u->result.rc : -EIO;
	}
	if (!rc)
		rc = store_db_run(db, "COMMIT");
	if (!rc)
		return;
	memcpy(db->failure, db->error, sizeof(db->failure));
	if (!sqlite3_get_autocommit(db->handle))
		store_db_run(db, "ROLLBACK");
	rc = store_is_trouble(rc) ? rc : -EIO; /* whatever it is, it is not a unit's */
	STAILQ_FOREACH(u, batch, entry)
	u->result = (struct store_result){.rc = u->result.rc ? u->result.rc : rc};
}

static void count_unit(struct store *s, const struct store_unit *u)
{
	s->stats.queued--;
	s->stats.bytes -= store_unit_bytes(u);
	s->stats.committed += u->result.rc == 0;
	s->stats.failed += u->result.rc != 0;
	if (!u->result.rc)
		s->stats.last = clock_ns(CLOCK_REALTIME);
}

static void note_trouble(struct store *s, const struct store_unit *u)
{
	if (u->result.rc)
		memcpy(s->stats.error, s->writer.failure, sizeof(s->stats.error));
	if (store_is_trouble(u->result.rc))
		s->stats.trouble = u->result.rc;
	else if (!u->result.rc && u->result.changes && STAILQ_EMPTY(&s->kept))
		s->stats.trouble = 0;
}

/* Where it goes: among what is kept, or back to who made it. */
static void settle(struct store *s, struct store_units *batch)
{
	struct store_unit *u;

	while ((u = STAILQ_FIRST(batch))) {
		STAILQ_REMOVE_HEAD(batch, entry);
		note_trouble(s, u);
		if (store_unit_is_kept(u)) {
			store_kept_add(s, u, clock_ns(CLOCK_REALTIME));
			continue;
		}
		count_unit(s, u);
		STAILQ_INSERT_TAIL(&s->done, u, entry);
	}
}

static void count_batch(struct store *s, uint64_t took)
{
	s->stats.batches++;
	if (took > s->stats.longest)
		s->stats.longest = took;
	s->stats.checkpoints = s->writer.checkpoints;
	s->stats.checkpointed = s->writer.checkpointed;
}

/* Without the mutex, which is held before and after. */
static void write_unlocked(struct store *s, struct store_units *batch)
{
	uint64_t began;

	/* What is tried again needn't wait for a lock, and others would wait with it. */
	store_db_wait(&s->writer, !s->stats.trouble);
	pthread_mutex_unlock(&s->mutex);
	began = clock_ns(CLOCK_MONOTONIC);
	write_batch(&s->writer, batch);
	scrub(&s->writer, batch);
	pthread_mutex_lock(&s->mutex);
	count_batch(s, clock_ns(CLOCK_MONOTONIC) - began);
}

/* What comes while others are kept. */
static void hold_batch(struct store *s, struct store_units *batch)
{
	struct store_unit *u;

	STAILQ_FOREACH(u, batch, entry)
	hold(u, s->stats.trouble);
}

static void write_queue(struct store *s)
{
	struct store_units batch = STAILQ_HEAD_INITIALIZER(batch);

	take_batch(&s->queue, &batch);
	s->urgent = s->urgent && !STAILQ_EMPTY(&s->queue);
	if (STAILQ_EMPTY(&s->kept))
		write_unlocked(s, &batch);
	else
		hold_batch(s, &batch);
	settle(s, &batch);
}

/* Those that still can't be written stay before the others. */
static bool settle_kept(struct store *s, struct store_units *batch)
{
	struct store_units again = STAILQ_HEAD_INITIALIZER(again);
	struct store_unit *u;
	bool stuck;

	while ((u = STAILQ_FIRST(batch))) {
		STAILQ_REMOVE_HEAD(batch, entry);
		if (store_unit_is_kept(u)) {
			note_trouble(s, u);
			STAILQ_INSERT_TAIL(&again, u, entry);
			continue;
		}
		store_kept_leave(s, u);
		note_trouble(s, u);
		count_unit(s, u);
		STAILQ_INSERT_TAIL(&s->done, u, entry);
	}
	stuck = !STAILQ_EMPTY(&again);
	STAILQ_CONCAT(&again, &s->kept);
	STAILQ_CONCAT(&s->kept, &again);
	return stuck;
}

static void write_kept(struct store *s)
{
	bool stuck = false;

	while (!stuck && !STAILQ_EMPTY(&s->kept)) {
		struct store_units batch = STAILQ_HEAD_INITIALIZER(batch);

		take_batch(&s->kept, &batch);
		write_unlocked(s, &batch);
		stuck = settle_kept(s, &batch);
	}
	s->retry = false; /* also who asked meanwhile has the answer */
}

void *store_write_units(void *ctx)
{
	struct store *s = ctx;
	const uint64_t one = 1;

	pthread_mutex_lock(&s->mutex);
	s->busy = false; /* starting is over */
	pthread_cond_broadcast(&s->idle);
	while (wait_for_work(s)) {
		s->busy = true;
		if (s->retry)
			write_kept(s);
		if (!STAILQ_EMPTY(&s->queue))
			write_queue(s);
		s->busy = false;
		pthread_cond_broadcast(&s->idle);
		while (write(s->wake, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}
