/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/page.h"

#include <errno.h>
#include <stdlib.h>

#include "control/page/page_sections.h"

struct page *page_new(size_t tenants)
{
	struct page *page = calloc(1, sizeof(*page) + tenants * sizeof(page->refused[0]));

	if (page)
		page->tenants = tenants;
	return page;
}

void page_free(struct page *page)
{
	free(page);
}

int page_event(struct page *page, const struct event_head *head, size_t len)
{
	struct event_reader reader;
	struct event_value shadow;

	if (!event_open(&reader, head, len))
		return -EBADMSG;
	if (head->type != EVENT_VERDICT)
		return 0;
	refusals_add(&page->refusals, head);
	if (head->tenant < page->tenants &&
	    !(event_find(head, FIELD_KEY_VERDICT_SHADOW, &shadow) && event_value_bool(&shadow)))
		page->refused[head->tenant]++;
	return 0;
}

int page_print(struct page *page, const struct report *report, FILE *file, bool colour)
{
	struct page_out out = {.file = file, .colour = colour};
	int rc;

	page_came_in(&out, report);
	rc = page_tenants(&out, page, report);
	if (rc)
		return rc;
	page_refused(&out, page, report);
	rc = page_rules(&out, report);
	if (rc)
		return rc;
	rc = page_limits(&out, report);
	if (rc)
		return rc;
	rc = page_risk(&out, report);
	if (rc)
		return rc;
	page_speed(&out, report);
	return ferror(file) ? -EIO : 0;
}
