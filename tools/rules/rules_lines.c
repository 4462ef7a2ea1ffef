/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_lines.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/json_text.h"

#define COLUMNS 100
#define LABEL   12
#define INDENT  2

static void paragraph_print(FILE *out, const char *label, const char *text)
{
	size_t column = 0;

	fprintf(out, "%*s%-*s", INDENT, "", LABEL, label);
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > COLUMNS - LABEL - INDENT) {
			fprintf(out, "\n%*s", INDENT + LABEL, "");
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s", column ? " " : "", (int)n, text);
		text += n;
		text += *text != '\0';
	}
	fputc('\n', out);
}

json_t *rules_json_string(const char *text)
{
	return text ? json_text(text, strlen(text)) : json_null();
}

/* What has no label goes on with the one before. */
static void paragraph_add(json_t *list, const char *label, const char *text)
{
	json_t *last = json_array_get(list, json_array_size(list) - 1);

	if (!*label && last)
		json_array_append_new(json_object_get(last, "more"),
				      rules_json_string(strncmp(text, "- ", 2) ? text : text + 2));
	else
		json_array_append_new(list, json_pack("{s:s, s:o, s:[]}", "label", label, "text",
						      rules_json_string(text), "more"));
}

void rules_paragraph(const struct rules_lines *out, const char *label, const char *text)
{
	label = label ? label : "";
	if (out->page)
		paragraph_print(out->page, label, text);
	else
		paragraph_add(out->list, label, text);
}

void rules_printf(const struct rules_lines *out, const char *label, const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	rules_paragraph(out, label, text);
	free(text);
}
