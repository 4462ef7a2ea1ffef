/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants whose calls are answered by chance, with a fixed seed; how often each rule flags them. */
#ifndef POSTERN_TESTS_UNIT_RISK_SIMULATION_H
#define POSTERN_TESTS_UNIT_RISK_SIMULATION_H

#include <stdio.h>

#include "control/risk/risk.h"

#define SIMULATED_TENANTS 4000
#define SIMULATED_CALLS   5000

struct simulated {
	double flagged;  /* share of the tenants that were, after any of their calls */
	unsigned median; /* call at which the median tenant was; 0: it was not */
};

/* ASR of `percent` % in truth; the rule is asked after each call, or every so many of them. */
struct simulated simulate_naive(unsigned percent);
struct simulated simulate_rule(unsigned percent, const struct risk_config *config, unsigned every);

/* Whether a call of tenant `tenant` is answered; calls in their order from 0, one tenant a time. */
struct simulated_calls {
	uint64_t state;
	unsigned percent;
};
struct simulated_calls simulated_calls(unsigned percent, unsigned tenant);
bool simulated_answer(struct simulated_calls *calls);

/* The figures, as a table. */
void simulation_document(FILE *out);

#endif
