/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a chain of contents and expressions hold? With backtracking, as
 * Suricata does it: where a step fails, the step before looks for its next
 * place. All positions count from the buffer's start.
 */
#include <string.h>

#include "bpf/siphash.h"
#include "dataplane/match/match_internal.h"
#include "dataplane/match/match_number.h"
#include "dataplane/proto/bytes.h"

struct evaluation {
	const struct matcher *m;
	const struct ruleset_step *steps;
	const struct match_view *view;
	int64_t end; /* of the view */
	int64_t *credit;
	unsigned count;
	uint64_t vars[RULESET_VARIABLES + 1]; /* [0] is no variable's: 0 */
};

static bool holds_from(struct evaluation *e, unsigned i, int64_t before);

static bool equal_nocase(const uint8_t *p, const uint8_t *lower, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (ascii_lower(p[i]) != lower[i])
			return false;
	return true;
}

/* First place of the text in [p, p + len), which may be shorter than it. */
static const uint8_t *find(struct evaluation *e, const struct ruleset_step *step, const uint8_t *p,
			   size_t len)
{
	const struct ruleset_image *image = e->m->image;
	const uint8_t *text = (const uint8_t *)ruleset_text(image, step->text);
	size_t n = step->text.len;

	if (len < n)
		return NULL;
	if (!(step->flags & RULE_STEP_NOCASE)) {
		const uint8_t *at = memmem(p, len, text, n);

		*e->credit -= 8 + (int64_t)(at ? (size_t)(at - p) : len) / 4;
		return at;
	}
	*e->credit -= 8;
	for (size_t i = 0; i + n <= len && *e->credit >= 0; i++) {
		*e->credit -= 1;
		if (ascii_lower(p[i]) != text[0])
			continue;
		*e->credit -= (int64_t)n / 4;
		if (equal_nocase(p + i, text, n))
			return p + i;
	}
	return NULL;
}

/* The first place at or after `from` and ending at `to` at the latest; -1: none. */
static int64_t find_content(struct evaluation *e, const struct ruleset_step *step, int64_t from,
			    int64_t to)
{
	int64_t start = (int64_t)e->view->start, len = step->text.len;
	const uint8_t *at;

	if (to > e->end)
		to = e->end;
	if (from < start)
		from = start;
	if (step->flags & RULE_STEP_AT_END) {
		if (!e->view->at_end || to < e->end)
			return -1;
		if (from < e->end - len)
			from = e->end - len;
	}
	if (to - from < len)
		return -1;
	at = find(e, step, e->view->p + (from - start), (size_t)(to - from));
	return at ? start + (at - e->view->p) : -1;
}

/* A number out of the data, as a distance: beyond every buffer is far enough. */
static int64_t variable(const struct evaluation *e, unsigned var)
{
	return e->vars[var] > UINT32_MAX ? UINT32_MAX : (int64_t)e->vars[var];
}

static bool content_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	int64_t base = (step->flags & RULE_STEP_RELATIVE ? before : 0) + variable(e, step->lo_var);
	int64_t to = step->hi == RULESET_NO_LIMIT ? INT64_MAX
						  : base + step->hi + variable(e, step->hi_var);
	int64_t from = base + step->lo;

	for (;;) {
		int64_t at = find_content(e, step, from, to);

		if (*e->credit < 0)
			return false;
		if (step->flags & RULE_STEP_NEGATED)
			return at < 0 && holds_from(e, i + 1, before);
		if (at < 0)
			return false;
		if (holds_from(e, i + 1, at + step->text.len))
			return true;
		from = at + 1;
	}
}

/* A relative expression sees the buffer from the match before on, and ^ is there. */
static bool pcre_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	const struct ruleset *rs = e->m->ruleset;
	bool relative = step->flags & RULE_STEP_RELATIVE;
	int64_t base = relative ? before : (int64_t)e->view->start;
	const uint8_t *subject = e->view->p + (base - (int64_t)e->view->start);
	size_t len = (size_t)(e->end - base), at = 0;
	pcre2_match_data *data = e->m->state->match_data;
	const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);
	uint32_t options = e->view->at_end ? 0 : PCRE2_NOTEOL;

	if (!relative && base > 0)
		options |= PCRE2_NOTBOL;
	while (at <= len) {
		int rc;
		int64_t end;

		*e->credit -= 64 + (int64_t)(len - at);
		if (*e->credit < 0)
			return false;
		rc = pcre2_match(rs->pcres[step->index], subject, len, at, options, data,
				 rs->limits);
		if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
			*e->credit -= MATCH_CREDIT / 8; /* it ran into its limit */
		if (step->flags & RULE_STEP_NEGATED)
			return rc == PCRE2_ERROR_NOMATCH && holds_from(e, i + 1, before);
		if (rc < 0)
			return false;
		end = base + (int64_t)found[1];
		at = (found[0] > at ? found[0] : at) + 1;
		if (holds_from(e, i + 1, end))
			return true;
	}
	return false;
}

static bool data_at_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	bool relative = step->flags & RULE_STEP_RELATIVE;
	int64_t at = step->lo + variable(e, step->lo_var);
	bool there = relative ? before + at <= e->end : at < e->end;

	return there != !!(step->flags & RULE_STEP_NEGATED) && holds_from(e, i + 1, before);
}

static bool size_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	bool inside = e->end >= step->lo && (step->hi == RULESET_NO_LIMIT || e->end <= step->hi);

	return e->view->at_end && inside != !!(step->flags & RULE_STEP_NEGATED) &&
	       holds_from(e, i + 1, before);
}

