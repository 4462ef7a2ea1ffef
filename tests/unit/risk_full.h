/* SPDX-License-Identifier: BSD-3-Clause */
/* All that can be known of a tenant's risk, with something in every member. */
#ifndef POSTERN_TESTS_UNIT_RISK_FULL_H
#define POSTERN_TESTS_UNIT_RISK_FULL_H

#include "control/risk/risk_board.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/test.h"

static inline struct risk_saved risk_full(const struct risk_config *config)
{
	struct risk_saved s = {
		.tenant = tenant_of(config, SAMPLE(.seized = 300, .answered = 90, .shorts = 7,
						   .outage = 3, .recipients = 301, .bounced = 60,
						   .delivered = 2000, .complaints = 20)),
		.past = {.callees = 44, .domains = 55, .epoch = START / SKETCH_EPOCH},
		.seen = {.of = START - DAY,
			 .seized = 1,
			 .answered = 2,
			 .shorts = 3,
			 .outage = 4,
			 .unwanted = 5,
			 .recipients = 6,
			 .bounced = 7,
			 .delivered = 8,
			 .spoofed = UINT64_MAX},
		.slot = 4,
		.off = true,
		.has_trace = true,
		.has_met = true,
		.met = {.epoch = 3},
	};

	for (int i = 0; i < RISK_EVENT_COUNT; i++)
		risk_add(&s.tenant, config, START + (uint64_t)i * SECOND, (enum risk_event)i, 0.3);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		s.seen.over[i] = 1000 * i;
	for (unsigned i = 0; i < RISK_TRACE; i++)
		s.trace.item[i] = (struct risk_trace_item){START + i, ~UINT64_C(0) / (i + 1), i,
							   (uint8_t)(i / 2), true};
	memset(s.met.bits, 0xa5, sizeof(s.met.bits));
	risk_window_count(&s.window, config, START, &SAMPLE(.seized = 9, .answered = 8));
	risk_window_count(&s.window, config, START + HOUR / 2, &SAMPLE(.shorts = 7, .outage = 6));
	s.window.breached[1] = 12345;
	risk_evaluate(&s.tenant, config, START + DAY / 7);
	risk_pardon(&s.tenant, config, START + DAY);
	s.tenant.asked = true;
	return s;
}

/* Not of the bytes between members. */
static inline void risk_assert_same(const struct risk_saved *a, const struct risk_saved *b)
{
	const struct risk_tenant *x = &a->tenant, *y = &b->tenant;

	assert_memory_equal(x->ratio, y->ratio, sizeof(x->ratio));
	assert_memory_equal(x->event, y->event, sizeof(x->event));
	assert_memory_equal(&a->window, &b->window, sizeof(a->window));
	assert_memory_equal(&a->past, &b->past, sizeof(a->past));
	assert_memory_equal(&a->seen, &b->seen, sizeof(a->seen));
	assert_memory_equal(&a->met, &b->met, sizeof(a->met));
#define SAME(member) assert_true(x->member == y->member)
	SAME(counted), SAME(outage), SAME(callees), SAME(domains), SAME(level), SAME(asked);
	SAME(score), SAME(slow), SAME(scored), SAME(since), SAME(breached), SAME(noticed);
	SAME(pardoned);
#undef SAME
	assert_int_equal(a->seen.of ? a->slot : 0, b->seen.of ? b->slot : 0);
	assert_int_equal(a->off, b->off);
	assert_int_equal(a->has_met, b->has_met);
	assert_int_equal(a->has_trace, b->has_trace);
	for (int i = 0; i < RISK_TRACE; i++) {
		assert_int_equal(a->trace.item[i].time, b->trace.item[i].time);
		assert_int_equal(a->trace.item[i].flow, b->trace.item[i].flow);
		assert_int_equal(a->trace.item[i].sid, b->trace.item[i].sid);
		assert_int_equal(a->trace.item[i].event, b->trace.item[i].event);
	}
}

#endif
