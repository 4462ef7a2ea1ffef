/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match_tape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum match_op_kind { TAPE_BEGIN, TAPE_BLOCK, TAPE_OPEN, TAPE_FEED, TAPE_CLOSE, TAPE_END };

#define NOBODY UINT32_MAX

struct match_op {
	size_t offset; /* in the tape's bytes; of TAPE_BEGIN: the flow */
	uint32_t len;
	uint32_t txn;
	uint32_t inherit; /* of TAPE_BEGIN */
	uint8_t kind, buffer;
};

void match_tape_fini(struct match_tape *tape)
{
	free(tape->ops);
	free(tape->bytes);
	free(tape->txns);
	memset(tape, 0, sizeof(*tape));
}

void match_tape_record(struct match_tape *tape, struct matcher *matcher)
{
	matcher->tape = tape;
	for (int b = 0; b < RULE_BUFFER_COUNT; b++)
		matcher->scans[b] = true;
}

/* Recording ---------------------------------------------------------------- */

static uint64_t txn_hash(const void *txn)
{
	return ((uint64_t)(uintptr_t)txn >> 3) * 0x9e3779b97f4a7c15u >> 20;
}

/* Where it stands, or a free place for it: `txns` is a hash set, at most half full. */
static uint32_t txn_place(const struct match_tape *tape, const void *txn)
{
	uint32_t at = (uint32_t)(txn_hash(txn) % tape->txn_room);

	while (tape->txns[at] && tape->txns[at] != txn)
		at = at + 1 == tape->txn_room ? 0 : at + 1;
	return at;
}

/* Ops that are written already name places: a new table renumbers them. */
static bool txns_grow(struct match_tape *tape)
{
	struct match_tape grown = {.txn_room = tape->txn_room ? tape->txn_room * 2 : 64};
	uint32_t *moved = calloc(tape->txn_room + 1u, sizeof(*moved));

	grown.txns = calloc(grown.txn_room, sizeof(*grown.txns));
	if (!grown.txns || !moved) {
		free(grown.txns);
		free(moved);
		return false;
	}
	for (uint32_t i = 0; i < tape->txn_room; i++) {
		if (!tape->txns[i])
			continue;
		moved[i] = txn_place(&grown, tape->txns[i]);
		grown.txns[moved[i]] = tape->txns[i];
	}
	for (size_t i = 0; i < tape->count; i++) {
		struct match_op *op = &tape->ops[i];

		op->txn = moved[op->txn];
		op->inherit = op->inherit == NOBODY ? NOBODY : moved[op->inherit];
	}
	free(moved);
	free(tape->txns);
	tape->txns = grown.txns;
	tape->txn_room = grown.txn_room;
	return true;
}

static uint32_t txn_of(struct match_tape *tape, const void *txn)
{
	uint32_t at;

	if (tape->txn_count * 2 >= tape->txn_room && !txns_grow(tape)) {
		tape->failed = true;
		return 0;
	}
	at = txn_place(tape, txn);
	if (!tape->txns[at]) {
		tape->txns[at] = txn;
		tape->txn_count++;
	}
	return at;
}

static bool room_for(void **array, size_t *room, size_t want, size_t unit)
{
	void *more;

	if (want <= *room)
		return true;
	more = reallocarray(*array, want * 2 + 1024, unit);
	if (!more)
		return false;
	*array = more;
	*room = want * 2 + 1024;
	return true;
}

static struct match_op *op_add(struct match_tape *tape, enum match_op_kind kind, const void *txn,
			       const void *data, size_t len)
{
	uint32_t who = txn_of(tape, txn);
	struct match_op *op;

	if (tape->failed || len > UINT32_MAX ||
	    !room_for((void **)&tape->ops, &tape->room, tape->count + 1, sizeof(*tape->ops)) ||
	    !room_for((void **)&tape->bytes, &tape->bytes_room, tape->used + len, 1)) {
		tape->failed = true;
		return NULL;
	}
	op = &tape->ops[tape->count++];
	*op = (struct match_op){
		.offset = tape->used,
		.len = (uint32_t)len,
		.txn = who,
		.inherit = NOBODY,
		.kind = (uint8_t)kind,
	};
	if (len)
		memcpy(tape->bytes + tape->used, data, len);
	tape->used += len;
	return op;
}

static void op_add_to(struct match_tape *tape, enum match_op_kind kind, const void *txn,
		      enum rule_buffer buffer, const void *data, size_t len)
{
	struct match_op *op = op_add(tape, kind, txn, data, len);

	if (op)
		op->buffer = (uint8_t)buffer;
	tape->fed[buffer] += len;
}

void match_tape_begin(struct match_tape *tape, const void *txn, const struct match_flow *flow,
		      const void *inherit)
{
	struct match_op *op = op_add(tape, TAPE_BEGIN, txn, flow, sizeof(*flow));

	if (op && inherit)
		op->inherit = txn_of(tape, inherit);
}

void match_tape_block(struct match_tape *tape, const void *txn, enum rule_buffer buffer,
		      const void *data, size_t len)
{
	op_add_to(tape, TAPE_BLOCK, txn, buffer, data, len);
}