/* By a rule, in a set that rules write. */
static bool was_put_in(struct evaluation *e, uint32_t index)
{
	const struct ruleset_dataset *set =
		RULESET_AT(e->m->image, struct ruleset_dataset, datasets) + index;
	uint8_t value[MATCH_VALUE];

	if (!set->written)
		return false;
	*e->credit -= 256 + (int64_t)e->view->len * 4;
	match_value_of(e->view->p, e->view->len, value);
	return match_value_is_set(e->m, e->m->state->txn, set, value);
}

static bool dataset_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	const struct hashset *set = &e->m->ruleset->datasets[step->index];
	uint64_t hash;

	*e->credit -= 16 + (int64_t)e->view->len / 4;
	if (*e->credit < 0)
		return false;
	hash = siphash(set->key, e->view->p, e->view->len);
	return (hashset_has(set, hash ? hash : 1) || was_put_in(e, step->index)) !=
		       !!(step->flags & RULE_STEP_NEGATED) &&
	       holds_from(e, i + 1, before);
}

/* Reads a number where the step says; `after`: where it ends. False: there is none. */
static bool number_read(const struct evaluation *e, const struct ruleset_step *step, int64_t before,
			uint64_t *value, int64_t *after)
{
	const struct ruleset_number *n = &e->m->ruleset->numbers[step->index];
	uint64_t count = n->count_var ? e->vars[n->count_var] : n->count;
	int64_t at = n->offset_var ? variable(e, n->offset_var) : n->offset;
	size_t used;

	*e->credit -= 4;
	if (step->flags & RULE_STEP_RELATIVE)
		at += before;
	if (at < (int64_t)e->view->start || at > e->end || count > (uint64_t)(e->end - at) ||
	    e->end == (int64_t)e->view->start)
		return false;
	if (!number_bytes(n, e->view->p + (at - (int64_t)e->view->start), (size_t)count, value,
			  &used))
		return false;
	*after = at + (int64_t)used;
	return true;
}

static bool test_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	const struct ruleset_number *n = &e->m->ruleset->numbers[step->index];
	uint64_t value;
	int64_t after;

	return number_read(e, step, before, &value, &after) &&
	       number_test(n, number_masked(n, value),
			   n->value_var ? e->vars[n->value_var] : n->value) !=
		       !!(step->flags & RULE_STEP_NEGATED) &&
	       holds_from(e, i + 1, before);
}

/* A jump before the start ends at the start, one beyond the last byte nowhere. */
static bool jump_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	const struct ruleset_number *n = &e->m->ruleset->numbers[step->index];
	uint64_t value;
	int64_t after;

	if (!number_read(e, step, before, &value, &after))
		return false;
	value = number_aligned(n, number_masked(n, value) * n->multiplier);
	/* Wraps as it does in Suricata: a jump may be one back. */
	after = n->flags & RULE_NUMBER_FROM_START ? 0
		: n->flags & RULE_NUMBER_FROM_END ? e->end
						  : after;
	after = (int64_t)((uint64_t)after + value + (uint64_t)(int64_t)n->post);
	if (after >= e->end)
		return false;
	return holds_from(e, i + 1, after < 0 ? 0 : after);
}

static bool extract_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	const struct ruleset_number *n = &e->m->ruleset->numbers[step->index];
	uint64_t value;
	int64_t after;

	if (!number_read(e, step, before, &value, &after))
		return false;
	e->vars[n->result] = number_aligned(n, number_masked(n, value) * n->multiplier);
	return holds_from(e, i + 1, after);
}

static bool math_holds(struct evaluation *e, unsigned i, int64_t before)
{
	const struct ruleset_step *step = &e->steps[i];
	const struct ruleset_number *n = &e->m->ruleset->numbers[step->index];
	uint64_t value;
	int64_t after;

	if (!number_read(e, step, before, &value, &after) ||
	    !number_combine(n, value, n->value_var ? e->vars[n->value_var] : n->value, &value))
		return false;
	e->vars[n->result] = number_masked(n, value);
	return holds_from(e, i + 1, after);
}

/* As deep as the rule has steps, which the compiler bounds. */
static bool holds_from(struct evaluation *e, unsigned i, int64_t before)
{
	if (i == e->count)
		return true;
	switch ((enum ruleset_step_kind)e->steps[i].kind) {
	case RULE_STEP_CONTENT:
		return content_holds(e, i, before);
	case RULE_STEP_PCRE:
		return pcre_holds(e, i, before);
	case RULE_STEP_DATA_AT:
		return data_at_holds(e, i, before);
	case RULE_STEP_SIZE:
		return size_holds(e, i, before);
	case RULE_STEP_DATASET:
		return dataset_holds(e, i, before);
	case RULE_STEP_TEST:
		return test_holds(e, i, before);
	case RULE_STEP_JUMP:
		return jump_holds(e, i, before);
	case RULE_STEP_EXTRACT:
		return extract_holds(e, i, before);
	case RULE_STEP_MATH:
		return math_holds(e, i, before);
	case RULE_STEP_KINDS:
		break;
	}
	return false;
}

bool match_chain_holds(const struct matcher *m, const struct ruleset_chain *chain,
		       const struct match_view *view, int64_t *credit)
{
	struct evaluation e = {
		.m = m,
		.steps = m->ruleset->steps + chain->first_step,
		.view = view,
		.end = (int64_t)(view->start + view->len),
		.credit = credit,
		.count = chain->steps,
	};

	return *credit >= 0 && holds_from(&e, 0, 0);
}
