/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules that a running posternd has in force, as text and as it treats them. One thread;
 * blocks. */
#ifndef POSTERN_TOOLS_RULES_RUNNING_H
#define POSTERN_TOOLS_RULES_RUNNING_H

#include <jansson.h>

#include "control/rules/rules_text.h"

/* All zero is empty. */
struct rules_running {
	char *config; /* path of posternd's configuration */
	bool pushed;  /* `text` is what runs; else what gate.rules names */
	struct rules_text text;
	json_t *states;          /* of `rules list` */
	struct rule_files files; /* private */
};

/*
 * Asks posternd at the socket (NULL: the usual one). What was pushed is read where posternd keeps
 * it, which wants its rights. 0, or 1 after saying why on standard error.
 */
int rules_running_ask(struct rules_running *running, const char *socket);
void rules_running_fini(struct rules_running *running);

/* From the list's first one on: rules that a command disabled go, and those that were put into
 * shadow or out of it are so. */
void rules_running_apply(const struct rules_running *running, struct rule_list *list, size_t first);

/* What was pushed, into the list, which reads what rules load from it as long as it lives. */
void rules_running_parse(struct rules_running *running, struct rule_list *list,
			 struct rule_diags *diags);

#endif
