/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules in a test: text in, a matcher out, sids that hit. */
#ifndef POSTERN_TESTS_RULES_FIXTURE_H
#define POSTERN_TESTS_RULES_FIXTURE_H

#include "control/rules/ruleset_build.h"
#include "dataplane/match/match.h"

struct rules_fixture {
	struct rule_list list;
	struct rule_diags diags;
	struct ruleset_build_stats stats;
	struct ruleset *ruleset;
	struct matcher *matcher; /* NULL: the rules don't compile */
	void *image;
	struct match_memory *memory;
	uint64_t now; /* ns: the matcher's clock */
	struct match_keep keep;
};

/* Parses, compiles and loads; mistakes and warnings are in `diags`. */
void rules_fixture_init(struct rules_fixture *f, const char *text);
/* The same from what f->list holds already. */
void rules_fixture_build(struct rules_fixture *f);
void rules_fixture_fini(struct rules_fixture *f);

/* A flow from 10.0.0.1:40000 to 192.0.2.1:port. */
struct match_flow rules_fixture_flow(uint8_t transport, uint16_t port);

/* Has a rule of this sid hit since the list was last emptied? */
bool rules_fixture_hit(const struct rules_fixture *f, uint32_t sid);

#endif
