/* SPDX-License-Identifier: BSD-3-Clause */
/* Both ports of a live gate. */
#include <errno.h>
#include <stdio.h>

#include "dataplane/live/interface_check.h"
#include "dataplane/live/live.h"

static const char *const roles[PORT_COUNT] = {[PORT_INSIDE] = "inside", [PORT_OUTSIDE] = "outside"};

static bool spec_of(const struct live_options *o, unsigned role, char spec[PORT_LIVE_SPEC])
{
	if (o->mode == LIVE_XDP)
		return port_live_spec_xdp(o->port[role], role, o->first_queue, o->queues,
					  o->xdp_program, spec);
	return port_live_spec(o->port[role], role, o->queues, spec);
}

/* What will hurt later is said now. */
static void interface_warn(const struct live *l, const struct port_live *p)
{
	struct interface_state state;
	char line[128];

	if (!p->iface[0] || interface_state_read(p->iface, &state) != 0)
		return;
	if (!state.up)
		live_log("warning", "port",
			 "port=%s words=\"the interface is down: ip link set %s up\"", p->iface,
			 p->iface);
	if (state.mtu > l->options.mtu)
		live_log("warning", "port",
			 "port=%s mtu=%u words=\"packets beyond --mtu %u are refused\"", p->iface,
			 state.mtu, l->options.mtu);
	if (!state.merges[0] || l->options.mode == LIVE_XDP)
		return;
	interface_remedy(p->iface, &state, line, sizeof(line));
	live_log("warning", "port",
		 "port=%s on=\"%s\" words=\"frames are put together before the gate sees them, and "
		 "refused\" run=\"%s\"",
		 p->iface, state.merges, line);
}

int live_ports_open(struct live *l, char error[GATE_ERROR])
{
	for (unsigned role = 0; role < PORT_COUNT; role++)
		l->port[role].port = PORT_NONE;
	for (unsigned role = 0; role < PORT_COUNT; role++) {
		struct port_live *p = &l->port[role];
		char spec[PORT_LIVE_SPEC];
		int rc = -ENODEV;

		if (spec_of(&l->options, role, spec))
			rc = port_live_open(p, spec, role, l->options.queues,
					    (uint16_t)l->options.mtu, l->gate->small, error);
		else
			snprintf(error, GATE_ERROR,
				 "--%s %.100s: neither an interface nor a device", roles[role],
				 l->options.port[role]);
		if (rc) {
			live_ports_close(l);
			return rc;
		}
		live_log("info", "port", "role=%s device=%s interface=%s queues=%u", roles[role],
			 p->name, p->iface[0] ? p->iface : "-", p->queues);
		interface_warn(l, p);
	}
	return 0;
}

void live_ports_close(struct live *l)
{
	for (unsigned role = 0; role < PORT_COUNT; role++)
		port_live_close(&l->port[role]);
}
