/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's sections, in its order; only control/page/page.c prints them. */
#ifndef POSTERN_CONTROL_PAGE_SECTIONS_H
#define POSTERN_CONTROL_PAGE_SECTIONS_H

#include "control/events/refusals.h"
#include "control/page/page_text.h"
#include "control/page/report.h"

/* What the events told. */
struct page {
	struct refusals refusals;
	size_t tenants;
	uint64_t refused[]; /* by slot, shadow excluded */
};

void page_came_in(struct page_out *out, const struct report *report);
int page_tenants(struct page_out *out, const struct page *page, const struct report *report);
void page_refused(struct page_out *out, struct page *page, const struct report *report);
int page_rules(struct page_out *out, const struct report *report);
int page_limits(struct page_out *out, const struct report *report);
int page_risk(struct page_out *out,
	      const struct report *report); /* nothing where nobody has points */
/* "and 3 more", of what a section has no room for. */
void page_more(struct page_out *out, uint64_t n);
void page_speed(struct page_out *out, const struct report *report);

#endif
