/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "control/rules/rule_import_internal.h"

/* As in the configuration that Suricata comes with. */
static const struct rule_var suricatas[] = {
	{"HTTP_SERVERS", "$HOME_NET"}, {"SQL_SERVERS", "$HOME_NET"},
	{"DNS_SERVERS", "$HOME_NET"},  {"TELNET_SERVERS", "$HOME_NET"},
	{"DC_SERVERS", "$HOME_NET"},   {"AIM_SERVERS", "$EXTERNAL_NET"},
	{"HTTP_PORTS", "80"},          {"SHELLCODE_PORTS", "!80"},
	{"ORACLE_PORTS", "1521"},      {"SSH_PORTS", "22"},
	{"FTP_PORTS", "21"},           {"FILE_DATA_PORTS", "[80,110,143]"},
};

static const char *var_value(const struct rule_import *import, struct rule_word name)
{
	const struct rule_vars *vars = import->vars;

	for (size_t i = 0; vars && i < vars->count; i++)
		if (rule_word_is(name, vars->vars[i].name))
			return vars->vars[i].value;
	if (rule_word_is(name, "TENANTS") || rule_var_find(NULL, name))
		return NULL;
	for (size_t i = 0; i < sizeof(suricatas) / sizeof(suricatas[0]); i++)
		if (rule_word_is(name, suricatas[i].name))
			return suricatas[i].value;
	return NULL;
}

static void append(FILE *out, const char *from, const char *to)
{
	fwrite(from, 1, (size_t)(to - from), out);
}

/* The header with variables that only Suricata's configuration has written out. */
static void write_header(const struct rule_import *import, const char *p, const char *end,
			 FILE *out)
{
	while (p < end) {
		size_t len = 0;
		const char *value;

		if (*p != '$') {
			fputc(*p++, out);
			continue;
		}
		while (p + 1 + len < end &&
		       (isalnum((unsigned char)p[1 + len]) || p[1 + len] == '_'))
			len++;
		value = var_value(import, (struct rule_word){p + 1, len});
		if (value)
			fputs(value, out);
		else
			append(out, p, p + 1 + len);
		p += 1 + len;
	}
}

/* `sid`: another one in its place; 0: its own. The arena's. */
static char *make_text(struct rule_import *import, const struct import_candidate *c,
		       const struct import_inserts *inserts, uint32_t sid)
{
	struct rule_word keyword, value;
	const char *cursor = c->options, *from = c->options, *end = c->text + strlen(c->text);
	char *text = NULL, *copy;
	bool has_value;
	size_t size, next = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_header(import, c->text, c->options, out);
	for (;;) {
		cursor += strspn(cursor, " \t");
		if (*cursor == ')' || !rule_next_option(&cursor, &keyword, &value, &has_value))
			break;
		if (next < inserts->count && inserts->list[next].at == keyword.p) {
			append(out, from, keyword.p);
			fputs(inserts->list[next++].word, out);
			from = keyword.p;
		}
		if (sid && rule_word_is(keyword, "sid")) {
			append(out, from, value.p);
			fprintf(out, "%u", sid);
			from = value.p + value.len;
		}
	}
	append(out, from, end);
	fclose(out);
	copy = arena_copy(&import->arena, text, strlen(text));
	free(text);
	return copy;
}

static void result_add(struct rule_import *import, const struct import_candidate *c,
		       enum rule_import_what what, const char *text, const char *why)
{
	import->rules = arena_grow(&import->arena, import->rules, import->count, &import->capacity,
				   sizeof(*import->rules));
	import->rules[import->count++] = (struct rule_imported){
		.what = what, .place = c->place, .sid = c->sid, .text = text, .why = why};
	import->counts[what]++;
}

static const struct rule_imported *taken_before(const struct rule_import *import, uint32_t sid)
{
	for (size_t i = 0; sid && i < import->count; i++)
		if (import->rules[i].sid == sid && import->rules[i].what <= IMPORT_MAPPED)
			return &import->rules[i];
	return NULL;
}

/* Parses; what is wrong is the result's `why`. */
static void take(struct rule_import *import, struct import_candidate *c,
		 const struct import_inserts *inserts)
{
	const struct rule_imported *before = taken_before(import, c->sid);
	char *text = make_text(import, c, inserts, 0);
	enum rule_import_what what = inserts->count ? IMPORT_MAPPED : IMPORT_TAKEN;
	struct rule_diags diags = {0};

	if (before && !strcmp(before->text, text)) {
		result_add(import, c, IMPORT_AGAIN, NULL, before->place.file);
		return;
	}
	if (before && import->renumber) {
		c->sid = import->renumber++;
		text = make_text(import, c, inserts, c->sid);
	}
	rules_parse(&import->list, &diags, NULL, c->place.file, text, strlen(text));
	if (diags.errors) {
		const char *why = diags.list[0].message;

		for (size_t i = 0; i < diags.count; i++)
			if (diags.list[i].severity == RULE_ERROR) {
				why = diags.list[i].message;
				break;
			}
		result_add(import, c, IMPORT_REFUSED, NULL,
			   arena_copy(&import->arena, why, strlen(why)));
	} else {
		result_add(import, c, what, text, NULL);
	}
	rule_diags_fini(&diags);
}

static void import_line(struct rule_import *import, const struct rule_line *line)
{
	struct import_inserts inserts = {0};
	struct import_candidate c;
	bool whole;
	const char *why;

	if (line->too_long || memchr(line->text, '\0', line->len)) {
		memset(&c, 0, sizeof(c));
		c.place = rule_place_of(line, line->text);
		result_add(import, &c, IMPORT_REFUSED, NULL, "too long, or with a NUL in it");
		return;
	}
	whole = import_look_at(&c, line);
	if (!c.smtp && !c.sip) {
		struct rule_word proto = c.header[1];

		result_add(import, &c, IMPORT_OTHER, NULL,
			   arena_copy(&import->arena, proto.p, proto.len));
		return;
	}
	/* A rule that can't be cut into options is for the parser to say why. */
	why = whole ? import_map_payload(&c, &inserts) : NULL;
	if (why)
		result_add(import, &c, IMPORT_REFUSED, NULL, why);
	else
		take(import, &c, &inserts);
}

void rule_import_text(struct rule_import *import, const char *file, const char *text, size_t len)
{
	struct rule_reader reader = {arena_copy(&import->arena, file, strlen(file)), text,
				     text + len, 0};
	struct rule_line line = {0};

	while (rule_read_line(&reader, &import->arena, &line))
		import_line(import, &line);
}

void rule_import_fini(struct rule_import *import)
{
	rule_list_fini(&import->list);
	arena_fini(&import->arena);
	memset(import, 0, sizeof(*import));
}
