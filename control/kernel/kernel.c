/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kernel/kernel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bpf/policy_image.h"
#include "control/kernel/gate_port.h"

struct kernel {
	struct gate_maps *maps;
};

struct kernel *kernel_open(const char *object, char error[GATE_ERROR_SIZE])
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->maps = gate_maps_open(object, GATE_BPFFS, error);
	if (k->maps)
		return k;
	free(k);
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	gate_maps_close(k->maps);
	free(k);
}

int kernel_slots(struct kernel *k, uint32_t count, struct slots *slots)
{
	const struct gate_view *view = gate_maps_view(k->maps);
	int fd = count > view->slots ? -1 : bpf_obj_get(GATE_BPFFS "/postern_tenants");

	if (fd < 0)
		return count > view->slots ? -E2BIG : -errno;
	*slots = (struct slots){
		.fd = fd,
		.slot = view->tenants,
		.count = count,
		.size = view->slots * sizeof(struct tenant_slot),
		.kernels = true,
	};
	for (uint32_t i = 1; i < slots->count; i++)
		slots->adopted |= slots->slot[i].id != 0;
	return 0;
}

/* Where the image has them: within it, or the child that made it did something else. */
static const void *section(const struct policy_image *image, const struct policy_span *span,
			   uint64_t count, size_t size)
{
	if (span->count != count || span->offset > image->size ||
	    count > (image->size - span->offset) / size)
		return NULL;
	return (const char *)image + span->offset;
}

/*
 * What gate_maps_apply() reads of a policy: the image's own, with these slots and blocked networks.
 * Its table of prefixes stays in the image.
 */
static int shell_fill(struct policy *policy, const struct policy_image *image,
		      const struct roster *roster, const struct tenant_slot *slots)
{
	struct prefix_table *t = &policy->prefixes;

	memcpy(policy, &image->policy, sizeof(*policy));
	policy->generation = roster->compiled->generation;
	policy->slots = (struct tenant_slot *)(uintptr_t)slots;
	policy->slot_count = roster->count;
	policy->prefix_list = roster->prefixes;
	policy->blocked_list = roster->blocked;
	t->nodes = (struct prefix_node *)(uintptr_t)section(image, &image->nodes, t->node_count,
							    sizeof(*t->nodes));
	t->leaves = (uint32_t *)(uintptr_t)section(image, &image->leaves, t->leaf_count,
						   sizeof(*t->leaves));
	return t->nodes && t->leaves ? 0 : -EBADMSG;
}

/* `use` with the policy; `slots` may be NULL where it needs none. */
static int with_policy(struct kernel *k, const struct roster *roster,
		       const struct tenant_slot *slots,
		       int (*use)(struct kernel *k, const struct policy *policy))
{
	const struct compiled *c = roster->compiled;
	const struct policy_image *image =
		mmap(NULL, c->policy_size, PROT_READ, MAP_SHARED, c->policy, 0);
	struct policy *policy = malloc(sizeof(*policy));
	int rc = image == MAP_FAILED || !policy ? -ENOMEM : 0;

	if (!rc && (c->policy_size < sizeof(*image) || image->size != c->policy_size))
		rc = -EBADMSG;
	if (!rc)
		rc = shell_fill(policy, image, roster, slots);
	if (!rc)
		rc = use(k, policy);
	free(policy);
	if (image != MAP_FAILED)
		munmap((void *)(uintptr_t)image, c->policy_size);
	return rc;
}

static int use_apply(struct kernel *k, const struct policy *policy)
{
	return gate_maps_apply(k->maps, policy, NULL);
}

static int use_fits(struct kernel *k, const struct policy *policy)
{
	return gate_maps_fits(k->maps, policy);
}

int kernel_apply(struct kernel *k, const struct roster *roster, const struct tenant_slot *slots)
{
	return with_policy(k, roster, slots, use_apply);
}

int kernel_fits(struct kernel *k, const struct roster *roster)
{
	return with_policy(k, roster, NULL, use_fits);
}

