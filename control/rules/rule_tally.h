/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What rules have matched since the dataplane started: counts in its memory (struct shm_rule,
 * bpf/shm.h) and, of sids that no ruleset has any more, counts taken from there, so that their
 * places serve others. A sid that comes back goes on where it was. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RULE_TALLY_H
#define POSTERN_CONTROL_RULE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/shm.h"

#define RULE_TALLY_KEPT 65536 /* sids that are gone; the half that went first is forgotten then */

struct rule_hit {
	uint32_t sid;
	uint64_t count;
};

/* All-zero before. */
struct rule_tally {
	uint64_t started; /* of the memory: another one's counts begin anew */
	struct rule_tally_kept {
		uint32_t sid;
		uint64_t count, turn; /* turn: when it was last added to */
	} * kept;                     /* by sid, ascending */
	size_t count, room;
	uint64_t turn;
};

void rule_tally_fini(struct rule_tally *h);

/* Takes the counts of places that were left. Often: what is left serves nobody. NULL: no memory. */
void rule_tally_take(struct rule_tally *h, const struct shm_head *memory);

/*
 * All sids that matched, ascending, gone ones among them; the caller's to free(). NULL and 0: none,
 * or no memory. `other`: of rules that had no place; may be NULL.
 */
struct rule_hit *rule_tally_list(struct rule_tally *h, const struct shm_head *memory, size_t *count,
				 uint64_t *other);

#endif
