/* SPDX-License-Identifier: BSD-3-Clause */
/* posternd's answers for people. One thread. */
#ifndef POSTERN_TOOLS_LIVE_PAGE_H
#define POSTERN_TOOLS_LIVE_PAGE_H

#include <jansson.h>

#include "control/page_text.h"

/* Each takes the result of the command of its name. */
void live_page_show(struct page_out *out, const json_t *result);
void live_page_status(struct page_out *out, const json_t *result);
void live_page_tenants(struct page_out *out, const json_t *result);
void live_page_tenant(struct page_out *out, const json_t *result);
void live_page_limits(struct page_out *out, const json_t *result);
void live_page_stats(struct page_out *out, const json_t *result);
void live_page_ports(struct page_out *out, const json_t *result);
void live_page_rules(struct page_out *out, const json_t *result);
void live_page_failure(struct page_out *out, const json_t *result);
void live_page_reload(struct page_out *out, const json_t *result);

/* A label and those of an object's numbers that are not zero. */
void live_page_counts(struct page_out *out, const char *name, const json_t *counts);

/* One event, as a line. */
void live_page_event(struct page_out *out, const json_t *event);

#endif
