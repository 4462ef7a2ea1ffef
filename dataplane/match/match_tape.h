/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a matcher is fed, kept to be played again: which transactions begin and end, which buffers
 * they hold and in which pieces bodies come. So rules can be measured over the buffers of real
 * traffic without the parsers that made them.
 *
 * A tape is recorded by a matcher whose ruleset has no rules, or filled by calling the functions
 * below by hand. Control's thread or a tool's; allocates. Not for a live gate.
 */
#ifndef POSTERN_MATCH_TAPE_H
#define POSTERN_MATCH_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/match/match.h"

struct match_tape {
	struct match_op *ops;
	size_t count, room;
	uint8_t *bytes;
	size_t used, bytes_room;
	const void **txns; /* who they were */
	uint32_t txn_count, txn_room;
	uint32_t streams[RULE_BUFFER_COUNT], open[RULE_BUFFER_COUNT]; /* at once: most, now */
	uint64_t fed[RULE_BUFFER_COUNT];                              /* bytes */
	uint64_t traffic; /* bytes that all this was read from: the caller's to say */
	bool failed;      /* no memory: the tape is not whole */
};

/* All zero is an empty one. */
void match_tape_fini(struct match_tape *tape);

/* From here on the matcher, which must have no rules, records. */
void match_tape_record(struct match_tape *tape, struct matcher *matcher);

/* As the functions of match.h without `tape`; `txn` only tells one transaction from another. */
void match_tape_begin(struct match_tape *tape, const void *txn, const struct match_flow *flow,
		      const void *inherit);
void match_tape_block(struct match_tape *tape, const void *txn, enum rule_buffer buffer,
		      const void *data, size_t len);
void match_tape_open(struct match_tape *tape, const void *txn, enum rule_buffer buffer);
void match_tape_feed(struct match_tape *tape, const void *txn, enum rule_buffer buffer,
		     const void *data, size_t len);
void match_tape_close(struct match_tape *tape, const void *txn, enum rule_buffer buffer);
void match_tape_attachment(struct match_tape *tape, const void *txn);
void match_tape_whole(struct match_tape *tape, const void *txn, enum rule_buffer_family family);
void match_tape_end(struct match_tape *tape, const void *txn);

/*
 * What buffers held, in the order in which it was fed; a body in pieces, the first of which is
 * empty and `begins`.
 */
typedef void match_tape_fn(void *ctx, enum rule_buffer buffer, bool begins, const void *data,
			   size_t len);
void match_tape_each(const struct match_tape *tape, match_tape_fn *each, void *ctx);

/* A ruleset with everything that the tape needs to be played to it. */
struct match_player {
	const struct match_tape *tape;
	struct matcher *matcher;
	struct match_txn *txns;
	uint64_t hits; /* rules that held, in all plays */
	/* Which buffers each op is for: of a begin and an end, those that its transaction has. */
	uint64_t *buffers;
	/* A buffer's ops and bytes, side by side as in the tape of a gate that reads nothing else;
	 * made when they are asked for. */
	struct match_tape *part[RULE_BUFFER_COUNT];
};

/* 0 or -ENOMEM. Ruleset and tape outlive the player. */
int match_player_init(struct match_player *player, const struct match_tape *tape,
		      const struct ruleset *ruleset);
void match_player_fini(struct match_player *player);

#define MATCH_TAPE_ALL RULE_BUFFER_COUNT

/*
 * Plays the tape so many times: what is for one enum rule_buffer (and the beginning and end of the
 * transactions that have it), or all. The thread's processor time that it took: ns; 0: no memory.
 */
uint64_t match_player_run(struct match_player *player, unsigned buffer, uint64_t plays);

#endif
