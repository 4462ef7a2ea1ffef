/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_lex.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Adds one physical line; true: it ends in a backslash, the next belongs to it. */
static bool line_append(struct rule_line *line, struct arena *arena, const char *p, size_t len,
			uint32_t number)
{
	bool joined = len && p[len - 1] == '\\';

	if (joined)
		len--;
	if (line->len + len > RULE_LINE_MAX) {
		line->too_long = true;
		len = 0;
	}
	line->joins = arena_grow(arena, line->joins, line->joins_count, &line->joins_capacity,
				 sizeof(*line->joins));
	line->joins[line->joins_count++] = (struct rule_join){line->len, number};

	while (line->len + len + 1 > line->capacity)
		line->text = arena_grow(arena, line->text, line->capacity, &line->capacity, 1);
	memcpy(line->text + line->len, p, len);
	line->len += len;
	line->text[line->len] = '\0';
	return joined;
}

static bool is_comment_or_empty(const char *p, size_t len)
{
	while (len && is_blank(*p)) {
		p++;
		len--;
	}
	return len == 0 || *p == '#';
}

bool rule_read_line(struct rule_reader *reader, struct arena *arena, struct rule_line *line)
{
	bool more = false;

	memset(line, 0, sizeof(*line));
	line->file = reader->file;
	while (reader->p < reader->end) {
		const char *p = reader->p;
		const char *nl = memchr(p, '\n', (size_t)(reader->end - p));
		size_t len = (size_t)((nl ? nl : reader->end) - p);

		reader->p = nl ? nl + 1 : reader->end;
		reader->line++;
		if (len && p[len - 1] == '\r')
			len--;
		if (!more && is_comment_or_empty(p, len))
			continue;
		more = line_append(line, arena, p, len, reader->line);
		if (!more)
			return true;
	}
	return line->joins_count > 0;
}

struct rule_place rule_place_of(const struct rule_line *line, const char *p)
{
	size_t at = (size_t)(p - line->text), i = line->joins_count - 1;

	while (i > 0 && line->joins[i].start > at)
		i--;
	return (struct rule_place){line->file, line->joins[i].line,
				   (uint32_t)(at - line->joins[i].start + 1)};
}

struct rule_word rule_next_word(const char **cursor)
{
	const char *p = *cursor, *start;
	int depth = 0;

	while (is_blank(*p))
		p++;
	start = p;
	for (; *p && (depth > 0 || (!is_blank(*p) && *p != '(')); p++) {
		if (*p == '[')
			depth++;
		else if (*p == ']')
			depth--;
	}
	*cursor = p;
	return (struct rule_word){start, (size_t)(p - start)};
}

bool rule_next_option(const char **cursor, struct rule_word *keyword, struct rule_word *value,
		      bool *has_value)
{
	const char *p = *cursor, *colon = NULL, *start;
	bool quoted = false;

	while (is_blank(*p))
		p++;
	start = p;
	for (; *p && (*p != ';' || quoted); p++) {
		if (*p == ':' && !colon)
			colon = p;
		if (!colon)
			continue;
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			quoted = !quoted;
		if (quoted && p[1] == ';')
			break;
	}
	if (*p != ';') {
		*cursor = *p ? p + 1 : p;
		return false;
	}
	*has_value = colon != NULL;
	*keyword = rule_trim((struct rule_word){start, (size_t)((colon ? colon : p) - start)});
	*value = (struct rule_word){p, 0};
	if (colon)
		*value = rule_trim((struct rule_word){colon + 1, (size_t)(p - colon - 1)});
	*cursor = p + 1;
	return true;
}

struct rule_word rule_trim(struct rule_word word)
{
	while (word.len && is_blank(word.p[0])) {
		word.p++;
		word.len--;
	}
	while (word.len && is_blank(word.p[word.len - 1]))
		word.len--;
	return word;
}

bool rule_word_is(struct rule_word word, const char *text)
{
	return strlen(text) == word.len && !memcmp(word.p, text, word.len);
}

bool rule_split(struct rule_word word, char c, struct rule_word *head, struct rule_word *tail)
{
	const char *at = word.len ? memchr(word.p, c, word.len) : NULL;

	if (!at) {
		*head = rule_trim(word);
		*tail = (struct rule_word){word.p + word.len, 0};
		return false;
	}
	*head = rule_trim((struct rule_word){word.p, (size_t)(at - word.p)});
	*tail = (struct rule_word){at + 1, word.len - (size_t)(at + 1 - word.p)};
	return true;
}

bool rule_number(struct rule_word word, int64_t min, int64_t max, int64_t *value)
{
	bool minus = word.len && word.p[0] == '-';
	int64_t n = 0;

	if (minus || (word.len && word.p[0] == '+')) {
		word.p++;
		word.len--;
	}
	if (!word.len || word.len > 10)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		n = n * 10 + (word.p[i] - '0');
	}
	*value = minus ? -n : n;
	return *value >= min && *value <= max;
}
