/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said of a rule, line by line: on a page for people, or as a list for machines. */
#ifndef POSTERN_TOOLS_RULES_LINES_H
#define POSTERN_TOOLS_RULES_LINES_H

#include <jansson.h>
#include <stdio.h>

struct rules_lines {
	FILE *page;   /* NULL: to the list */
	json_t *list; /* array of { label, text, more: lines that have no label of their own } */
};

/* `label` in a column of its own, `text` beside it, wrapped at 100 columns. NULL or "": no label.
 */
void rules_paragraph(const struct rules_lines *out, const char *label, const char *text);
void rules_printf(const struct rules_lines *out, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Of rules' files, whose bytes may be any (control/base/json_text.h); NULL: null. */
json_t *rules_json_string(const char *text);

#endif
