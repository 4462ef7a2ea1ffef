/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP calls: INVITE to BYE, or to whatever else ends them. */
#ifndef POSTERN_GEN_CALL_H
#define POSTERN_GEN_CALL_H

#include "tools/gen/gen_world.h"

/* Shares are in millionths of calls; those of answered calls where it says so. */
struct gen_call_options {
	uint32_t answered;
	uint32_t short_calls; /* of answered: up to 6 s */
	uint32_t unfinished;  /* of answered: no BYE is seen */
	uint32_t tcp;
	uint32_t opt_out;   /* to +190055501NN */
	uint32_t emergency; /* to 911 or urn:service:sos */
	uint64_t talk_ns;   /* mean, of calls that aren't short */
};

/* A call that begins at this time, into an empty flow. */
void call_make(struct gen_flow *flow, const struct gen_world *world,
	       const struct gen_call_options *options, struct gen_random *random,
	       uint64_t start_ns);

#endif
