/* SPDX-License-Identifier: BSD-3-Clause */
/* Cases and their notices. */
#include "control/daemon/daemon.h"
#include "control/metrics/metrics_internal.h"

void metric_cases_open(struct metrics_view *v)
{
	const struct case_book *book = &v->daemon->cases.book;
	uint64_t count[CASE_STATE_COUNT] = {0};

	for (size_t i = 0; i < book->count; i++)
		count[book->one[i].state]++;
	for (unsigned state = 0; state < CASE_CLOSED; state++)
		sample_count(v, count[state], "state=\"%s\"",
			     case_state_name((enum case_state)state));
}

void metric_cases_opened(struct metrics_view *v)
{
	sample_count(v, v->daemon->cases.opened, NO_LABELS);
}

void metric_cases_overdue(struct metrics_view *v)
{
	sample_count(v, v->daemon->cases.overdue, NO_LABELS);
}

static struct notice_counts counts_of(const struct metrics_view *v)
{
	const struct notices *notices = v->daemon->cases.notices;

	return notices ? notices_counts(notices) : (struct notice_counts){0};
}

void metric_notices(struct metrics_view *v)
{
	const struct notice_counts c = counts_of(v);

	sample_count(v, c.sent, "result=\"sent\"");
	sample_count(v, c.failed, "result=\"failed\"");
	sample_count(v, c.refused, "result=\"given_up\"");
}

void metric_evidence(struct metrics_view *v)
{
	sample_count(v, v->daemon->evidence.kept, "result=\"kept\"");
	sample_count(v, v->daemon->evidence.beyond, "result=\"beyond\"");
	sample_count(v, v->daemon->evidence.lost, "result=\"lost\"");
}

void metric_notices_waiting(struct metrics_view *v)
{
	sample_count(v, counts_of(v).waiting, NO_LABELS);
}
