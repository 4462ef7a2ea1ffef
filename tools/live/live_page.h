/* SPDX-License-Identifier: BSD-3-Clause */
/* posternd's answers for people. One thread. */
#ifndef POSTERN_TOOLS_LIVE_PAGE_H
#define POSTERN_TOOLS_LIVE_PAGE_H

#include <jansson.h>

#include "control/config/value.h"
#include "control/page/page_text.h"

/* Each takes the result of the command of its name. */
void live_page_show(struct page_out *out, const json_t *result);
void live_page_status(struct page_out *out, const json_t *result);
void live_page_tenants(struct page_out *out, const json_t *result);
void live_page_tenants_risk(struct page_out *out, const json_t *result);
void live_page_explain(struct page_out *out, const json_t *result);
void live_page_tenant(struct page_out *out, const json_t *result);
void live_page_policy(struct page_out *out, const json_t *result);
void live_page_limits(struct page_out *out, const json_t *result);
void live_page_stats(struct page_out *out, const json_t *result);
void live_page_ports(struct page_out *out, const json_t *result);
void live_page_rules(struct page_out *out, const json_t *result);
void live_page_failure(struct page_out *out, const json_t *result);
void live_page_forget(struct page_out *out, const json_t *result);
void live_page_reload(struct page_out *out, const json_t *result);
void live_page_rules_list(struct page_out *out, const json_t *result);
void live_page_rules_history(struct page_out *out, const json_t *result);
void live_page_egress(struct page_out *out, const json_t *result);
void live_page_feedback(struct page_out *out, const json_t *result);
void live_page_cases(struct page_out *out, const json_t *result);
void live_page_case(struct page_out *out, const json_t *result);
void live_page_evidence(struct page_out *out, const json_t *result);
void live_page_evidence_report(struct page_out *out, const json_t *result);
void live_page_case_change(struct page_out *out, const json_t *result);
void live_page_rules_change(struct page_out *out, const json_t *result);

/* A label, and what belongs to it, on a line. */
void live_label(struct page_out *out, const char *text);
void live_row(struct page_out *out, const char *name, enum ink ink, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A tenant's ratios of calls in the window (risk.window), under a heading; none: nothing. */
void live_page_calls_lately(struct page_out *out, const json_t *ratios);

/* "30/min burst 60": a rate that people wrote comes back as they wrote it. */
void live_rate_text(char text[VALUE_TEXT], double per_s, double burst);

/* Seconds since 1970, as text in `buf`. */
const char *live_when(char buf[32], uint64_t seconds);

/* A label and those of an object's numbers that are not zero. */
void live_page_counts(struct page_out *out, const char *name, const json_t *counts);

/* "score 55, to throttle, …": an object's members, whole, but those of `without`, which NULL ends.
 */
void live_page_fields(struct page_out *out, const json_t *fields, const char *const *without);

/* One event, as a line. */
void live_page_event(struct page_out *out, const json_t *event);

#endif
