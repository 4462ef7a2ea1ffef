/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A compiled configuration as posternd holds it: the images to send, and the tenants by slot as the
 * configuration has them. Nothing in it changes but the judge's memory of the reply in hand. The
 * event loop's thread.
 */
#ifndef POSTERN_CONTROL_ROSTER_H
#define POSTERN_CONTROL_ROSTER_H

#include "bpf/policy.h"
#include "control/config/settings_index.h"
#include "control/daemon/compile.h"
#include "control/daemon/override.h"
#include "control/daemon/tenant_name.h"
#include "control/policy/warmup.h"
#include "control/risk/risk.h"
#include "control/rules/reply_judge.h"

struct roster_tenant {
	uint32_t id;             /* 0: the slot is nobody's */
	const char *name, *tier; /* tier "": none */
	const char *tag;         /* the field that its mails must have; "": none */
	uint32_t prefixes;
	int risk;                    /* enum risk_mode */
	uint64_t since;              /* s since 1970; 0: of old */
	const struct warmup *warmup; /* its tier's; NULL: none */
	const json_t *contacts;      /* addresses; NULL: none */
	struct tenant_slot base;     /* by the configuration */
};

struct roster_warmup {
	const char *tier;
	struct warmup *warmup;
};

struct roster {
	struct compiled *compiled;
	uint32_t count;                       /* of slots; slot 0, nobody's, is one */
	uint32_t tenants;                     /* of them that are somebody's */
	struct roster_tenant *tenant;         /* by slot */
	struct tenant_name *names;            /* by slot, for events */
	struct prefix_list prefixes, blocked; /* for the kernel's maps */
	struct rule_index index;
	struct risk_config risk;
	bool shadow; /* policy.shadow */
	struct settings_index settings;
	struct reply_judge *replies;  /* of replies that come back by report or log */
	struct roster_warmup *warmup; /* of tiers */
	size_t warmups;
};

/* Takes `compiled` over, whose report must be "ok". 0, -EBADMSG: the images are none, -ENOMEM. */
int roster_new(struct compiled *compiled, struct roster **rosterp);
void roster_free(struct roster *roster);

/* By name, or by id in digits; 0: there is none. */
uint32_t roster_find(const struct roster *roster, const char *tenant);
/* 0: there is none. */
uint32_t roster_slot_of(const struct roster *roster, uint32_t id);

/* Whose address it is, an IPv4 or IPv6 one as text; 0: nobody's, or of several tenants in VLANs. */
uint32_t roster_slot_at(const struct roster *roster, const char *address);

static inline struct tenant_names roster_names(const struct roster *roster)
{
	return (struct tenant_names){roster->names, roster->count};
}

/* The slot as it should be: the configuration's with the override (may be NULL) over it. */
struct tenant_slot tenant_effective(const struct tenant_slot *base,
				    const struct override *override);

/* A limit as words, "30/min"-like: from a slot that may have been set by anybody. */
json_t *tenant_rate_json(const struct gcra *g, double unit, bool shadow);
json_t *tenant_per_domain_json(const struct tenant_slot *slot);
json_t *tenant_limit_json(const struct tenant_slot *slot, unsigned limit);

#endif
