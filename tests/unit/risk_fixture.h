/* SPDX-License-Identifier: BSD-3-Clause */
/* Tenants with so and so many calls and mails, for tests of what becomes of them. */
#ifndef POSTERN_TESTS_UNIT_RISK_FIXTURE_H
#define POSTERN_TESTS_UNIT_RISK_FIXTURE_H

#include "control/risk/risk.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define START  (UINT64_C(1800000000) * SECOND)

/* Of enough callees and domains, unless a test wants few. */
#define SAMPLE(...) ((struct risk_sample){.callees = 100, .domains = 50, __VA_ARGS__})

static inline struct risk_tenant tenant_of(const struct risk_config *config,
					   struct risk_sample sample)
{
	struct risk_tenant tenant = {0};

	risk_count(&tenant, config, START, &sample);
	return tenant;
}

static inline double score_of(const struct risk_tenant *tenant, const struct risk_config *config,
			      uint64_t now)
{
	struct risk_term terms[RISK_TERMS];
	double score;

	risk_terms(tenant, config, now, terms, &score);
	return score;
}

static inline struct risk_term ratio_of(const struct risk_tenant *tenant,
					const struct risk_config *config, uint64_t now,
					enum risk_ratio which)
{
	struct risk_term terms[RISK_TERMS];

	risk_terms(tenant, config, now, terms, NULL);
	return terms[which];
}

#endif