void match_tape_open(struct match_tape *tape, const void *txn, enum rule_buffer buffer)
{
	op_add_to(tape, TAPE_OPEN, txn, buffer, NULL, 0);
	if (++tape->open[buffer] > tape->streams[buffer])
		tape->streams[buffer] = tape->open[buffer];
}

void match_tape_feed(struct match_tape *tape, const void *txn, enum rule_buffer buffer,
		     const void *data, size_t len)
{
	op_add_to(tape, TAPE_FEED, txn, buffer, data, len);
}

void match_tape_close(struct match_tape *tape, const void *txn, enum rule_buffer buffer)
{
	op_add_to(tape, TAPE_CLOSE, txn, buffer, NULL, 0);
	if (tape->open[buffer])
		tape->open[buffer]--;
}

void match_tape_end(struct match_tape *tape, const void *txn)
{
	op_add(tape, TAPE_END, txn, NULL, 0);
}

void match_tape_each(const struct match_tape *tape, match_tape_fn *each, void *ctx)
{
	for (size_t i = 0; i < tape->count; i++) {
		const struct match_op *op = &tape->ops[i];

		if (op->kind == TAPE_BLOCK || op->kind == TAPE_OPEN || op->kind == TAPE_FEED)
			each(ctx, (enum rule_buffer)op->buffer, op->kind != TAPE_FEED,
			     tape->bytes + op->offset, op->len);
	}
}

/* Playing ------------------------------------------------------------------ */

/* A transaction that ends with a body open has not closed it: a few to spare. */
static uint32_t streams_needed(const struct match_tape *tape)
{
	uint32_t most = 1;

	for (int b = 0; b < RULE_BUFFER_COUNT; b++)
		if (tape->streams[b] > most)
			most = tape->streams[b];
	most = most < tape->txn_count ? most : tape->txn_count + 1;
	return most < UINT16_MAX - 64 ? most + 32 : UINT16_MAX - 1;
}

int match_player_init(struct match_player *player, const struct match_tape *tape,
		      const struct ruleset *ruleset)
{
	*player = (struct match_player){
		.tape = tape,
		.txns = calloc(tape->txn_room + 1u, sizeof(*player->txns)),
	};
	if (!player->txns || matcher_new(ruleset, streams_needed(tape), &player->matcher) < 0) {
		match_player_fini(player);
		return -ENOMEM;
	}
	return 0;
}

void match_player_fini(struct match_player *player)
{
	matcher_free(player->matcher);
	free(player->txns);
	memset(player, 0, sizeof(*player));
}

/* Commands that are refused alone, as smtp_scan_command() does. */
static bool is_renewed(enum rule_buffer buffer)
{
	return buffer == RULE_BUFFER_SMTP_HELO || buffer == RULE_BUFFER_SMTP_MAIL_FROM ||
	       buffer == RULE_BUFFER_SMTP_RCPT_TO;
}

static void play(struct match_player *player, const struct match_op *op)
{
	const struct match_tape *tape = player->tape;
	struct matcher *m = player->matcher;
	struct match_txn *txn = &player->txns[op->txn];
	enum rule_buffer buffer = op->buffer;
	struct match_flow flow;

	switch ((enum match_op_kind)op->kind) {
	case TAPE_BEGIN:
		memcpy(&flow, tape->bytes + op->offset, sizeof(flow));
		flow.keep = NULL; /* it was of a flow that is over */
		match_begin(m, txn, &flow,
			    op->inherit == NOBODY ? NULL : &player->txns[op->inherit]);
		break;
	case TAPE_BLOCK:
		if (is_renewed(buffer))
			match_renew(txn);
		match_block(m, txn, buffer, tape->bytes + op->offset, op->len);
		break;
	case TAPE_OPEN:
		match_stream_open(m, txn, buffer);
		break;
	case TAPE_FEED:
		match_stream_feed(m, txn, buffer, tape->bytes + op->offset, op->len);
		break;
	case TAPE_CLOSE:
		match_stream_close(m, txn, buffer);
		break;
	case TAPE_END:
		match_end(m, txn);
		break;
	}
	player->hits += m->nhits;
	m->nhits = 0;
}

static bool is_of(const struct match_op *op, unsigned buffer)
{
	return buffer == MATCH_TAPE_ALL || op->kind == TAPE_BEGIN || op->kind == TAPE_END ||
	       op->buffer == buffer;
}

static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t match_player_run(struct match_player *player, unsigned buffer)
{
	const struct match_tape *tape = player->tape;
	uint64_t began = thread_ns(), took;

	for (size_t i = 0; i < tape->count; i++)
		if (is_of(&tape->ops[i], buffer))
			play(player, &tape->ops[i]);
	took = thread_ns() - began;
	/* What the recording left open ends here, outside of the time: the next play begins anew.
	 */
	for (uint32_t i = 0; i < tape->txn_room; i++)
		match_end(player->matcher, &player->txns[i]);
	return took;
}
