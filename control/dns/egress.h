/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether our own egress addresses are on block lists (AUP-BLACKLIST): every address is looked up
 * in every zone, again and again (control/dns/dnsbl.h says when it is listed). A listing that
 * begins gives its points to the tenant whose address it is; where nobody's is, to those that may
 * have caused it, by their shares of the bad events of late. It outlives posternd: one that goes on
 * gives none anew.
 *
 * The event loop's thread.
 */
#ifndef POSTERN_CONTROL_EGRESS_H
#define POSTERN_CONTROL_EGRESS_H

#include "control/daemon/command.h"
#include "control/dns/dnsbl.h"
#include "control/store/store.h"

struct daemon;
struct egress;

/* 0, also where nothing is configured; -ENOMEM. */
int egress_open(struct daemon *daemon);
void egress_close(struct daemon *daemon);

/* Looks at what is in force: for metrics. NULL at the end. */
struct egress_look {
	const char *address, *zone;
	struct dnsbl_state state;
	uint64_t since;   /* ns since 1970: listed; 0 */
	uint64_t checked; /* the same: the last answer that said something; 0: none yet */
	enum dnsbl_said said;
	bool answered; /* `said` is the last answer's */
};

const struct egress_look *egress_look_at(const struct egress *egress, unsigned i);
/* By enum dnsbl_said. */
const uint64_t *egress_answers(const struct egress *egress);

extern const struct store_part egress_part;

/* The function of the table. */
enum command_outcome run_egress(struct request *request, json_t **result);

#endif
