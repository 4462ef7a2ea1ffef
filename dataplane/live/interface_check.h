/* SPDX-License-Identifier: BSD-3-Clause */
/* What an interface of the kernel's does to frames before the gate sees them. Main thread. */
#ifndef POSTERN_INTERFACE_CHECK_H
#define POSTERN_INTERFACE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interface_state {
	bool up;
	unsigned mtu;
	/* ethtool's names of features that are on and put frames together, or take them apart,
	 * with spaces between; "". */
	char merges[64];
};

/* 0 or -errno: there is no such interface, or it can't be asked. */
int interface_state_read(const char *name, struct interface_state *state);

/* The line to run so that frames come as they were sent: "ethtool -K eth0 gro off lro off". */
void interface_remedy(const char *name, const struct interface_state *state, char *line,
		      size_t size);

#endif
