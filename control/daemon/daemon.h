/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * posternd's parts, in one place: each has a file of its own, and they meet here. The event loop's
 * thread is the only one.
 */
#ifndef POSTERN_CONTROL_DAEMON_H
#define POSTERN_CONTROL_DAEMON_H

#include <event2/event.h>
#include <jansson.h>

#include "control/cases/cases.h"
#include "control/cases/emergency_alarm.h"
#include "control/cases/evidence.h"
#include "control/config/config.h"
#include "control/daemon/dataplane.h"
#include "control/daemon/follow.h"
#include "control/daemon/probing.h"
#include "control/daemon/pump.h"
#include "control/daemon/reload.h"
#include "control/daemon/roster.h"
#include "control/daemon/server.h"
#include "control/daemon/slots.h"
#include "control/daemon/state.h"
#include "control/daemon/supervisor.h"
#include "control/daemon/watch.h"
#include "control/dns/domain_run.h"
#include "control/dns/egress.h"
#include "control/dns/resolver.h"
#include "control/events/eve_log.h"
#include "control/events/person.h"
#include "control/feedback/feedback_run.h"
#include "control/kernel/kernel.h"
#include "control/lists/lists.h"
#include "control/policy/warmup_run.h"
#include "control/risk/risk_run.h"
#include "control/rules/rule_tally.h"
#include "control/rules/rules_stage.h"
#include "control/rules/rules_state.h"
#include "control/store/audit.h"
#include "control/store/forget.h"
#include "control/store/store.h"
#include "control/store/store_watch.h"

struct metrics_http;

struct daemon {
	struct event_base *base;
	const char *config_path, *version;
	struct config *config; /* as it was at the start */
	int failure;           /* enum failure_policy: in force */
	uint64_t heartbeat;    /* ns: in force */
	uint64_t close_after;  /* ns: gate.close_after, in force */
	uint64_t optout_grace; /* ns: lists.optout_grace, the same */
	bool flow_verdicts;    /* gate.flow_verdicts: in force */
	uint64_t started;      /* ns since 1970 */
	bool started_all;      /* it is in the audit log */
	bool supervise;
	struct store *store; /* what outlives it */
	struct store_watch store_watch;
	struct audit *audit;
	uint64_t anchored; /* audit_anchor(): of the last line */
	bool audit_told;   /* that it is broken, before the writer found it */
	struct person_key person;
	struct state *state;
	struct kernel *kernel; /* NULL: mode dpdk */
	struct slots slots;
	struct tenant_slots places;
	struct roster *roster; /* NULL: not yet compiled */
	struct reload reload;
	struct rules_state rules; /* in force, and before */
	struct rules_stage stage; /* on their way */
	struct rule_tally hits;
	struct lists lists;
	struct server *server;
	struct dataplane *dataplane;
	struct supervisor *supervisor; /* NULL: somebody else starts it */
	struct eve_log *eve;
	struct pump pump;
	struct probing probing;
	struct risk_run risk;
	struct feedback_run feedback;
	struct warmup_run warmup;
	struct cases cases;
	struct resolver *resolver;
	struct egress *egress; /* NULL: none is looked up */
	struct domain_run domains;
	struct evidence evidence;
	struct emergency_alarms emergency;
	struct watch watch;
	struct retention retention;
	struct follow_list followers;
	struct follow_stats follow_stats;
	struct metrics_http *metrics; /* NULL: none */
	char capabilities[256];       /* that it kept, in words */
	int exit_status;
};

/* CLOCK_REALTIME and CLOCK_MONOTONIC, ns. */
uint64_t daemon_time(void);
uint64_t daemon_clock(void);

/* Of the configuration and rules in force; 0: none are yet. */
uint64_t daemon_generation(const struct daemon *daemon);

/* What the dataplane should have now. */
struct dataplane_policy daemon_policy(const struct daemon *daemon, const struct roster *roster);

/*
 * A tenant's slot as it should be: by a roster (in force, or about to be), by what was decided by
 * command, and by its score.
 */
struct tenant_slot daemon_effective(const struct daemon *daemon, const struct roster *roster,
				    uint32_t slot);

/* Makes one tenant's slot, or all of them, what configuration and overrides say. */
void daemon_apply(struct daemon *daemon, uint32_t slot);
void daemon_apply_all(struct daemon *daemon);

/* The kernel's maps, ports and failure policy too; nothing with mode dpdk. */
void daemon_apply_kernel(struct daemon *daemon);

/*
 * An event of posternd's own: `gate` in EVE, a line in its log. `fields` (may be NULL) is an
 * object of more members and is taken over; `slot` 0: of no tenant.
 */
void daemon_event(struct daemon *daemon, const char *event, uint32_t slot, json_t *fields);

/* Leaves the loop. */
void daemon_stop(struct daemon *daemon, int status);

#endif
