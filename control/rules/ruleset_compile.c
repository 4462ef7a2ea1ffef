/* SPDX-License-Identifier: BSD-3-Clause */
/* Patterns become Hyperscan's databases: found in the cache or compiled, several at a time. */
#include <errno.h>
#include <hs.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/db_cache.h"
#include "control/rules/ruleset_tables.h"

#define THREADS_MAX 16

/* Shards, those with the most first: the longest one decides when it is over. */
struct work {
	struct ruleset_tables *t;
	struct db_cache *cache;
	unsigned *order;
	unsigned count;
	atomic_uint next;
};

static unsigned mode_of(const struct ruleset_tables *t, unsigned db)
{
	return tables_streams(t, db) ? HS_MODE_STREAM : HS_MODE_BLOCK;
}

static bool key_add(char **key, size_t *len, size_t *room, const void *data, size_t n)
{
	while (*len + n > *room) {
		size_t more = *room ? *room * 2 : 65536;
		char *grown = realloc(*key, more);

		if (!grown)
			return false;
		*key = grown;
		*room = more;
	}
	memcpy(*key + *len, data, n);
	*len += n;
	return true;
}

/*
 * All that a database depends on: the library, the CPU, the mode and the patterns. The caller's to
 * free(); NULL: no memory, or a CPU that Hyperscan doesn't know.
 */
static char *key_of(const struct patterns *p, unsigned mode, size_t *len)
{
	const char *version = hs_version();
	hs_platform_info_t platform = {0};
	size_t room = 0;
	char *key = NULL;
	bool ok = hs_populate_platform(&platform) == HS_SUCCESS;

	*len = 0;
	ok = ok && key_add(&key, len, &room, version, strlen(version) + 1) &&
	     key_add(&key, len, &room, &platform, sizeof(platform)) &&
	     key_add(&key, len, &room, &mode, sizeof(mode));
	for (unsigned i = 0; ok && i < p->count; i++)
		ok = key_add(&key, len, &room, &p->flags[i], sizeof(p->flags[i])) &&
		     key_add(&key, len, &room, p->expressions[i], strlen(p->expressions[i]) + 1);
	if (ok)
		return key;
	free(key);
	return NULL;
}

static void measure_stream(struct database *d)
{
	hs_database_t *db;

	if (hs_deserialize_database(d->data, d->size, &db) != HS_SUCCESS)
		return;
	hs_stream_size(db, &d->stream_bytes);
	hs_free_database(db);
}

static void compile(struct database *d, unsigned mode)
{
	const struct patterns *p = &d->patterns;
	hs_compile_error_t *error = NULL;
	hs_database_t *db;

	if (hs_compile_ext_multi(p->expressions, p->flags, p->ids, NULL, p->count, mode, NULL, &db,
				 &error) != HS_SUCCESS) {
		d->error = error;
		return;
	}
	if (hs_serialize_database(db, &d->data, &d->size) != HS_SUCCESS)
		d->data = NULL;
	hs_free_database(db);
}

static void build(struct work *w, unsigned shard)
{
	struct database *d = &w->t->databases[shard];
	unsigned mode = mode_of(w->t, d->db);
	size_t key_len = 0;
	char *key = w->cache ? key_of(&d->patterns, mode, &key_len) : NULL;

	if (key)
		d->data = db_cache_find(w->cache, key, key_len, &d->size);
	d->found = d->data != NULL;
	if (!d->found)
		compile(d, mode);
	/* What can't be kept is compiled again the next time. */
	if (key && d->data && !d->found)
		db_cache_store(w->cache, key, key_len, d->data, d->size);
	if (d->data && mode == HS_MODE_STREAM)
		measure_stream(d);
	free(key);
}

static void *run(void *ctx)
{
	struct work *w = ctx;
	unsigned i;

	while ((i = atomic_fetch_add(&w->next, 1)) < w->count)
		build(w, w->order[i]);
	return NULL;
}

static int most_first(const void *pa, const void *pb, void *ctx)
{
	const struct database *d = ctx;
	unsigned a = *(const unsigned *)pa, b = *(const unsigned *)pb;

	if (d[a].patterns.count != d[b].patterns.count)
		return d[a].patterns.count < d[b].patterns.count ? 1 : -1;
	return a < b ? -1 : a > b;
}

static void plan(struct work *w)
{
	w->count = (unsigned)w->t->shards.count;
	w->order = arena_alloc(&w->t->arena, (w->count + 1) * sizeof(*w->order));
	for (unsigned i = 0; i < w->count; i++)
		w->order[i] = i;
	qsort_r(w->order, w->count, sizeof(*w->order), most_first, w->t->databases);
}

static unsigned thread_count(unsigned wanted, unsigned jobs)
{
	cpu_set_t cpus;

	if (!wanted && sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		wanted = (unsigned)CPU_COUNT(&cpus);
	if (wanted > jobs)
		wanted = jobs;
	return wanted > THREADS_MAX ? THREADS_MAX : wanted;
}

static bool say_error(struct ruleset_tables *t, const struct database *d)
{
	struct rule_place place = {.file = tables_db_name(t, d->db)};
	const struct patterns *p = &d->patterns;
	hs_compile_error_t *error = d->error;
	uint32_t sid = 0;

	if (error && error->expression >= 0 && (unsigned)error->expression < p->steers) {
		place = p->triggers[error->expression]->place->place;
		sid = p->triggers[error->expression]->sid;
	}
	if (!error || (error->expression < 0 && strstr(error->message, "memory")))
		rule_diag_add(t->diags, RULE_ERROR, place, 0,
			      "what rules look for here takes more memory to compile than there is "
			      "(posternd: gate.compile_memory)");
	else
		rule_diag_add(t->diags, RULE_ERROR, place, sid, "Hyperscan can't look for it: %s",
			      error->message);
	hs_free_compile_error(error);
	t->failed = true;
	return false;
}

static bool collect(struct ruleset_tables *t, unsigned shard)
{
	struct database *d = &t->databases[shard];

	if (!d->data)
		return say_error(t, d);
	((struct ruleset_shard *)t->shards.data)[shard].size = (uint32_t)d->size;
	t->stats.db_bytes[d->db] += d->size;
	t->stats.stream_bytes[d->db] += d->stream_bytes;
	t->stats.databases++;
	t->stats.databases_found += d->found;
	return true;
}

bool tables_compile_databases(struct ruleset_tables *t, const struct ruleset_build_options *options)
{
	struct work w = {.t = t, .cache = options->cache};
	pthread_t threads[THREADS_MAX];
	unsigned wanted, started = 0;
	bool ok = true;

	plan(&w);
	wanted = thread_count(options->threads, w.count);
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, run, &w) == 0)
		started++;
	run(&w);
	while (started)
		pthread_join(threads[--started], NULL);
	for (unsigned i = 0; i < w.count; i++)
		ok = collect(t, i) && ok;
	if (options->cache)
		db_cache_trim(options->cache);
	return ok;
}
