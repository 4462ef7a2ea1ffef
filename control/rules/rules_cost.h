/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a compiled ruleset will cost, told before it is pushed: the matcher runs over a sample of
 * mails and calls that this makes, on the machine that asks. The sample is the same every time, so
 * two rulesets can be compared; how far a provider's own traffic is from it, `postern rules bench`
 * with a capture tells. Any thread; allocates; about half a second.
 */
#ifndef POSTERN_CONTROL_RULES_COST_H
#define POSTERN_CONTROL_RULES_COST_H

#include <stddef.h>
#include <stdint.h>

struct match_tape;

/* Of matching alone, on one core: parsing and packets come on top. */
struct rules_cost {
	double ns_per_kib;      /* of traffic: the median of the rounds */
	double low_ns, high_ns; /* of the rounds */
	double gbits_per_core;  /* of traffic, if a core did nothing else; 0: no cost at all */
	uint64_t bytes;         /* of the sample */
};

/* Of an image (aligned to 64) as ruleset_build() makes it. 0 or -errno with words in `error`. */
int rules_cost_estimate(const void *image, size_t size, struct rules_cost *cost, char *error,
			size_t error_size);

/* The sample. The caller's to end with match_tape_fini(); 0 or -ENOMEM. */
int rules_cost_sample(struct match_tape *tape);

#endif
