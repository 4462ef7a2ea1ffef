/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/match_memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/siphash.h"
#include "dataplane/policy/memory.h"

#define WAYS       8
#define SHARE      4  /* of them, a tenant's */
#define COUNT_BITS 20 /* the others are for ms since 1970, and 500 years more */
#define COUNT_MASK ((1ull << COUNT_BITS) - 1)
#define MS         1000000u

/* Nobody's entry, and one that is being made: no key is so. */
enum { FREE, BUSY, KEYS };

/*
 * `word` is the end in ms and the count. A key names the tenant in its upper 16 bits, and the rest
 * is the hash, of which the place is another part.
 */
struct entry {
	_Atomic uint64_t key, word;
};

struct match_memory {
	struct entry *entries;
	uint64_t places; /* of WAYS entries, less one */
	size_t size;
	uint64_t secret[2];
	_Atomic uint64_t full;
};

int match_memory_new(uint32_t entries, const uint8_t *key, struct match_memory **memoryp)
{
	struct match_memory *memory;

	if (entries < WAYS || (entries & (entries - 1)))
		return -EINVAL;
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	memory->size = entries * sizeof(*memory->entries);
	memory->entries = memory_reserve(memory->size, MEMORY_DENSE);
	if (!memory->entries) {
		free(memory);
		return -ENOMEM;
	}
	memory->places = entries / WAYS - 1;
	if (key)
		memcpy(memory->secret, key, sizeof(memory->secret));
	*memoryp = memory;
	return 0;
}

void match_memory_free(struct match_memory *memory)
{
	if (!memory)
		return;
	memory_release(memory->entries, memory->size);
	free(memory);
}

/* A key, and the eight entries it may be in. */
struct place {
	struct entry *entry;
	uint64_t key;
	uint64_t now; /* ms */
};

static struct place place_of(struct match_memory *memory, const struct match_memory_key *key,
			     uint64_t now)
{
	uint64_t hash = siphash(memory->secret, key, sizeof(*key));
	uint64_t tail = hash >> 16;

	return (struct place){
		.entry = memory->entries +
			 (hash * 0x9e3779b97f4a7c15u >> 20 & memory->places) * WAYS,
		.key = (uint64_t)(uint16_t)key->tenant << 48 | (tail < KEYS ? tail + KEYS : tail),
		.now = now / MS,
	};
}

static uint64_t word_end(uint64_t word)
{
	return word >> COUNT_BITS;
}

static uint64_t word_of(uint64_t end, uint64_t count)
{
	return end << COUNT_BITS | count;
}

static struct entry *find(const struct place *p)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (atomic_load_explicit(&p->entry[i].key, memory_order_acquire) == p->key)
			return &p->entry[i];
	return NULL;
}

/* One that may be had: free, over, or the tenant's own that ends first where it has its share. */
static struct entry *choose(struct match_memory *memory, const struct place *p, uint64_t *old)
{
	struct entry *over = NULL, *own = NULL;
	uint64_t own_end = UINT64_MAX, over_key = 0, own_key = 0;
	unsigned owned = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		struct entry *e = &p->entry[i];
		uint64_t key = atomic_load_explicit(&e->key, memory_order_acquire);
		uint64_t end = word_end(atomic_load_explicit(&e->word, memory_order_relaxed));

		if (key == BUSY)
			continue;
		if (key == FREE || end <= p->now) {
			over = over ? over : e;
			over_key = over == e ? key : over_key;
			continue;
		}
		if (key >> 48 != p->key >> 48)
			continue;
		owned++;
		if (end < own_end) {
			own = e;
			own_end = end;
			own_key = key;
		}
	}
	if (over && owned < SHARE) {
		*old = over_key;
		return over;
	}
	atomic_fetch_add_explicit(&memory->full, 1, memory_order_relaxed);
	*old = own_key;
	return own;
}

/* Two workers may make one key's entry at once: the first in its place stays. */
static struct entry *settle(const struct place *p, struct entry *made)
{
	struct entry *first = find(p);

	if (!first || first == made)
		return made;
	atomic_store_explicit(&made->key, FREE, memory_order_release);
	return first;
}

/* The key's entry; a new one has `word`. NULL: there is no place. */
static struct entry *find_or_make(struct match_memory *memory, const struct place *p, uint64_t word,
				  bool *made)
{
	*made = false;
	for (unsigned tries = 0; tries < WAYS; tries++) {
		struct entry *e = find(p);
		uint64_t old;

		if (e)
			return e;
		e = choose(memory, p, &old);
		if (!e)
			return NULL;
		if (!atomic_compare_exchange_strong(&e->key, &old, BUSY))
			continue;
		atomic_store_explicit(&e->word, word, memory_order_relaxed);
		atomic_store_explicit(&e->key, p->key, memory_order_release);
		*made = settle(p, e) == e;
		return find(p);
	}
	return NULL;
}

void match_memory_prefetch(struct match_memory *memory, const struct match_memory_key *key)
{
	const struct place p = place_of(memory, key, 0);

	__builtin_prefetch(&p.entry[0]);
	__builtin_prefetch(&p.entry[WAYS / 2]);
}

uint64_t match_memory_end(struct match_memory *memory, const struct match_memory_key *key,
			  uint64_t now)
{
	struct place p = place_of(memory, key, now);
	struct entry *e = find(&p);
	uint64_t end = e ? word_end(atomic_load_explicit(&e->word, memory_order_acquire)) : 0;

	return end > p.now ? end * MS : 0;
}

bool match_memory_has(struct match_memory *memory, const struct match_memory_key *key, uint64_t now)
{
	return match_memory_end(memory, key, now) != 0;
}

bool match_memory_set(struct match_memory *memory, const struct match_memory_key *key, uint64_t now,
		      uint64_t end)
{
	struct place p = place_of(memory, key, now);
	uint64_t word = word_of((end + MS - 1) / MS, 0);
	bool made;
	struct entry *e = find_or_make(memory, &p, word, &made);

	if (e && !made)
		atomic_store_explicit(&e->word, word, memory_order_release);
	return e != NULL;
}

void match_memory_clear(struct match_memory *memory, const struct match_memory_key *key,
			uint64_t now)
{
	struct place p = place_of(memory, key, now);
	struct entry *e = find(&p);

	if (e)
		atomic_store_explicit(&e->word, 0, memory_order_release);
}

uint32_t match_memory_count(struct match_memory *memory, const struct match_memory_key *key,
			    uint64_t now, uint64_t window, uint32_t last)
{
	struct place p = place_of(memory, key, now);
	uint64_t end = (now + window + MS - 1) / MS;
	uint64_t first = word_of(end, last != 1), word, next, count;
	bool made;
	struct entry *e = find_or_make(memory, &p, first, &made);

	if (!e)
		return 0;
	if (made)
		return 1;
	word = atomic_load_explicit(&e->word, memory_order_acquire);
	do {
		bool over = word_end(word) <= p.now;

		count = over ? 1 : (word & COUNT_MASK) + 1;
		if (count > MATCH_MEMORY_COUNT_MAX)
			count = MATCH_MEMORY_COUNT_MAX;
		next = word_of(over ? end : word_end(word), last && count >= last ? 0 : count);
	} while (!atomic_compare_exchange_weak(&e->word, &word, next));
	return (uint32_t)count;
}

uint64_t match_memory_full(const struct match_memory *memory)
{
	return atomic_load_explicit(&memory->full, memory_order_relaxed);
}
