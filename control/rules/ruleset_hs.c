/* SPDX-License-Identifier: BSD-3-Clause */
/* What Hyperscan is asked to look for, from what starts the chains of a buffer. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs.h>
#include <limits.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/ruleset_tables.h"

/* Options that only PCRE2 honours: dropping them finds more, never less. */
#define CONFIRMED_OPTIONS (PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_UNGREEDY)

/* (?x) is how Hyperscan knows extended syntax. */
static const char *hs_expression_of(struct arena *arena, const struct rule_step *step)
{
	bool extended = step->pcre_options & PCRE2_EXTENDED;

	return arena_printf(arena, "%s%s", extended ? "(?x)" : "", step->text);
}

static unsigned hs_flags_of(const struct rule_step *step)
{
	return (step->pcre_options & PCRE2_MULTILINE ? HS_FLAG_MULTILINE : 0) |
	       (step->pcre_options & PCRE2_CASELESS ? HS_FLAG_CASELESS : 0) |
	       (step->pcre_options & PCRE2_DOTALL ? HS_FLAG_DOTALL : 0) | HS_FLAG_ALLOWEMPTY;
}

/* What Hyperscan knows of the expression under these flags; false: it can't run it. */
static bool hs_info(const struct rule_step *step, unsigned flags, unsigned *max_width)
{
	struct arena arena = {0};
	hs_expr_info_t *info = NULL;
	hs_compile_error_t *error = NULL;
	bool ok = strlen(step->text) == step->len &&
		  hs_expression_info(hs_expression_of(&arena, step), flags, &info, &error) ==
			  HS_SUCCESS;

	if (ok)
		*max_width = info->max_width;
	else
		hs_free_compile_error(error);
	free(info);
	arena_fini(&arena);
	return ok;
}

unsigned pcre_hs_flags(const struct rule_step *step, bool *exact)
{
	unsigned flags = hs_flags_of(step), width;

	*exact = !(step->pcre_options & CONFIRMED_OPTIONS);
	if (hs_info(step, flags, &width))
		return flags;
	*exact = false;
	flags |= HS_FLAG_PREFILTER;
	return hs_info(step, flags, &width) ? flags : 0;
}

int64_t pcre_max_width(const struct rule_step *step)
{
	unsigned width;

	if (!hs_info(step, hs_flags_of(step), &width) || width == UINT_MAX)
		return -1;
	return width;
}

int trigger_order(const void *pa, const void *pb)
{
	const struct trigger *a = pa, *b = pb;
	int order;

	if (a->shard != b->shard)
		return a->shard < b->shard ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->flags != b->flags)
		return a->flags < b->flags ? -1 : 1;
	if (a->nocase != b->nocase)
		return a->nocase - b->nocase;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	order = memcmp(a->text, b->text, a->len);
	if (order)
		return order;
	return a->chain < b->chain ? -1 : a->chain > b->chain;
}

bool trigger_same(const struct trigger *a, const struct trigger *b)
{
	return a->kind == b->kind && a->flags == b->flags && a->nocase == b->nocase &&
	       a->len == b->len && !memcmp(a->text, b->text, a->len);
}

/* Hyperscan reads expressions: every byte of a literal as \xHH. */
static const char *literal_expression(struct arena *arena, const struct trigger *trigger)
{
	char *expression = arena_alloc(arena, trigger->len * 4 + 1);

	for (size_t i = 0; i < trigger->len; i++)
		snprintf(expression + i * 4, 5, "\\x%02x", (uint8_t)trigger->text[i]);
	return expression;
}

#define STEER_FROM  24  /* literals: fewer are Teddy's */
#define STEER_FDR   104 /* for FDR, and some to spare for those that end alike */
#define STEER_DENSE 300 /* from here on every place, not every second, is worth a look */
#define STEER_ROOM  (STEER_FDR + 1)

/* The next pattern, and the section that will name its chains. */
static struct ruleset_pattern *pattern_add(struct ruleset_tables *t, struct patterns *p,
					   const char *expression, unsigned flags)
{
	struct ruleset_pattern *pattern = section_add(t, &t->patterns);

	pattern->chains.offset = (uint32_t)t->starts.count;
	p->ids[p->count] = p->count;
	p->flags[p->count] = flags;
	p->expressions[p->count++] = expression;
	return pattern;
}

static unsigned trigger_flags(const struct trigger *trigger)
{
	return HS_FLAG_SINGLEMATCH | (trigger->kind     ? trigger->flags
				      : trigger->nocase ? HS_FLAG_CASELESS
							: 0);
}

/* Joins equal triggers into patterns; writes the sections that name their chains. */
static void make_patterns(struct ruleset_tables *t, const struct trigger *items, size_t n,
			  struct patterns *p)
{
	struct ruleset_pattern *pattern = NULL;
	size_t room = n + STEER_ROOM;

