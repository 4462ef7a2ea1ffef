/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What posternd puts into the kernel, put there once: maps from a configuration, the two ports,
 * and the program on them.
 *
 *     kernel-side OBJECT CONFIG INSIDE OUTSIDE open|closed HEARTBEAT-MS
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/kernel/gate_maps.h"
#include "control/kernel/gate_port.h"
#include "tools/inputs.h"

static int port_put(struct gate_maps *maps, unsigned place, const char *name, const char *peer,
		    char **args)
{
	struct gate_port port = {
		.ifindex = if_nametoindex(name),
		.peer = if_nametoindex(peer),
		.from = place ? FROM_OUTSIDE : FROM_INSIDE,
		.failure = strcmp(args[0], "open") ? GATE_FAIL_CLOSED : GATE_FAIL_OPEN,
		.heartbeat_max = strtoull(args[1], NULL, 10) * 1000000,
	};

	gate_maps_port(maps, place, &port);
	return gate_port_attach(maps, port.ifindex);
}

int main(int argc, char **argv)
{
	char error[GATE_ERROR_SIZE] = "";
	struct policy *policy = argc == 7 ? inputs_policy(argv[2]) : NULL;
	struct gate_maps *maps = policy ? gate_maps_open(argv[1], GATE_BPFFS, error) : NULL;
	int rc = maps ? gate_maps_apply(maps, policy, NULL) : -EINVAL;

	if (!rc)
		rc = port_put(maps, 0, argv[3], argv[4], argv + 5);
	if (!rc)
		rc = port_put(maps, 1, argv[4], argv[3], argv + 5);
	if (rc)
		fprintf(stderr, "kernel-side: %s %s\n", strerror(-rc),
			maps ? gate_maps_error(maps) : error);
	return rc ? 1 : 0;
}
