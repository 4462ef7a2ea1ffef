/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_alone.h"

#include <stdlib.h>
#include <string.h>

#define ROUND_NS 5000000u
#define ROUNDS   5

double rules_buffer_ns(const struct match_tape *tape, const struct rules_compiled *c,
		       enum rule_buffer buffer)
{
	struct match_player player;
	uint64_t once, plays;
	double best = 0;

	if (match_player_init(&player, tape, c->ruleset) < 0)
		return 0;
	once = match_player_run(&player, buffer, 1);
	plays = once ? ROUND_NS / once + 1 : 1;
	for (unsigned r = 0; r < ROUNDS; r++) {
		double ns = (double)match_player_run(&player, buffer, plays) / (double)plays;

		/* Whatever interrupted it only added. */
		if (!r || ns < best)
			best = ns;
	}
	match_player_fini(&player);
	return best;
}

double rules_nothing_ns(const struct match_tape *tape, enum rule_buffer buffer)
{
	struct rules_compiled c = {0};
	struct rule_diags diags = {0};
	char text[256];
	double ns = 0;
	int n = snprintf(text, sizeof(text),
			 "alert %s any any -> any any (msg:\"nothing\"; %s; "
			 "content:\"|fe f8 fd f9 fc fa|\"; sid:1;)\n",
			 rule_buffers[buffer].family == BUFFER_SIP ? "sip" : "smtp",
			 rule_buffers[buffer].name);

	rules_parse(&c.list, &diags, NULL, "nothing", text, (size_t)n);
	if (!diags.errors && rules_compiled_build(&c, false) == 0)
		ns = rules_buffer_ns(tape, &c, buffer);
	rule_diags_fini(&diags);
	rules_compiled_fini(&c);
	return ns;
}

double rules_some_ns(const struct match_tape *tape, const struct rule_list *list,
		     const struct rule *rules, size_t count, enum rule_buffer buffer)
{
	struct rules_compiled c = {.list = *list}; /* with what they refer to */
	double ns = -1;

	c.list.rules = calloc(count + 1, sizeof(*rules));
	c.list.count = count;
	if (c.list.rules) {
		memcpy(c.list.rules, rules, count * sizeof(*rules));
		if (rules_compiled_build(&c, false) == 0)
			ns = rules_buffer_ns(tape, &c, buffer);
	}
	free(c.list.rules);
	c.list = (struct rule_list){0};
	rules_compiled_fini(&c);
	return ns;
}

bool rule_looks_at(const struct rule *rule, enum rule_buffer buffer)
{
	for (size_t i = 0; i < rule->parts_count; i++)
		if (rule->parts[i].buffer == buffer)
			return true;
	return false;
}
