/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How one rule is looked for: what the compiler decided of each of its chains
 * (bpf/ruleset.h has the terms), before the rules of a set are put together.
 */
#ifndef POSTERN_CONTROL_RULE_PLAN_H
#define POSTERN_CONTROL_RULE_PLAN_H

#include "control/rules/rule.h"

enum rule_plan_how {
	PLAN_LITERAL,    /* its literal is looked for first */
	PLAN_EXPRESSION, /* Hyperscan looks for its expression itself */
	PLAN_BESIDE,     /* looked at when another chain of its part was found */
	PLAN_ALWAYS,     /* nothing to look for */
	PLAN_LENGTH,     /* of the buffer alone */
};

struct rule_plan_chain {
	enum rule_buffer buffer;
	enum rule_plan_how how;
	uint32_t part;           /* of the rule, from 0 */
	struct rule_place place; /* of the step that is looked for; line 0: none */
	const char *text;        /* literal or expression */
	size_t len;
	size_t steps; /* that hang together, this one among them */
	bool nocase;
	unsigned hs_flags; /* HS_FLAG_* of an expression */
	bool words;        /* it has some in each alternative, and is found by them */
	bool prefilter;    /* Hyperscan can only say where it may be */
	bool negated;      /* must not be there */
	bool confirm;      /* PCRE2 or a comparison decides */
	bool at_close;     /* known at the buffer's end */
	bool always; /* its part has nothing to wait for: every instance of the buffer is looked at
		      */
	uint32_t reach; /* bytes around the literal that are seen; 0: the whole buffer */
};

struct rule_plan {
	struct arena arena;
	struct rule_plan_chain *chains;
	size_t count;
};

/* 0, or -EINVAL where the rule does not compile (said in `diags`). The rule outlives the plan. */
int rule_plan_make(const struct rule *rule, struct rule_plan *plan, struct rule_diags *diags);
void rule_plan_fini(struct rule_plan *plan);

#endif
