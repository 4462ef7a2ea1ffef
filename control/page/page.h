/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page that `postern replay` prints for people: what came in, which
 * tenants, what was refused and with which words, which rules hit, who is near
 * a limit, how fast it went. Plain text of 100 columns.
 *
 * Control only, one thread at a time. Memory is bounded by the number of
 * tenants, whatever the traffic (control/events/refusals.h).
 */
#ifndef POSTERN_CONTROL_PAGE_H
#define POSTERN_CONTROL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bpf/event_record.h"
#include "control/page/report.h"

struct page;

/* For tenant slots 0 to tenants - 1; NULL: no memory. */
struct page *page_new(size_t tenants);
void page_free(struct page *page);

/* Takes what it needs of a record, of whose bytes len are readable. 0, or -EBADMSG: no record. */
int page_event(struct page *page, const struct event_head *head, size_t len);

/* Writes the page; colour: with escape sequences (page_colour() of control/page/page_text.h). 0 or
 * -EIO.
 */
int page_print(struct page *page, const struct report *report, FILE *file, bool colour);

#endif
