/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules keep of a flow, in the flow. All-zero is a new one. */
#ifndef POSTERN_MATCH_KEEP_H
#define POSTERN_MATCH_KEEP_H

#include <stdint.h>

struct match_keep {
	uint64_t id;     /* the flow's: no other has it */
	uint64_t bits;   /* flowbits */
	uint32_t names;  /* which ruleset's names they have: ruleset_image.flowbits */
	uint32_t tenant; /* slot */
};

#endif