	p->expressions = arena_alloc(&t->arena, room * sizeof(*p->expressions));
	p->flags = arena_alloc(&t->arena, room * sizeof(*p->flags));
	p->ids = arena_alloc(&t->arena, room * sizeof(*p->ids));
	p->triggers = arena_alloc(&t->arena, n * sizeof(*p->triggers));
	for (size_t i = 0; i < n; i++) {
		const struct trigger *trigger = &items[i];

		if (!i || !trigger_same(trigger, trigger - 1)) {
			struct rule_step step = {.text = (char *)trigger->text,
						 .pcre_options = trigger->place->pcre_options};

			p->triggers[p->count] = trigger;
			pattern = pattern_add(t, p,
					      trigger->kind
						      ? hs_expression_of(&t->arena, &step)
						      : literal_expression(&t->arena, trigger),
					      trigger_flags(trigger));
		}
		if (!trigger->once)
			p->flags[p->count - 1] &= ~HS_FLAG_SINGLEMATCH;
		*(uint32_t *)section_add(t, &t->starts) = trigger->chain;
		pattern->chains.count++;
	}
}

/*
 * Hyperscan chooses the engine that looks for literals by their number and by
 * the length of the shortest, and for prose it chooses badly: up to 96 literals
 * go to one (Teddy) that tells them by three bytes, 97 to 799 to one (FDR) that
 * looks at every fourth place only, and both then stop at every few letters to
 * find that it was nothing. More than 96 patterns bring FDR about, and a short one
 * makes it look at every second place (three bytes) or, among 250 and more, at every
 * one (two). These patterns start no chain, and their bytes are of no text in UTF-8.
 *
 * Cycles a byte, 5.4.0, texts of the corpus's mails, literals of one to three of their
 * words that they don't hold, without and with: 32: 1.4, 0.6; 96: 2.2, 0.65; 200: 2.3,
 * 0.8; 400: 3.3, 1.1; 700: 4.3, 1.6; 1,500: 3.0, 2.4. Fewer than 24 gain nothing. In
 * files that are no text Teddy does well (96: 0.5); FDR, 700: 1.0, 0.6.
 */
static void steer(struct ruleset_tables *t, unsigned buffer, struct patterns *p)
{
	bool prose = !strcmp(tables_db_name(t, buffer), "email.body");
	bool dense = prose && p->count >= STEER_DENSE;

	p->steers = p->count;
	if (!tables_streams(t, buffer) || p->count < (prose ? STEER_FROM : STEER_FDR))
		return;
	pattern_add(t, p, dense ? "\\xf8\\xc1" : "\\xf8\\xc1\\xfd", HS_FLAG_SINGLEMATCH);
	for (unsigned i = 0; p->count < STEER_FDR; i++)
		pattern_add(t, p,
			    arena_printf(&t->arena, "\\xfe\\x%02x\\xfd\\x%02x\\xfc\\x%02x",
					 0x80 + i, 0x80 + i * 7 % 128, 0x80 + i * 13 % 128),
			    HS_FLAG_SINGLEMATCH);
}

/* Triggers of one shard. */
static void add_shard(struct ruleset_tables *t, unsigned db, const struct trigger *items, size_t n)
{
	struct ruleset_shard *shard = section_add(t, &t->shards);
	struct patterns *p;

	t->databases = arena_grow(&t->arena, t->databases, t->shards.count - 1,
				  &t->databases_capacity, sizeof(*t->databases));
	memset(&t->databases[t->shards.count - 1], 0, sizeof(*t->databases));
	t->databases[t->shards.count - 1].db = db;
	p = &t->databases[t->shards.count - 1].patterns;
	shard->first_pattern = (uint32_t)t->patterns.count;
	make_patterns(t, items, n, p);
	t->stats.literals += p->count;
	t->stats.db_patterns[db] += p->count;
	if (items->kind != TRIGGER_LONE)
		steer(t, db, p);
	shard->patterns = p->count;
}

void tables_prepare_databases(struct ruleset_tables *t, unsigned db)
{
	struct trigger_list *list = &t->triggers[db];
	struct ruleset_db *out = &t->db[db];

	out->always.offset = (uint32_t)t->starts.count;
	out->always.count = (uint32_t)list->always_count;
	for (size_t i = 0; i < list->always_count; i++)
		*(uint32_t *)section_add(t, &t->starts) = list->always[i];
	out->reach = list->reach;
	out->tracked = list->tracked;
	triggers_shard(list);
	out->shards.offset = (uint32_t)t->shards.count;
	for (size_t first = 0, next; first < list->count; first = next) {
		for (next = first + 1; next < list->count; next++)
			if (list->items[next].shard != list->items[first].shard)
				break;
		add_shard(t, db, &list->items[first], next - first);
		out->shards.count++;
	}
}
