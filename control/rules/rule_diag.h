/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is wrong with rules, all of it, in the order it was found.
 *
 * Printed as `file:line:column: error: message`. Lines and columns count
 * from 1, columns in bytes; line 0 is the file as a whole. One thread.
 */
#ifndef POSTERN_CONTROL_RULE_DIAG_H
#define POSTERN_CONTROL_RULE_DIAG_H

#include <stdint.h>
#include <stdio.h>

#include "control/rules/arena.h"

enum rule_severity { RULE_WARNING, RULE_ERROR };

struct rule_place {
	const char *file;
	uint32_t line, column;
};

struct rule_diag {
	struct rule_place place;
	enum rule_severity severity;
	uint32_t sid; /* 0: not known */
	const char *message;
};

struct rule_diags {
	struct arena arena;
	struct rule_diag *list;
	size_t count, capacity;
	size_t errors, warnings;
};

/* A zeroed struct rule_diags is an empty one. */
void rule_diags_fini(struct rule_diags *diags);

/* Copies what it is given. */
void rule_diag_add(struct rule_diags *diags, enum rule_severity severity, struct rule_place place,
		   uint32_t sid, const char *format, ...) __attribute__((format(printf, 5, 6)));

void rule_diag_print(FILE *out, const struct rule_diag *diag);

#endif
