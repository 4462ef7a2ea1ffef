/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule in words, made of its text: a keyword that has no sentence of its own here is shown as
 * it stands, with the line that `postern rules keywords` has for it.
 */
#ifndef POSTERN_TOOLS_RULES_WORDS_H
#define POSTERN_TOOLS_RULES_WORDS_H

#include "control/rules/rule_lex.h"
#include "tools/rules/rules_lines.h"

/* The line of a rule's file that the rule begins in, read again; false: it is not there any more.
 */
bool rules_line_find(struct arena *arena, const struct rule_place *place, struct rule_line *line);

/* Whom the rule is about, what must hold, what is done then. */
void rules_words(const struct rules_lines *out, const struct rule_line *line);

/* The first part of that; gives back where the options begin. `action`: its first word. */
const char *rules_words_header(const struct rules_lines *out, struct arena *arena,
			       const char *cursor, struct rule_word *action);

#endif
