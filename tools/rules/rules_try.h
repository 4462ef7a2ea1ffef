/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of `postern rules try`: what rules hit in two runs, and who shows the
 * difference. */
#ifndef POSTERN_TOOLS_RULES_TRY_H
#define POSTERN_TOOLS_RULES_TRY_H

#include <jansson.h>
#include <stdio.h>

#include "control/daemon/tenant_name.h"
#include "tools/rules/rules_replay.h"

enum try_change { TRY_SAME, TRY_NEW, TRY_GONE, TRY_CHANGES };

#define TRY_TEXT 80 /* bytes of a header's value that are kept */

/* One alert: a rule hit a message. */
struct try_hit {
	uint32_t sid, tenant; /* tenant: the slot */
	uint64_t flow_id, packet, time;
	uint8_t family, src[16], dst[16];
	uint16_t sport, dport;
	bool blocks;    /* it would have been refused or withheld, not only logged */
	bool told;      /* its message has ended: the texts are all there is */
	uint8_t change; /* enum try_change */
	char buffer[24];
	char context[TRY_TEXT], from[TRY_TEXT], to[TRY_TEXT], subject[TRY_TEXT], call_id[TRY_TEXT];
};

/* What one run hit. All zero is empty. */
struct try_hits {
	struct try_hit *hit;
	size_t count, room;
	struct try_hit sip; /* the SIP message last heard of */
	bool failed;        /* no memory */
};

/* Takes alerts, and what later events say of their messages. For replay_sinks.event; ctx: hits. */
int try_hits_event(void *ctx, const struct event_head *e, size_t len);
void try_hits_fini(struct try_hits *hits);

/*
 * Which hits of `after` are new, which of `before` are gone: a rule hits the same message if it
 * does so in the same packet of the same flow. Sorts both by rule and time.
 */
void try_hits_compare(struct try_hits *before, struct try_hits *after);

struct try_counts {
	uint64_t of[TRY_CHANGES];
	uint64_t blocks; /* new ones that would have been refused or withheld */
};

/* A rule that hit in either run. */
struct try_rule {
	const struct rule *rule; /* as it is now, or was */
	struct try_counts counts;
};

struct try_tenant {
	uint32_t slot;
	struct try_counts counts;
};

struct try_report {
	const char **mine, **running;
	size_t mine_count, running_count;
	size_t mine_rules, running_rules, silent; /* silent: rules of mine that never say a hit */
	bool replace;
	unsigned examples;
	uint64_t packets;
	struct try_hits before, after;
	struct try_rule *rule;
	struct try_tenant *tenant;
	size_t rules, tenants;
	struct try_counts all;
	struct tenant_names names;
};

void try_page(const struct try_report *r, FILE *out);
json_t *try_json(const struct try_report *r);

#endif
