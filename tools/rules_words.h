/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule in words, made of its text: a keyword that has no sentence of its own here is shown as
 * it stands, with the line that `postern rules keywords` has for it.
 */
#ifndef POSTERN_TOOLS_RULES_WORDS_H
#define POSTERN_TOOLS_RULES_WORDS_H

#include <stdio.h>

#include "control/rule_lex.h"

/* The line of a rule's file that the rule begins in, read again; false: it is not there any more.
 */
bool rules_line_find(struct arena *arena, const struct rule_place *place, struct rule_line *line);

/* Whom the rule is about, what must hold, what is done then. */
void rules_words(FILE *out, const struct rule_line *line);

/* `label` in a column of its own, `text` beside it, wrapped at 100 columns. NULL or "": no label.
 */
void rules_paragraph(FILE *out, const char *label, const char *text);
void rules_printf(FILE *out, const char *label, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
