/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What keeping scores costs with 1,000 to 100,000 tenants, all of them with news: of the event loop
 * (packing rows, handing them over) and of the writer's thread until the disk has them; how large
 * the database and its log of writes become, and that they stay so; and how long who waits for a
 * row waits. DIR: where; /tmp. What a disk costs is seen on a disk: a tmpfs is none.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "control/risk/risk_keep.h"
#include "control/risk/risk_pack.h"

#define ROUNDS 10
#define SLICE  1000 /* tenants in a unit */
#define SECOND UINT64_C(1000000000)
#define START  (UINT64_C(1800000000) * SECOND)
#define WAITS  500 /* for one row each */

static const struct store_part *const parts[] = {&risk_part, NULL};

static uint64_t time_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static double mib_of(const char *dir, const char *name)
{
	char path[PATH_MAX + 32];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? (double)st.st_size / 1048576 : 0;
}

/* Calls and mails, and a few events of some kinds with the flows that they are of. */
static void news(struct risk_board *b, uint64_t now)
{
	for (uint32_t slot = 1; slot < b->count; slot++) {
		const struct risk_sample s = {.seized = 3 + slot % 5,
					      .answered = 2,
					      .recipients = 9,
					      .bounced = 1,
					      .delivered = 5,
					      .callees = 30,
					      .domains = 12};

		risk_count(&b->tenant[slot], &b->config, now, &s);
		risk_window_count(&b->window[slot], &b->config, now, &s);
		risk_board_event(b, slot, (enum risk_event)(now / SECOND % 5), 0.1, now, now * slot,
				 0);
		b->seen[slot].of = START;
		b->seen[slot].seized += 3;
		b->seen[slot].recipients += 9;
	}
}

static uint64_t write_all(struct store *store, struct risk_board *b)
{
	const uint64_t began = time_of(CLOCK_THREAD_CPUTIME_ID);
	uint32_t slot = 1;

	while (slot < b->count) {
		struct store_unit *unit = store_begin(store);

		for (uint32_t i = 0; i < SLICE && slot < b->count; i++)
			risk_state_put(unit, b, slot++, START);
		if (store_commit(store, unit, NULL, NULL) != 0)
			abort();
		if (!store_ready(store))
			store_sync(store);
	}
	return time_of(CLOCK_THREAD_CPUTIME_ID) - began;
}

/* A store of its own, in a directory of its own. */
static struct store *begin(const char *where, char dir[PATH_MAX], struct risk_board *b,
			   uint32_t tenants)
{
	char error[STORE_ERROR];
	struct store *store;

	snprintf(dir, PATH_MAX, "%s/risk-keep-XXXXXX", where);
	if (!mkdtemp(dir) || store_open(dir, parts, NULL, &store, error) != 0 ||
	    risk_board_init(b, tenants + 1) != 0)
		abort();
	for (uint32_t slot = 1; slot <= tenants; slot++)
		risk_board_take(b, slot, slot, NULL);
	return store;
}

static void end(struct store *store, const char *dir, struct risk_board *b)
{
	char command[PATH_MAX + 16];

	store_close(store);
	risk_board_fini(b);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	if (system(command) != 0)
		abort();
}

static void measure(const char *where, uint32_t tenants)
{
	double first = 0, wal = 0;
	uint64_t loop = 0, began, all = 0;
	char dir[PATH_MAX];
	struct risk_board b;
	struct store *store = begin(where, dir, &b, tenants);

	for (int i = 0; i < ROUNDS; i++) {
		news(&b, START + (uint64_t)i * 5 * SECOND);
		began = time_of(CLOCK_MONOTONIC);
		loop += write_all(store, &b);
		store_sync(store);
		all += time_of(CLOCK_MONOTONIC) - began;
		if (!i)
			first = mib_of(dir, "state.db");
		if (mib_of(dir, "state.db-wal") > wal)
			wal = mib_of(dir, "state.db-wal");
	}
	printf("%9u %12.2f %9.0f %12.1f %10.1f %9.1f %9.1f\n", tenants, (double)loop / ROUNDS / 1e6,
	       (double)loop / ROUNDS / tenants, (double)all / ROUNDS / 1e6, first,
	       mib_of(dir, "state.db"), wal);
	end(store, dir, &b);
}

static void note_stored(void *ctx, const struct store_result *result)
{
	*(bool *)ctx = result->rc == 0;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* One after another, as a person's commands. */
static void measure_waits(const char *where)
{
	static uint64_t took[WAITS];
	char dir[PATH_MAX];
	struct risk_board b;
	struct store *store = begin(where, dir, &b, WAITS);

	news(&b, START);
	for (uint32_t i = 0; i < WAITS; i++) {
		const uint64_t began = time_of(CLOCK_MONOTONIC);
		struct store_unit *unit = store_begin(store);
		bool stored = false;

		risk_state_put(unit, &b, 1 + i, START);
		if (store_commit(store, unit, note_stored, &stored) != 0)
			abort();
		store_sync(store);
		if (!stored)
			abort();
		took[i] = time_of(CLOCK_MONOTONIC) - began;
	}
	qsort(took, WAITS, sizeof(took[0]), by_size);
	printf("a row that somebody waits for, us: median %.0f, 99th %.0f, longest %.0f\n",
	       (double)took[WAITS / 2] / 1e3, (double)took[WAITS * 99 / 100] / 1e3,
	       (double)took[WAITS - 1] / 1e3);
	end(store, dir, &b);
}

int main(int argc, char **argv)
{
	const char *where = argc > 1 ? argv[1] : "/tmp";

	printf("  tenants  loop, ms CPU  ns each  on disk, ms  first MiB  last MiB  log, MiB\n");
	measure(where, 1000);
	measure(where, 10000);
	measure(where, 100000);
	measure_waits(where);
	return 0;
}
