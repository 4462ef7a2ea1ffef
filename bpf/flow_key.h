/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What names a flow, for the kernel's table of verdicts and the workers' table of
 * flows alike. Fixed layout.
 */
#ifndef POSTERN_SHARED_FLOW_KEY_H
#define POSTERN_SHARED_FLOW_KEY_H

#include <stdint.h>

/*
 * One side's address and port come before the other's, so both directions have one key: by
 * address as a number, then by port; of equal ones the sender's is the second.
 */
struct flow_key {
	uint8_t addr[2][16]; /* IPv4: four bytes, then zeroes */
	uint16_t port[2];    /* host order */
	uint16_t vlan[2];
	uint8_t proto;
	uint8_t family;
	uint8_t zero[6];
};

#endif
