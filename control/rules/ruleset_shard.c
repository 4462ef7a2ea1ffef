/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of a buffer's databases looks for what. Hyperscan takes the longer over an expression the
 * more others there are beside it, and one that changes has all of them compiled again; each
 * database more is another look at every byte, though. What that costs is nothing beside
 * expressions that run on every byte anyway, and much beside literals and expressions that
 * Hyperscan finds by words of theirs: so these stay in one database as long as they can.
 *
 * Beside 3,915 literals, 5.4.0; seconds to compile, and ns a byte of mails:
 *   39 that run on every byte, much like each other: one database 1.6 and 46; sixteens 0.8
 *   (the longest 0.4) and 44; eights 0.4, 49. 64 of ten kinds: one 1.3 and 21; 32s 0.7 (0.35), 22;
 *   sixteens 0.4 (0.1), 23; eights 0.3 (0.07), 26; pairs 0.15, 29.
 *   152 with words: one 0.25 and 0.45; by themselves 0.2 and 1.4. 1,000: one 1.5 and 0.5; in 256s
 *   1.0 (0.24) and 1.9.
 */
#include <stdlib.h>
#include <xxhash.h>

#include "control/rules/ruleset_tables.h"

#define LONE_FROM  16 /* fewer stay with the rest */
#define LONE_EACH  16 /* about as many in one shard */
#define WORDS_FROM 384
#define WORDS_EACH 256
#define WORDS_MOST 32 /* shards; the others' have what is left */

/*
 * Linear hashing: with one bucket more, one of the others is split, and the rest stay as they are.
 * So a rule more or less has two or three databases compiled at most, and a changed one its own.
 */
static uint32_t bucket_of(uint32_t sid, uint32_t buckets)
{
	uint64_t hash = XXH3_64bits(&sid, sizeof(sid));
	uint64_t whole = 1;

	while (whole * 2 <= buckets)
		whole *= 2;
	if (hash % (whole * 2) < buckets)
		return (uint32_t)(hash % (whole * 2));
	return (uint32_t)(hash % whole);
}

static uint32_t bucket_count(size_t expressions, size_t from, size_t each, size_t most)
{
	size_t count = (expressions + each - 1) / each;

	if (expressions < from)
		return 0;
	return (uint32_t)(count < most ? count : most);
}

/* The rule that decides upon equal ones: the first, whatever order they came in. */
static uint32_t least_sid(const struct trigger *items, size_t n)
{
	uint32_t sid = items->sid;

	for (size_t i = 1; i < n; i++)
		sid = items[i].sid < sid ? items[i].sid : sid;
	return sid;
}

static size_t equal_run(const struct trigger *items, size_t left)
{
	size_t n = 1;

	while (n < left && trigger_same(items, &items[n]))
		n++;
	return n;
}

void triggers_shard(struct trigger_list *list)
{
	size_t distinct[TRIGGER_LONE + 1] = {0}, run;
	uint32_t words, lone, shard;

	if (!list->count)
		return;
	qsort(list->items, list->count, sizeof(*list->items), trigger_order);
	for (size_t i = 0; i < list->count; i += run) {
		run = equal_run(&list->items[i], list->count - i);
		distinct[list->items[i].kind]++;
	}
	words = bucket_count(distinct[TRIGGER_WORDS], WORDS_FROM, WORDS_EACH, WORDS_MOST);
	lone = bucket_count(distinct[TRIGGER_LONE], LONE_FROM, LONE_EACH,
			    RULESET_SHARDS - 1 - WORDS_MOST);
	if (!words && !lone)
		return;
	for (size_t i = 0; i < list->count; i += run) {
		struct trigger *items = &list->items[i];

		run = equal_run(items, list->count - i);
		shard = 0;
		if (items->kind == TRIGGER_WORDS && words)
			shard = 1 + bucket_of(least_sid(items, run), words);
		else if (items->kind == TRIGGER_LONE && lone)
			shard = 1 + words + bucket_of(least_sid(items, run), lone);
		for (size_t k = 0; k < run; k++)
			items[k].shard = shard;
	}
	qsort(list->items, list->count, sizeof(*list->items), trigger_order);
}
