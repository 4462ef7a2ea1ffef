/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of what outlives posternd: how much is written, whether it is. */
#include "control/metrics/metrics_internal.h"

static struct store_stats stats_of(const struct metrics_view *v)
{
	return store_stats(v->daemon->store);
}

void metric_store_units(struct metrics_view *v)
{
	const struct store_stats s = stats_of(v);

	sample_count(v, s.committed, "result=\"stored\"");
	sample_count(v, s.failed, "result=\"failed\"");
	sample_count(v, s.lost, "result=\"lost\"");
	sample_count(v, s.postponed, "result=\"kept\"");
}

void metric_store_transactions(struct metrics_view *v)
{
	sample_count(v, stats_of(v).batches, NO_LABELS);
}

void metric_store_longest(struct metrics_view *v)
{
	sample(v, (double)stats_of(v).longest / 1e9, NO_LABELS);
}

void metric_store_queue(struct metrics_view *v)
{
	sample_count(v, stats_of(v).queued, NO_LABELS);
}

void metric_store_queue_bytes(struct metrics_view *v)
{
	sample_count(v, stats_of(v).bytes, NO_LABELS);
}

void metric_store_kept(struct metrics_view *v)
{
	sample_count(v, stats_of(v).kept, NO_LABELS);
}

void metric_store_kept_bytes(struct metrics_view *v)
{
	sample_count(v, stats_of(v).kept_bytes, NO_LABELS);
}

void metric_store_kept_since(struct metrics_view *v)
{
	sample(v, (double)stats_of(v).kept_since / 1e9, NO_LABELS);
}

void metric_store_bytes(struct metrics_view *v)
{
	struct store_sizes sizes;

	store_sizes(v->daemon->store, &sizes);
	sample_count(v, sizes.database, "file=\"database\"");
	sample_count(v, sizes.log, "file=\"log\"");
}

void metric_store_commit(struct metrics_view *v)
{
	sample(v, (double)stats_of(v).last / 1e9, NO_LABELS);
}

void metric_store_checkpoints(struct metrics_view *v)
{
	sample_count(v, stats_of(v).checkpoints, NO_LABELS);
}

void metric_store_checkpoint(struct metrics_view *v)
{
	sample(v, (double)stats_of(v).checkpointed / 1e9, NO_LABELS);
}

void metric_store_failing(struct metrics_view *v)
{
	sample_count(v, v->daemon->store_watch.failing, NO_LABELS);
}

void metric_store_failures(struct metrics_view *v)
{
	sample_count(v, v->daemon->store_watch.times, NO_LABELS);
}

void metric_retention_rows(struct metrics_view *v)
{
	sample_count(v, v->daemon->retention.rows, NO_LABELS);
}
