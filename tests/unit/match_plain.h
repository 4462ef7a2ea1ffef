/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as the random test makes them, and a plain, slow evaluator of theirs, which knows nothing
 * of the parser's or the compiler's idea of a rule: it tries every place for every step.
 */
#ifndef POSTERN_TESTS_UNIT_MATCH_PLAIN_H
#define POSTERN_TESTS_UNIT_MATCH_PLAIN_H

#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif
#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>

#include "bpf/rule_buffer.h"

#define STEPS_MAX 4
#define INSTANCES 2
#define TEXT_MAX  20000

enum { CONTENT, PCRE, DATA_AT, SIZE, TEST, JUMP, EXTRACT };
enum { LOWER, UPPER, STRIP, COMPRESS, DECODE, NAMES, XOR, DOT, MAIL64, PLAIN64, GROUP, TRANSFORMS };
#define PIECES DOT /* those before it are made of pieces too */

struct step {
	int kind;
	bool negated, nocase, relative, starts, ends;
	int lo, hi; /* hi < 0: none */
	char text[40];
	pcre2_code *code;
	/* Numbers: read at `lo`. */
	int count, value, post, multiplier;
	bool string, little, from_start, from_end;
	char op[3];
	bool var; /* `lo` of a content or DATA_AT, or `value`, is what was extracted */
};

struct part {
	enum rule_buffer buffer;
	bool none, absent; /* with steps: or_else */
	int count, transforms_count;
	int transforms[2];
	struct step steps[STEPS_MAX + 1]; /* the compiler counts past the last */
};

struct plain_rule {
	int count;
	struct part parts[2];
};

struct instance {
	size_t len;
	char text[TEXT_MAX];
};

#define BUFFERS 5
#define FILES   3 /* where those of attachments begin: instance i is of attachment i */

extern const enum rule_buffer buffers[BUFFERS];

/* The transaction: what each of the buffers holds. */
extern struct instance instances[BUFFERS][INSTANCES];
extern int instances_count[BUFFERS];

/* Do the parts speak of one attachment? Naming one thing twice speaks of two. */
bool belong_together(const struct plain_rule *rule);
/* Does the rule hold for the transaction? */
bool rule_holds(const struct plain_rule *rule);

#endif
