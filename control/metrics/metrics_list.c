/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of lists of millions: what is on them, how old that is, and what was found. */
#include <stdlib.h>

#include "control/lists/list_kind.h"
#include "control/metrics/metrics_internal.h"

/* What is told of an entry that was found, where it is. */
static enum reason reason_of(unsigned kind)
{
	switch (kind) {
	case LIST_OPTOUT:
		return REASON_OPT_OUT;
	case LIST_DNC:
		return REASON_DO_NOT_CALL;
	case LIST_TRAP:
		return REASON_SPAM_TRAP;
	case LIST_TRAP_RECYCLED:
		return REASON_SPAM_TRAP_RECYCLED;
	default:
		return REASON_NONE;
	}
}

void metric_list_entries(struct metrics_view *v)
{
	const struct list_store *store = &v->daemon->lists.store;
	size_t count = 0;
	struct list_name *names = list_names(&store->sets, &count);

	for (const struct list_kind_info *k = list_kinds; k->name; k++) {
		uint64_t n = 0;

		for (size_t i = 0; names && i < count; i++)
			if (names[i].kind == k->kind)
				n += list_count(&store->sets, names[i]);
		sample_count(v, n, "kind=\"%s\"", k->name);
	}
	free(names);
}

void metric_list_hits(struct metrics_view *v)
{
	for (const struct list_kind_info *k = list_kinds; k->name; k++)
		if (reason_of(k->kind))
			sample_count(v, v->total->reasons[reason_of(k->kind)], "kind=\"%s\"",
				     k->name);
}

void metric_list_age(struct metrics_view *v)
{
	const struct list_sets *sets = &v->daemon->lists.store.sets;
	const uint64_t now = daemon_time() / 1000000000;
	const struct {
		const char *name;
		const struct list_set *set;
	} files[] = {{"base", &sets->base}, {"delta", &sets->delta}};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i].set->head && now >= files[i].set->head->created)
			sample_count(v, now - files[i].set->head->created, "file=\"%s\"",
				     files[i].name);
}
