/* SPDX-License-Identifier: BSD-3-Clause */
/* What every session and call is made with. */
#ifndef POSTERN_GEN_WORLD_H
#define POSTERN_GEN_WORLD_H

#include "tools/gen/gen_counts.h"
#include "tools/gen/gen_hosts.h"
#include "tools/gen/gen_tcp.h"

struct gen_world {
	const struct gen_hosts *hosts;
	const struct gen_faults *faults;
	struct gen_counts *counts;
	uint16_t mss; /* payload bytes of a TCP segment over IPv4; 20 less over IPv6 */
};

#endif
