/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiled databases on the disk, by what they were compiled from. A file that is cut short,
 * damaged, or somebody else's is as good as none; nothing here is needed for anything but time.
 *
 * What lies there is handed to Hyperscan, which believes it: the directory and its files must be
 * this user's, and writable for nobody else. Several threads may find and store at once; one
 * process at a time.
 */
#ifndef POSTERN_CONTROL_DB_CACHE_H
#define POSTERN_CONTROL_DB_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define DB_CACHE_LIMIT (UINT64_C(256) << 20) /* bytes that it grows to */

struct db_cache;

/*
 * Opens the directory, which is made if there is none (its parent must be there). 0, -EPERM:
 * others could write there; -errno.
 */
int db_cache_open(const char *dir, uint64_t limit, struct db_cache **cachep);
void db_cache_close(struct db_cache *cache); /* NULL is fine */

/* What was stored under exactly this key, the caller's to free(); NULL: nothing. */
char *db_cache_find(struct db_cache *cache, const void *key, size_t key_len, size_t *size);

/* All of it or nothing. 0 or -errno. */
int db_cache_store(struct db_cache *cache, const void *key, size_t key_len, const void *data,
		   size_t size);

/* Forgets what was used longest ago, down to the limit, and what was left half-written. */
void db_cache_trim(struct db_cache *cache);

#endif
