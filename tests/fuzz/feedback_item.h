/* SPDX-License-Identifier: BSD-3-Clause */
/* What every item must be, whatever it was read from: valid JSON that posternd reads as it was. */
#ifndef POSTERN_TESTS_FUZZ_FEEDBACK_ITEM_H
#define POSTERN_TESTS_FUZZ_FEEDBACK_ITEM_H

#include <stdlib.h>

#include "control/feedback/feedback.h"

/* A sink's; ctx: an unsigned, how many there were. */
static inline void feedback_item_check(void *ctx, const struct feedback_item *item)
{
	json_t *object = feedback_item_json(item), *back;
	struct feedback_item again;
	const char *wrong;

	if (!object || feedback_item_parse(object, &again, &wrong) != 0)
		abort();
	back = feedback_item_json(&again);
	if (!json_equal(object, back))
		abort();
	json_decref(back);
	json_decref(object);
	++*(unsigned *)ctx;
}

#endif
