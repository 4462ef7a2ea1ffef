/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules measured by themselves, one buffer at a time. Processor time of the calling thread. */
#ifndef POSTERN_TOOLS_RULES_ALONE_H
#define POSTERN_TOOLS_RULES_ALONE_H

#include "control/rules/rule_plan.h"
#include "dataplane/match/match_tape.h"
#include "tools/rules/rules_replay.h"

#define PLAN_BRIEF 3 /* bytes */

/* A literal so short that Hyperscan meets it all the time. */
static inline bool plan_is_brief(const struct rule_plan_chain *chain)
{
	return chain->how == PLAN_LITERAL && chain->len <= PLAN_BRIEF;
}

/* What costs on every byte, whether it is found or not. */
static inline bool plan_is_everywhere(const struct rule_plan_chain *chain)
{
	return chain->how == PLAN_EXPRESSION || plan_is_brief(chain);
}

/* ns of one play of what the tape has for the buffer: the least of some rounds, for whatever
 * interrupts a round only adds. 0: no memory. */
double rules_buffer_ns(const struct match_tape *tape, const struct rules_compiled *rules,
		       enum rule_buffer buffer);

/* The same of a rule that looks into the buffer for what no text has. */
double rules_nothing_ns(const struct match_tape *tape, enum rule_buffer buffer);

/* The same of some rules of the list, whose memory stays the list's; -1: they don't compile.
 */
double rules_some_ns(const struct match_tape *tape, const struct rule_list *list,
		     const struct rule *rules, size_t count, enum rule_buffer buffer);

bool rule_looks_at(const struct rule *rule, enum rule_buffer buffer);

#endif
