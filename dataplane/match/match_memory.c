/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/match_memory.h"

#include <errno.h>
#include <rte_pause.h>
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

/* Nobody's entry: no key is so. */
enum { FREE, KEYS };

/*
 * `word` is the end in ms and the count. A key names the tenant in its upper 16 bits, and the rest
 * is the hash, of which the place is another part. Both change at once: what is counted is counted
 * for the key that was found, even where another's came in between.
 */
union entry {
	struct {
		_Atomic uint64_t key, word;
	};
	unsigned __int128 both;
};

struct match_memory {
	union entry *entries;
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
	union entry *entry;
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

/* An entry, and what was in it; `entry` is NULL where there is none. */
struct seen {
	union entry *entry;
	uint64_t key, word;
};

static struct seen look_at(union entry *e)
{
	struct seen seen = {.entry = e};

	/* Two reads: the word is the key's if that is there before and after. */
	do {
		seen.key = atomic_load_explicit(&e->key, memory_order_acquire);
		seen.word = atomic_load_explicit(&e->word, memory_order_acquire);
	} while (atomic_load_explicit(&e->key, memory_order_relaxed) != seen.key);
	return seen;
}

static unsigned __int128 both_of(uint64_t key, uint64_t word)
{
	const union {
		uint64_t half[2];
		unsigned __int128 both;
	} u = {{key, word}};

	return u.both;
}

/* False, and nothing is changed: another was faster. */
static bool exchange(const struct seen *old, uint64_t key, uint64_t word)
{
	return __sync_bool_compare_and_swap(&old->entry->both, both_of(old->key, old->word),
					    both_of(key, word));
}

static struct seen find(const struct place *p)
{
	for (unsigned i = 0; i < WAYS; i++) {
		struct seen seen;

		if (atomic_load_explicit(&p->entry[i].key, memory_order_acquire) != p->key)
			continue;
		seen = look_at(&p->entry[i]);
		if (seen.key == p->key)
			return seen;
	}
	return (struct seen){0};
}

static bool is_over(const struct place *p, const struct seen *seen)
{
	return seen->key == FREE || word_end(seen->word) <= p->now;
}

/* One that may be had: free, over, or the tenant's own that ends first where it has its share. */
static struct seen choose(const struct place *p)
{
	struct seen over = {0}, own = {0};
	unsigned owned = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		const struct seen seen = look_at(&p->entry[i]);

		/* Another has made it since it was looked for: it has one place. */
		if (seen.key == p->key)
			return seen;
		if (is_over(p, &seen)) {
			over = over.entry ? over : seen;
			continue;
		}
		if (seen.key >> 48 != p->key >> 48)
			continue;
		owned++;
		if (!own.entry || word_end(seen.word) < word_end(own.word))
			own = seen;
	}
	return over.entry && owned < SHARE ? over : own;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What two entries of one key come to. */
static uint64_t word_sum(const struct place *p, uint64_t a, uint64_t b)
{
	if (word_end(a) <= p->now)
		return b;
	if (word_end(b) <= p->now)
		return a;
	return word_of(word_end(a) > word_end(b) ? word_end(a) : word_end(b),
		       least((a & COUNT_MASK) + (b & COUNT_MASK), MATCH_MEMORY_COUNT_MAX));
}

/*
 * Two workers may have made one key's entry at once, in different places: the first is the one that
 * is found. Whoever made his sees the other's, if not the other his; what was in the second is
 * added to the first.
 */
static void settle(const struct place *p)
{
	struct seen first = find(p);

	for (unsigned i = 0; i < WAYS && first.entry; i++) {
		struct seen second = look_at(&p->entry[i]);

		if (second.key != p->key || second.entry <= first.entry)
			continue;
		if (!exchange(&second, FREE, 0)) {
			i--; /* counted in just now */
			continue;
		}
		while (first.entry &&
		       !exchange(&first, p->key, word_sum(p, first.word, second.word)))
			first = find(p);
	}
}

/* The key's entry, or where one may be made. */
static struct seen find_or_choose(struct match_memory *memory, const struct place *p)
{
	struct seen seen = find(p);

	if (seen.entry)
		return seen;
	seen = choose(p);
	if (!seen.entry)
		atomic_fetch_add_explicit(&memory->full, 1, memory_order_relaxed);
	return seen;
}

/* What was looked at is the key's from now on, and has that word. False: another was faster. */
static bool put(struct match_memory *memory, const struct place *p, const struct seen *seen,
		uint64_t word)
{
	if (!exchange(seen, p->key, word)) {
		rte_pause();
		return false;
	}
	if (seen->key == p->key)
		return true;
	if (!is_over(p, seen))
		atomic_fetch_add_explicit(&memory->full, 1, memory_order_relaxed);
	settle(p);
	return true;
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
	const struct place p = place_of(memory, key, now);
	const struct seen seen = find(&p);

	return seen.entry && !is_over(&p, &seen) ? word_end(seen.word) * MS : 0;
}

bool match_memory_has(struct match_memory *memory, const struct match_memory_key *key, uint64_t now)
{
	return match_memory_end(memory, key, now) != 0;
}

bool match_memory_set(struct match_memory *memory, const struct match_memory_key *key, uint64_t now,
		      uint64_t end)
{
	const struct place p = place_of(memory, key, now);
	struct seen seen;

	do {
		seen = find_or_choose(memory, &p);
		if (!seen.entry)
			return false;
	} while (!put(memory, &p, &seen, word_of((end + MS - 1) / MS, 0)));
	return true;
}

void match_memory_clear(struct match_memory *memory, const struct match_memory_key *key,
			uint64_t now)
{
	const struct place p = place_of(memory, key, now);
	struct seen seen;

	do
		seen = find(&p);
	while (seen.entry && !exchange(&seen, FREE, 0));
}

uint32_t match_memory_count(struct match_memory *memory, const struct match_memory_key *key,
			    uint64_t now, uint64_t window, uint32_t last)
{
	const struct place p = place_of(memory, key, now);
	uint64_t count, end;
	struct seen seen;

	do {
		seen = find_or_choose(memory, &p);
		if (!seen.entry)
			return 0;
		if (seen.key != p.key || is_over(&p, &seen)) {
			count = 1;
			end = (now + window + MS - 1) / MS;
		} else {
			count = least((seen.word & COUNT_MASK) + 1, MATCH_MEMORY_COUNT_MAX);
			end = word_end(seen.word);
		}
	} while (!put(memory, &p, &seen, word_of(end, last && count >= last ? 0 : count)));
	return (uint32_t)count;
}

uint64_t match_memory_full(const struct match_memory *memory)
{
	return atomic_load_explicit(&memory->full, memory_order_relaxed);
}
