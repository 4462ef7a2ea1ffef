/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules measured by themselves, one buffer at a time. Processor time of the calling thread. */
#ifndef POSTERN_TOOLS_RULES_ALONE_H
#define POSTERN_TOOLS_RULES_ALONE_H

#include "dataplane/match_tape.h"
#include "tools/rules_replay.h"

/* ns of one play of what the tape has for the buffer: the least of some rounds, for whatever
 * interrupts a round only adds. 0: no memory. */
double rules_buffer_ns(const struct match_tape *tape, const struct rules_compiled *rules,
		       enum rule_buffer buffer);

/* The same of a rule that looks into the buffer for what no text has. */
double rules_nothing_ns(const struct match_tape *tape, enum rule_buffer buffer);

/* The same of some rules, whose memory stays the list's that they are of; -1: they don't compile.
 */
double rules_some_ns(const struct match_tape *tape, const struct rule *rules, size_t count,
		     enum rule_buffer buffer);

bool rule_looks_at(const struct rule *rule, enum rule_buffer buffer);

#endif
