/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/risk_simulation.h"

#include <stdlib.h>

#include "control/risk/wilson.h"

#define SEED       UINT64_C(0x706f737465726e)
#define NAIVE_FROM 3 /* calls: before the third even the naive say nothing */

/* splitmix64: any state is good, neighbours are unlike each other. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

struct simulated_calls simulated_calls(unsigned percent, unsigned tenant)
{
	uint64_t state = SEED + tenant;

	return (struct simulated_calls){next(&state) ^ percent, percent};
}

bool simulated_answer(struct simulated_calls *c)
{
	return next(&c->state) % 100 < c->percent;
}

/* The call after which the tenant is flagged, from 1; 0: never. */
static unsigned flagged_at(unsigned percent, unsigned tenant, const struct risk_config *config,
			   unsigned every)
{
	struct simulated_calls calls = simulated_calls(percent, tenant);
	double answered = 0;

	for (unsigned n = 1; n <= SIMULATED_CALLS; n++) {
		const struct risk_ratio_config *r;

		answered += simulated_answer(&calls);
		if (n % every)
			continue;
		if (!config && n >= NAIVE_FROM && answered * 10 < 6 * n)
			return n;
		if (!config)
			continue;
		r = &config->ratio[RISK_RATIO_ASR];
		if (n >= r->minimum && wilson_bounds(answered, n, config->z).high <= r->warn)
			return n;
	}
	return 0;
}

static int by_call(const void *a, const void *b)
{
	const unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static struct simulated simulate(unsigned percent, const struct risk_config *config, unsigned every)
{
	static unsigned at[SIMULATED_TENANTS];
	unsigned flagged = 0;

	for (unsigned i = 0; i < SIMULATED_TENANTS; i++) {
		const unsigned call = flagged_at(percent, i, config, every);

		flagged += call > 0;
		at[i] = call ? call : UINT32_MAX;
	}
	qsort(at, SIMULATED_TENANTS, sizeof(at[0]), by_call);
	return (struct simulated){
		.flagged = (double)flagged / SIMULATED_TENANTS,
		.median = flagged > SIMULATED_TENANTS / 2 ? at[SIMULATED_TENANTS / 2] : 0,
	};
}

struct simulated simulate_naive(unsigned percent)
{
	return simulate(percent, NULL, 1);
}

struct simulated simulate_rule(unsigned percent, const struct risk_config *config, unsigned every)
{
	return simulate(percent, config, every);
}

static void row(FILE *out, unsigned percent, const char *rule, unsigned every, struct simulated s)
{
	fprintf(out, "| %u %% | %s | %u | %.1f %% | ", percent, rule, every, 100 * s.flagged);
	if (s.median)
		fprintf(out, "%u ", s.median);
	fprintf(out, "|\n");
}

void simulation_document(FILE *out)
{
	static const unsigned percents[] = {70, 65, 62, 55, 50, 40};
	const struct risk_config config = risk_config_default();

	fprintf(out, "%d tenants, %d calls each; a fixed seed.\n\n", SIMULATED_TENANTS,
		SIMULATED_CALLS);
	fprintf(out, "| true ASR | rule | asked every … calls | tenants flagged | after calls, "
		     "median |\n"
		     "| --- | --- | --- | --- | --- |\n");
	row(out, 70, "answered ÷ seized < 60 %, from the third call on", 1, simulate_naive(70));
	for (unsigned i = 0; i < sizeof(percents) / sizeof(percents[0]); i++)
		row(out, percents[i], "bound ≤ 60 %", 1, simulate_rule(percents[i], &config, 1));
	row(out, 50, "bound ≤ 60 %", 20, simulate_rule(50, &config, 20));
}
