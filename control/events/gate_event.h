/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What posternd tells of itself and of the dataplane, in the log of events:
 *
 *   {"timestamp": …, "event_type": "gate", "tenant_id": 7, "tenant": "acme",
 *    "gate": {"event": "tenant_suspended", "severity": "notice", "by": "root", …}}
 *
 * Any thread; allocates.
 */
#ifndef POSTERN_CONTROL_GATE_EVENT_H
#define POSTERN_CONTROL_GATE_EVENT_H

#include <jansson.h>
#include <stdint.h>

#include "control/base/log.h"

/* Name, severity, what it says. docs/eve.md lists them; a test holds it to this. */
/* clang-format off */
#define GATE_EVENTS(X)                                                                             \
	X("dataplane_up", INFO, "the dataplane runs and has its policy")                           \
	X("dataplane_down", ERROR, "the dataplane has gone: the failure policy holds the wire")    \
	X("dataplane_died", ERROR, "the dataplane that posternd had started died")                 \
	X("dataplane_wrong", ERROR, "the dataplane can't be talked to")                            \
	X("dataplane_refused", ERROR, "the dataplane refused the policy in force")                 \
	X("kernel_failed", ERROR, "the kernel's maps could not be brought to the policy in force") \
	X("failure_acting", ERROR, "packets meet the failure policy: nobody reads them")           \
	X("failure_over", INFO, "packets are read again: none meets the failure policy")           \
	X("worker_stalled", ERROR, "a worker's heart stands still")                                \
	X("worker_resumed", INFO, "all hearts beat again")                                         \
	X("events_lost", WARNING, "events found no room in a worker's ring")                       \
	X("reloaded", INFO, "a new configuration is in force")                                     \
	X("reload_failed", WARNING, "a new configuration was refused: the old one stays")          \
	X("rules_changed", INFO, "other rules are in force")                                       \
	X("rules_refused", WARNING, "a change to the rules was refused: the old ones stay")        \
	X("tenant_suspended", INFO, "a tenant was suspended")                                      \
	X("tenant_resumed", INFO, "a tenant was resumed, or its suspension ended")                 \
	X("tenant_closed", INFO, "a tenant has been suspended for long: its mail is refused for good")     \
	X("limits_set", INFO, "a tenant's limits were set")                                        \
	X("audit_anchor", INFO, "the audit log ends here: what is cut off behind shows")           \
	X("audit_broken", ERROR, "the audit log is not what posternd left")                        \
	X("store_failed", ERROR, "the disk takes nothing: what is decided holds, and is kept in memory until the disk takes it, or posternd ends") \
	X("store_lost", ERROR, "what was to be kept for the disk is lost: there is no more room, or posternd ends") \
	X("store_works", INFO, "the disk takes what is decided again, and has what was kept")      \
	X("lists_changed", INFO, "a list has other entries")                                       \
	X("lists_failed", ERROR, "the lists can't be read: the gate has none")                     \
	X("warmup_step", INFO, "a step of a new tenant's warm-up has ended: its limits are higher")      \
	X("risk_rises", WARNING, "a tenant's risk has reached a higher level")                     \
	X("risk_falls", INFO, "a tenant's risk has left a level")                                  \
	X("probing", WARNING, "a tenant sends to very many addresses within a minute")             \
	X("calls_breach", WARNING, "a tenant's calls of late breach a ratio: nothing follows of it")  \
	X("emergency_call", ERROR, "a tenant calls an emergency number")                           \
	X("case_opened", WARNING, "a person has to look at a tenant")                              \
	X("case_overdue", WARNING, "a tenant did not answer in time")                              \
	X("case_changed", INFO, "somebody wrote into a case, or closed it")                        \
	X("notice_failed", ERROR, "a notice can't be brought to whom it is for")                   \
	X("dnsbl_listed", ERROR, "one of our own egress addresses is on a block list")             \
	X("dnsbl_delisted", INFO, "an egress address has left a block list")                       \
	X("feedback", INFO, "a report came back: a complaint, or a reply that names a block list") \
	X("risk_asks", WARNING, "a tenant's risk asks for a suspension, which a person decides")
/* clang-format on */

/*
 * The event as a line without its end, the caller's to free(); NULL: no memory. Takes `fields`
 * (may be NULL) over. `tenant` 0: of none.
 */
char *gate_event_line(uint64_t time, const char *event, uint32_t tenant, const char *name,
		      json_t *fields);

/* Of one in the list. */
const char *gate_event_text(const char *event);
enum log_level gate_event_level(const char *event);

/* The list, for documents: the name, NULL beyond the end. */
const char *gate_event_name(unsigned i);

#endif
