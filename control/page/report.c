/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/report.h"

#include <string.h>

static void add(uint64_t *sum, const uint64_t *n, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum[i] += n[i];
}

/* A struct or array of nothing but uint64_t. */
#define ADD_ALL(sum, n)                                                                           \
	do {                                                                                      \
		_Static_assert(sizeof(*(sum)) % sizeof(uint64_t) == 0, "numbers only");           \
		add((uint64_t *)(sum), (const uint64_t *)(n), sizeof(*(sum)) / sizeof(uint64_t)); \
	} while (0)

/* Where member stands in *s, counted in uint64_t. */
#define SLOT(s, member) (offsetof(__typeof__(*(s)), member) / sizeof(uint64_t))

/* The members from first to last, all uint64_t. */
#define ADD_SPAN(sum, n, first, last)                                                       \
	add((uint64_t *)(sum) + SLOT(sum, first), (const uint64_t *)(n) + SLOT(sum, first), \
	    SLOT(sum, last) - SLOT(sum, first) + 1)

static void names_add(struct counted_name *sum, const struct counted_name *n)
{
	struct counted_name *rest = &sum[COUNTED_NAMES - 1];

	for (const struct counted_name *end = n + COUNTED_NAMES; n < end; n++) {
		struct counted_name *to = sum;

		if (!n->count)
			continue;
		while (to < rest && to->name[0] &&
		       strncmp(to->name, n->name, COUNTED_NAME_SIZE) != 0)
			to++;
		if (!to->name[0])
			memcpy(to->name, n->name, COUNTED_NAME_SIZE);
		to->count += n->count;
	}
}

void counters_add(struct counters *sum, const struct counters *n)
{
	ADD_ALL(&sum->link, &n->link);
	ADD_ALL(&sum->tcp, &n->tcp);
	ADD_SPAN(&sum->smtp, &n->smtp, sessions, rcpt_hard_bounced);
	ADD_ALL(&sum->smtp.replies, &n->smtp.replies);
	names_add(sum->smtp.commands, n->smtp.commands);
	ADD_SPAN(&sum->sip, &n->sip, malformed, calls_completed);
	ADD_ALL(&sum->sip.responses, &n->sip.responses);
	names_add(sum->sip.requests, n->sip.requests);
	ADD_SPAN(sum, n, flows_created, flows_peak);
	ADD_ALL(&sum->verdicts, &n->verdicts);
	ADD_ALL(&sum->reasons, &n->reasons);
	ADD_ALL(&sum->cycles, &n->cycles);
	ADD_SPAN(sum, n, events, events_lost);
}

void tenant_counters_add(struct tenant_counters *sum, const struct tenant_counters *n)
{
	ADD_SPAN(sum, n, packets, bytes_tls);
	ADD_ALL(&sum->reasons, &n->reasons);
}
