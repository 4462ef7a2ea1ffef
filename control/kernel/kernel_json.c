/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kernel/kernel_json.h"

#include "control/daemon/daemon.h"

static json_t *reasons_of(const struct gate_port_counters *c, enum wire_action action)
{
	json_t *object = json_object();

	for (enum reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
		if (c->reason[r][action])
			json_object_set_new(object, reason_name(r),
					    json_integer((json_int_t)c->reason[r][action]));
	return object;
}

static json_t *checks_of(const uint64_t counts[CHECK_COUNT])
{
	json_t *object = json_object();

	for (enum stage_check i = 0; i < CHECK_COUNT; i++)
		if (counts[i])
			json_object_set_new(object, kernel_check_name(i),
					    json_integer((json_int_t)counts[i]));
	return object;
}

json_t *kernel_port_json(const struct daemon *d, unsigned side)
{
	struct gate_port_counters c = {0};

	kernel_port_counters(d->kernel, (enum kernel_side)side, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "packets", c.packets, "bytes",
			 c.bytes, "passed", c.action[WIRE_PASS], "inspected",
			 c.action[WIRE_INSPECT], "dropped", c.action[WIRE_DROP], "passed_for",
			 reasons_of(&c, WIRE_PASS), "dropped_for", reasons_of(&c, WIRE_DROP),
			 "shadow", checks_of(c.shadow));
}

json_t *kernel_json(const struct daemon *d)
{
	const struct failure_counts f = failure_counts(d);

	return json_pack("{s:o, s:o, s:{s:b, s:I, s:I, s:I}}", "inside",
			 kernel_port_json(d, KERNEL_INSIDE), "outside",
			 kernel_port_json(d, KERNEL_OUTSIDE), "failure", "acting",
			 d->watch.failure.acting, "passed", (json_int_t)f.passed, "dropped",
			 (json_int_t)f.dropped, "calls_unread", (json_int_t)f.calls);
}

json_t *kernel_tenant_json(const struct daemon *d, uint32_t slot)
{
	struct gate_tenant_counters c = {0};

	kernel_tenant_counters(d->kernel, slot, &c);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "packets_in",
			 c.packets[0], "packets_out", c.packets[1], "bytes_in", c.bytes[0],
			 "bytes_out", c.bytes[1], "inspected", c.inspected, "uninspected", c.failed,
			 "bytes_tls", c.bytes_tls, "dropped_for", checks_of(c.dropped), "shadow",
			 checks_of(c.shadow));
}
