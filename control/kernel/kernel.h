/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's side of a live gate, with mode xdp: its maps, brought to what is in force, and the
 * failure policy that it holds. The event loop's thread; opened before privileges are dropped.
 */
#ifndef POSTERN_CONTROL_KERNEL_H
#define POSTERN_CONTROL_KERNEL_H

#include <stddef.h>

#include "control/config/config.h"
#include "control/daemon/roster.h"
#include "control/daemon/slots.h"
#include "control/kernel/gate_maps.h"

struct kernel;

/* Makes or adopts the pinned maps. NULL, with words in `error`. */
struct kernel *kernel_open(const char *object, char error[GATE_ERROR_SIZE]);
/* Maps and programs stay. NULL is fine. */
void kernel_close(struct kernel *kernel);

/*
 * The tenants' array is the kernel's: into `slots`, which slots_close() leaves to it. 0 or -errno;
 * -E2BIG: it is made for fewer.
 */
int kernel_slots(struct kernel *kernel, uint32_t count, struct slots *slots);

/* Whether the maps have room for it: 0; -E2BIG, and in kernel_error() why. */
int kernel_fits(struct kernel *kernel, const struct roster *roster);

/*
 * Brings the maps to the roster with the slots as they are meant now (with overrides; as many as
 * the roster has). 0, or -errno and in kernel_error() why.
 */
int kernel_apply(struct kernel *kernel, const struct roster *roster,
		 const struct tenant_slot *slots);
const char *kernel_error(const struct kernel *kernel);

/*
 * The two ports, by name, with the program on them where there is none. false: an interface is not
 * there (yet), or takes no program. Holds at once.
 */
bool kernel_ports(struct kernel *kernel, const char *inside, const char *outside,
		  enum failure_policy failure, uint64_t heartbeat);

/* The sides that kernel_ports() gave places to. */
enum kernel_side { KERNEL_INSIDE, KERNEL_OUTSIDE, KERNEL_SIDES };

const char *kernel_side_name(enum kernel_side side);
const char *kernel_action_name(enum wire_action action); /* "pass" "inspect" "drop" */
const char *kernel_check_name(enum stage_check check);   /* a reason's */

/* What the program counted since the maps were made, which outlives both programs. 0 or -errno. */
int kernel_port_counters(struct kernel *kernel, enum kernel_side side,
			 struct gate_port_counters *counters);
int kernel_tenant_counters(struct kernel *kernel, uint32_t slot,
			   struct gate_tenant_counters *counters);
/* Of slots 0 to count - 1. */
int kernel_tenants_counters(struct kernel *kernel, uint32_t count,
			    struct gate_tenant_counters *counters);
/*
 * What a worker found out about a flow (an EVENT_KERNEL record's value, whatever is in it), until
 * it expires. 0; -EINVAL: it makes no sense; -ETIME: it has expired; or the kernel's refusal.
 */
int kernel_flow(struct kernel *kernel, const void *value, size_t size);
/* None is asked for any more, until the next one comes. */
void kernel_flows_forget(struct kernel *kernel);

/* To how many addresses a tenant sent in the minute in hand, and how many minutes there were in
 * which these were too many. */
struct kernel_reach {
	uint32_t addresses, times;
};
struct kernel_reach kernel_reach(struct kernel *kernel, uint32_t slot);

/* The slot is about to become another tenant's. */
void kernel_tenant_forget(struct kernel *kernel, uint32_t slot);

#endif
