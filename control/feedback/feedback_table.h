/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keyed hashes with a tenant, a time and a count: what posternd remembers of mails that left, and
 * of reports that it has counted. A file of fixed size, mapped: an entry is 16 bytes, putting one
 * in is a look at two cache lines, and kill -9 loses none. When it is full, or an entry's time is
 * over, the oldest of eight makes room. A loss of power may lose the last seconds: a report of such
 * a mail is then nobody's, which costs nobody points.
 *
 * (Rows of SQLite would be written to pages at random, at thousands of mails a second and for each
 * of tens of millions of rows: docs/feedback.md has the figures.)
 *
 * One process, one thread. Opening blocks on the disk.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_TABLE_H
#define POSTERN_CONTROL_FEEDBACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/siphash.h"

struct feedback_entry;

struct feedback_table {
	struct feedback_entry *entry; /* NULL: not open; every look-up finds nothing */
	uint64_t buckets, key[2];
	void *map;
	size_t size;
	uint64_t put, replaced; /* since it was opened; replaced: young ones that made room */
};

enum feedback_flag {
	FEEDBACK_BY_GATE = 1, /* the gate read it itself */
	FEEDBACK_BY_LOG = 2,  /* a log told of it */
};

struct feedback_found {
	uint32_t tenant; /* its id */
	unsigned flags;  /* enum feedback_flag */
	uint32_t count;  /* feedback_table_add()'s */
};

#define FEEDBACK_COUNT_MAX UINT16_MAX /* of an entry; then it stays */

/*
 * Opens the table at `path`, or makes it, with room for so many entries (rounded up); one of
 * another size is made anew with the entries of the old. 0; -EBADMSG: the file is something else;
 * -errno.
 */
int feedback_table_open(struct feedback_table *table, const char *path, uint64_t entries);
void feedback_table_close(struct feedback_table *table);

/* A hash with the table's key, to go on with siphash_add(); and its end: 48 bits, never 0. */
void feedback_table_hash(const struct feedback_table *table, struct siphash *hash);
uint64_t feedback_table_key(struct siphash *hash);

/*
 * Puts an entry in, or makes it new; its flags are added. True: it was not there, or its time was
 * over. `now` is s since 1970, `keep` s. An entry is of a key and a tenant.
 */
bool feedback_table_put(struct feedback_table *table, uint64_t key, uint32_t tenant, unsigned flags,
			int64_t now, uint32_t keep);

/* Entries of the key that are no older than `keep`, `max` at the most; how many there are. */
unsigned feedback_table_find(const struct feedback_table *table, uint64_t key, int64_t now,
			     uint32_t keep, struct feedback_found *found, unsigned max);

/* The same for one tenant's. */
bool feedback_table_has(const struct feedback_table *table, uint64_t key, uint32_t tenant,
			int64_t now, uint32_t keep, unsigned *flags);

/* Puts an entry in as above, and adds to its count, 0 if it is new. */
bool feedback_table_add(struct feedback_table *table, uint64_t key, uint32_t tenant, unsigned flags,
			uint32_t n, int64_t now, uint32_t keep);

/* Its count; 0 if it is not there. */
uint32_t feedback_table_count(const struct feedback_table *table, uint64_t key, uint32_t tenant,
			      int64_t now, uint32_t keep);

void feedback_table_remove(struct feedback_table *table, uint64_t key, uint32_t tenant);

#endif
