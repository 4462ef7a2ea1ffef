/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/warmup.h"

#include <errno.h>
#include <stdlib.h>

/* A tenant that is to come is as new as one of today. */
static uint64_t age_of(uint64_t since, uint64_t now)
{
	return now > since ? now - since : 0;
}

const struct warmup_step *warmup_step_at(const struct warmup *w, uint64_t since, uint64_t now)
{
	for (uint32_t i = 0; w && since && i < w->count; i++)
		if (age_of(since, now) < w->step[i].days * WARMUP_DAY)
			return &w->step[i];
	return NULL;
}

uint64_t warmup_next(const struct warmup *w, uint64_t since, uint64_t now)
{
	const struct warmup_step *step = warmup_step_at(w, since, now);

	return step ? since + step->days * WARMUP_DAY : 0;
}

/* Of both the lower rate, and the fewer at once. */
static struct gcra lower(const struct gcra *a, const struct gcra *b, unsigned __int128 unit)
{
	/* One less than the burst, in events (of bytes: in bytes). */
	const unsigned __int128 x = a->tolerance * unit / a->interval,
				y = b->tolerance * unit / b->interval;
	struct gcra g = {.interval = a->interval > b->interval ? a->interval : b->interval};

	g.tolerance = (gcra_word)((x < y ? x : y) * g.interval / unit);
	return g;
}

void warmup_apply(const struct warmup_step *step, uint32_t set, struct tenant_slot *wanted)
{
	uint32_t *each = &wanted->recipients_per_message;

	if (!step)
		return;
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		const struct gcra *g = &step->limit[i];

		if (!g->interval || set >> i & 1)
			continue;
		wanted->limit[i] = wanted->limit[i].interval
					   ? lower(&wanted->limit[i], g,
						   i == LIMIT_BYTES ? GCRA_BYTES_UNIT : 1)
					   : *g;
	}
	if (step->recipients_per_message && !(set & WARMUP_RECIPIENTS) &&
	    (!*each || *each > step->recipients_per_message))
		*each = step->recipients_per_message;
}

static json_t *step_json(const struct warmup_step *step)
{
	json_t *limits = json_array();

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		json_array_append_new(limits,
				      json_pack("[I, I]", (json_int_t)step->limit[i].interval,
						(json_int_t)step->limit[i].tolerance));
	return json_pack("{s:I, s:I, s:o}", "days", (json_int_t)step->days,
			 "recipients_per_message", (json_int_t)step->recipients_per_message,
			 "limits", limits);
}

json_t *warmup_json(const struct warmup *w)
{
	json_t *list = json_array();

	for (uint32_t i = 0; w && i < w->count; i++)
		json_array_append_new(list, step_json(&w->step[i]));
	return list;
}

static int step_parse(const json_t *object, struct warmup_step *step)
{
	const json_t *limits = json_object_get(object, "limits");
	json_int_t days, each;

	if (json_unpack((json_t *)(uintptr_t)object, "{s:I, s:I}", "days", &days,
			"recipients_per_message", &each) != 0 ||
	    days <= 0 || each < 0 || json_array_size(limits) != LIMIT_COUNT)
		return -EINVAL;
	step->days = (uint32_t)days;
	step->recipients_per_message = (uint32_t)each;
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		json_int_t interval, tolerance;

		if (json_unpack(json_array_get(limits, i), "[I, I]", &interval, &tolerance) != 0)
			return -EINVAL;
		step->limit[i] = (struct gcra){(gcra_word)interval, (gcra_word)tolerance};
	}
	return 0;
}

int warmup_parse(const json_t *list, struct warmup **warmup)
{
	const size_t count = json_array_size(list);
	struct warmup *w;

	*warmup = NULL;
	if (!count)
		return 0;
	w = calloc(1, sizeof(*w) + count * sizeof(w->step[0]));
	if (!w)
		return -ENOMEM;
	w->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		if (step_parse(json_array_get(list, i), &w->step[i]) != 0) {
			free(w);
			return -EINVAL;
		}
	}
	*warmup = w;
	return 0;
}
