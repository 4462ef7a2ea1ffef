/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a run did, in numbers: the material of the summary for machines
 * (control/page/summary.h) and of the page for people (control/page/page.h). All is
 * borrowed from the caller for the length of the call that takes it.
 */
#ifndef POSTERN_CONTROL_REPORT_H
#define POSTERN_CONTROL_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/counters.h"
#include "control/daemon/tenant_name.h"

struct rule_hits {
	uint32_t sid;
	uint64_t hits;
	const char *msg;    /* the page's; NULL: none */
	const char *action; /* "alert", "drop", "reject"; NULL: unknown */
};

/* One tenant's limit, as near as the run came to it. */
struct limit_use {
	uint32_t tenant;       /* slot */
	const char *limit;     /* the configuration's name: "messages" */
	unsigned used_percent; /* the highest share of the bucket used, 0 to 100 */
	uint64_t refused;      /* times that it was exceeded */
	double per_s;          /* what it allows: messages, calls, …, bytes; 0: unknown */
	double burst;          /* at once */
};

struct report {
	const char *const *file; /* names as given */
	size_t files;
	uint64_t duration_ns;                 /* first to last packet, by their timestamps */
	const struct counters *total;         /* of all workers */
	const struct tenant_counters *tenant; /* of all workers, by slot, as many as names */
	const struct tenant_names *names;
	json_t *const *risk; /* by slot: its score, NULL of a tenant: none; NULL: of nobody */
	const struct rule_hits *rule; /* by sid, ascending; those without hits are not shown */
	size_t rules;
	const struct limit_use *limit;
	size_t limits;
	double wall_s; /* the run's own time; 0: not measured */
	double cpu_s;  /* of all threads */
	unsigned workers;
	size_t rss_bytes;      /* the most memory that the process ever had */
	size_t bytes_per_flow; /* memory of an idle flow, stream and parser included */
};

/*
 * Adds one worker's counters to a sum (zeroed at first). Verbs and methods are
 * added by name; what finds no slot goes to the last, as in the worker.
 */
void counters_add(struct counters *sum, const struct counters *worker);
/* The sketches are left out. */
void tenant_counters_add(struct tenant_counters *sum, const struct tenant_counters *worker);

#endif
