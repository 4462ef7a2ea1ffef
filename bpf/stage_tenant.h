/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* Whose packet it is, one look-up at a time. As for bpf/stage_one.h, the includer provides it. */
#ifndef POSTERN_STAGE_TENANT_H
#define POSTERN_STAGE_TENANT_H

#include "bpf/stage_one.h"

/*
 * The slot that owns `addr`, one of p's, or 0: by longest prefix among those of p's outermost
 * VLAN, and only where none of them holds among those of any VLAN.
 */
STAGE_INLINE uint32_t stage_owner(struct stage_tables *t, const struct stage_packet *p,
				  const uint8_t addr[16]);
STAGE_INLINE void stage_whose(struct stage_tables *t, const struct stage_packet *p,
			      enum stage_from from, struct stage_result *r)
{
	uint32_t src = 0, dst = 0;

	if (p->family && from != FROM_OUTSIDE)
		src = stage_owner(t, p, p->src);
	if (p->family && from != FROM_INSIDE && !src)
		dst = stage_owner(t, p, p->dst);
	stage_assign(r, from, src, dst);
}

#endif
