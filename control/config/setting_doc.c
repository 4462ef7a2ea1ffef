/* SPDX-License-Identifier: BSD-3-Clause */
/* The reference of settings, written from the schema. */
#include <inttypes.h>
#include <string.h>

#include "control/config/setting_flat.h"

static const char *type_name(enum setting_type type)
{
	static const char *const names[] = {
		[SETTING_COUNT] = "number",
		[SETTING_COUNT_LIMIT] = "number or `\"unlimited\"`",
		[SETTING_NUMBER] = "number, also with a fraction",
		[SETTING_BOOL] = "`true`, `false`",
		[SETTING_TEXT] = "string",
		[SETTING_CHOICE] = "",
		[SETTING_CHOICES] = "list of ",
		[SETTING_DURATION] = "duration",
		[SETTING_SIZE] = "size",
		[SETTING_RATE] = "rate",
		[SETTING_TEXTS] = "list of strings",
		[SETTING_PORTS] = "list of ports",
		[SETTING_GROUP] = "group",
		[SETTING_GROUPS] = "list of groups",
		[SETTING_NAMED] = "group of groups",
	};

	return names[type];
}

static bool is_group(const struct setting *s)
{
	return s->type == SETTING_GROUP || s->type == SETTING_GROUPS || s->type == SETTING_NAMED;
}

static void print_type(FILE *out, const struct setting *s)
{
	char text[VALUE_TEXT];

	fputs(type_name(s->type), out);
	for (const char *const *c = s->choices; c && *c; c++)
		fprintf(out, "%s`\"%s\"`", c == s->choices ? "" : ", ", *c);
	if (!s->max)
		return;
	fputs(", ", out);
	if (s->type == SETTING_DURATION) {
		fprintf(out, "%s to ", duration_text((uint64_t)s->min, text));
		fputs(duration_text((uint64_t)s->max, text), out);
	} else {
		fprintf(out, "%" PRId64 " to %" PRId64, s->min, s->max);
	}
}

static void print_row(FILE *out, const struct setting *s)
{
	const char *fallback = s->required ? "required" : s->fallback ? s->fallback : "";
	const char *quote = s->required || !*fallback ? "" : "`";

	fprintf(out, "| `%s` | ", s->name);
	print_type(out, s);
	fprintf(out, " | %s%s%s | %s |\n", quote, fallback, quote, s->help);
}

static void print_heading(FILE *out, const struct setting *s, const char *path, char *deeper,
			  size_t size)
{
	const char *suffix = s->type == SETTING_GROUPS  ? "[]"
			     : s->type == SETTING_NAMED ? ".NAME"
							: "";

	snprintf(deeper, size, "%s%s%s%s", path, *path ? "." : "", s->name, suffix);
	fprintf(out, "\n## %s\n\nA %s: %s.\n", deeper, type_name(s->type), s->help);
}

void settings_document(FILE *out, const struct setting *schema, const char *path)
{
	char deeper[128];
	bool rows = false;

	for (const struct setting *s = schema; s->name; s++)
		rows |= !is_group(s);
	if (rows)
		fputs("\n| setting | type | default | what it means |\n| --- | --- | --- | --- |\n",
		      out);
	for (const struct setting *s = schema; s->name; s++)
		if (!is_group(s))
			print_row(out, s);
	for (const struct setting *s = schema; s->name; s++) {
		if (!is_group(s))
			continue;
		print_heading(out, s, path, deeper, sizeof(deeper));
		settings_document(out, s->members, deeper);
	}
}
