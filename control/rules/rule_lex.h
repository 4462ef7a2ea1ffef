/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cuts rule files into lines, and lines into words.
 *
 * A rule is one line; a backslash at the very end of a line goes on with the
 * next. Every byte of the joined line knows where it stood. One thread.
 */
#ifndef POSTERN_CONTROL_RULE_LEX_H
#define POSTERN_CONTROL_RULE_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/rules/arena.h"
#include "control/rules/rule_diag.h"

/* A rule beyond this is refused: bytes, joined. */
#define RULE_LINE_MAX 65536

struct rule_line {
	const char *file;
	char *text; /* joined, without line ends, NUL-terminated */
	size_t len, capacity;
	/* Where physical lines begin in `text`; at least one. */
	struct rule_join {
		size_t start;
		uint32_t line;
	} * joins;
	size_t joins_count, joins_capacity;
	bool too_long;
};

struct rule_reader {
	const char *file;
	const char *p, *end;
	uint32_t line; /* of p */
};

/* A piece of a line. */
struct rule_word {
	const char *p;
	size_t len;
};

/* The next line that is neither empty nor a comment; false at the end. Memory is `arena`'s. */
bool rule_read_line(struct rule_reader *reader, struct arena *arena, struct rule_line *line);

/* Where byte `p` of the line's text stands. */
struct rule_place rule_place_of(const struct rule_line *line, const char *p);

/* A header's next word: up to a blank outside of brackets, or '('. Empty at the end. */
struct rule_word rule_next_word(const char **cursor);

/*
 * An option's next piece: from the cursor to its unescaped ';', which is passed
 * over. False: none; then *cursor stands where the mistake is: on a ';' inside
 * quotes that is not escaped, or at the line's end.
 */
bool rule_next_option(const char **cursor, struct rule_word *keyword, struct rule_word *value,
		      bool *has_value);

struct rule_word rule_trim(struct rule_word word);
bool rule_word_is(struct rule_word word, const char *text);
/* Splits at the first `c`; false: there is none, and `head` is all of it. */
bool rule_split(struct rule_word word, char c, struct rule_word *head, struct rule_word *tail);
/* A decimal number, optionally signed, all of the word. */
bool rule_number(struct rule_word word, int64_t min, int64_t max, int64_t *value);

#endif