const char *kernel_error(const struct kernel *k)
{
	return gate_maps_error(k->maps);
}

bool kernel_ports(struct kernel *k, const char *inside, const char *outside,
		  enum failure_policy failure, uint64_t heartbeat)
{
	const uint32_t in = if_nametoindex(inside), out = if_nametoindex(outside);
	struct gate_port port = {
		.failure = failure == FAILURE_CLOSED ? GATE_FAIL_CLOSED : GATE_FAIL_OPEN,
		.heartbeat_max = heartbeat,
	};

	if (!in || !out)
		return false;
	port.ifindex = in;
	port.peer = out;
	port.from = FROM_INSIDE;
	gate_maps_port(k->maps, KERNEL_INSIDE, &port);
	port.ifindex = out;
	port.peer = in;
	port.from = FROM_OUTSIDE;
	gate_maps_port(k->maps, KERNEL_OUTSIDE, &port);
	/* The failure policy holds before the first dataplane comes, and if none ever does. */
	return gate_port_first(k->maps, in) == 0 && gate_port_first(k->maps, out) == 0;
}

/* What it counted */

const char *kernel_side_name(enum kernel_side side)
{
	return side == KERNEL_INSIDE ? "inside" : "outside";
}

const char *kernel_action_name(enum wire_action action)
{
	static const char *const names[WIRE_COUNT] = {
		[WIRE_PASS] = "pass", [WIRE_INSPECT] = "inspect", [WIRE_DROP] = "drop"};

	return names[action];
}

const char *kernel_check_name(enum stage_check check)
{
	static const enum reason reasons[CHECK_COUNT] = {
#define X(id) [CHECK_##id] = REASON_##id,
		STAGE_CHECKS(X)
#undef X
	};

	return reason_name(reasons[check]);
}

/* Places are in the sides' order. */
int kernel_port_counters(struct kernel *k, enum kernel_side side,
			 struct gate_port_counters *counters)
{
	return gate_maps_port_counters(k->maps, side, counters);
}

int kernel_tenant_counters(struct kernel *k, uint32_t slot, struct gate_tenant_counters *counters)
{
	return gate_maps_tenant_counters(k->maps, slot, counters);
}

int kernel_tenants_counters(struct kernel *k, uint32_t count, struct gate_tenant_counters *counters)
{
	return gate_maps_tenants_counters(k->maps, count, counters);
}

struct kernel_reach kernel_reach(struct kernel *k, uint32_t slot)
{
	const struct reach *r = &gate_maps_view(k->maps)->reach[slot];

	return (struct kernel_reach){
		.addresses = __atomic_load_n(&r->count, __ATOMIC_RELAXED) / REACH_UNIT,
		.times = __atomic_load_n(&r->times, __ATOMIC_RELAXED),
	};
}

void kernel_tenant_forget(struct kernel *k, uint32_t slot)
{
	gate_maps_tenant_forget(k->maps, slot);
}

/* Verdicts about flows */

/* No worker asks for more (dataplane/kernel_flow.h). */
#define FLOW_TIME_MAX (UINT64_C(60) * 1000000000)

int kernel_flow(struct kernel *k, const void *value, size_t size)
{
	struct kernel_flow flow;
	struct timespec ts;
	uint64_t now;

	if (size != sizeof(flow))
		return -EINVAL;
	memcpy(&flow, value, sizeof(flow));
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	/* Only what voids itself when its connection ends, and no emergency call's media. */
	if ((flow.verdict.decision != FLOW_DROP && flow.verdict.decision != FLOW_PASS) ||
	    flow.verdict.place >= FLOW_EPOCHS || flow.verdict.expires > now + FLOW_TIME_MAX)
		return -EINVAL;
	if (flow.verdict.expires <= now)
		return -ETIME;
	return gate_maps_flow(k->maps, &flow.key, &flow.verdict);
}

void kernel_flows_forget(struct kernel *k)
{
	__atomic_store_n(&gate_maps_view(k->maps)->shared->flows, 0, __ATOMIC_RELAXED);
}
