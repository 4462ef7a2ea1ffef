/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was decided about a tenant by command, over what the configuration says: a suspension, and
 * limits. It outlives posternd (control/daemon/state.h).
 */
#ifndef POSTERN_CONTROL_OVERRIDE_H
#define POSTERN_CONTROL_OVERRIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bpf/tenant.h"
#include "control/config/value.h"
#include "control/policy/warmup.h"

#define OVERRIDE_REASON 256
#define OVERRIDE_NAME   64

/* Rates: those of enum tenant_limit, and one more, of each domain. */
#define OVERRIDE_PER_DOMAIN LIMIT_COUNT
#define OVERRIDE_RATES      (LIMIT_COUNT + 1)

struct override {
	uint32_t tenant; /* the configuration's id */
	bool suspended;
	char reason[OVERRIDE_REASON];
	char approver[OVERRIDE_NAME];      /* "": none was named */
	char by[OVERRIDE_NAME];            /* who gave the command */
	uint64_t since, until;             /* seconds since 1970; until 0: until it is resumed */
	struct rate limit[OVERRIDE_RATES]; /* RATE_UNSET: the configuration's */
	struct rate count[COUNT_KINDS];    /* the same */
};

/* Since `since` (ns since 1970; 0: nobody knows) for at least `after` (ns; 0: never enough). */
static inline bool suspension_is_long(uint64_t since, uint64_t now, uint64_t after)
{
	return since && after && now >= since && now - since >= after;
}

/* Nothing in it but the id. */
bool override_is_empty(const struct override *override);

/* The limits in it: a bit each, and WARMUP_RECIPIENTS; `override` may be NULL. */
uint32_t override_limits(const struct override *override);

/* NULL: no memory. */
json_t *override_json(const struct override *override);

/* 0, or -EINVAL and in `error` what is wrong. */
int override_parse(const json_t *object, struct override *override, char *error, size_t size);

/* The same for its limits alone: {"messages": "30/min", …}. */
json_t *override_limits_json(const struct override *override);

/*
 * One limit as people write it: `name` "messages" with "30/min burst 60", "unlimited" or
 * "default" (the configuration's), or "messages_per_minute" with "30"; "recipients_per_message"
 * or "calls_at_once" with "50". 0, or -EINVAL and in `error` what was expected.
 */
int override_set_limit(struct override *override, const char *name, const char *value, char *error,
		       size_t size);

/* "messages", …, of enum tenant_limit, "per_domain" of OVERRIDE_PER_DOMAIN. */
const char *tenant_limit_name(unsigned limit);
/* "recipients_per_message", …, of enum tenant_count. */
const char *tenant_count_name(unsigned count);

#endif
