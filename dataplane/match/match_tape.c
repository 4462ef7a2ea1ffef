/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/match_tape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum match_op_kind {
	TAPE_BEGIN,
	TAPE_BLOCK,
	TAPE_OPEN,
	TAPE_FEED,
	TAPE_CLOSE,
	TAPE_ATTACHMENT,
	TAPE_WHOLE,
	TAPE_END
};

#define NOBODY UINT32_MAX

struct match_op {
	size_t offset; /* in the tape's bytes; of TAPE_BEGIN: the flow */
	uint32_t len;
	uint32_t txn;
	uint32_t inherit;     /* of TAPE_BEGIN */
	uint8_t kind, buffer; /* of TAPE_WHOLE: the family */
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

/* Appends it with its bytes; NULL and a tape that is not whole: no memory. */
static struct match_op *op_copy(struct match_tape *tape, const struct match_op *op,
				const void *data)
{
	struct match_op *copy;

	if (!room_for((void **)&tape->ops, &tape->room, tape->count + 1, sizeof(*tape->ops)) ||
	    !room_for((void **)&tape->bytes, &tape->bytes_room, tape->used + op->len, 1)) {
		tape->failed = true;
		return NULL;
	}
	copy = &tape->ops[tape->count++];
	*copy = *op;
	copy->offset = tape->used;
	if (data)
		memcpy(tape->bytes + tape->used, data, op->len);
	tape->used += op->len;
	return copy;
}

static struct match_op *op_add(struct match_tape *tape, enum match_op_kind kind, const void *txn,
			       const void *data, size_t len)
{
	struct match_op op = {
		.len = (uint32_t)len,
		.txn = txn_of(tape, txn),
		.inherit = NOBODY,
		.kind = (uint8_t)kind,
	};

	tape->failed |= len > UINT32_MAX;
	return tape->failed ? NULL : op_copy(tape, &op, data);
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

void match_tape_attachment(struct match_tape *tape, const void *txn)
{
	op_add(tape, TAPE_ATTACHMENT, txn, NULL, 0);
}

void match_tape_whole(struct match_tape *tape, const void *txn, enum rule_buffer_family family)
{
	struct match_op *op = op_add(tape, TAPE_WHOLE, txn, NULL, 0);

	if (op)
		op->buffer = (uint8_t)family;
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

_Static_assert(RULE_BUFFER_COUNT <= 64, "they are a bit each");

/* Backwards: a begin is of the buffers that were met since its transaction's end. */
static bool find_buffers(struct match_player *player)
{
	const struct match_tape *tape = player->tape;
	uint64_t *met = calloc(tape->txn_room + 1u, sizeof(*met));
	size_t *end = calloc(tape->txn_room + 1u, sizeof(*end)); /* 1 + its op */

	for (size_t i = tape->count; met && end && i-- > 0;) {
		const struct match_op *op = &tape->ops[i];

		if (op->kind == TAPE_END) {
			end[op->txn] = i + 1;
			met[op->txn] = 0;
		} else if (op->kind == TAPE_BEGIN) {
			player->buffers[i] = met[op->txn];
			if (end[op->txn])
				player->buffers[end[op->txn] - 1] = met[op->txn];
			end[op->txn] = 0;
			met[op->txn] = 0;
		} else if (op->kind == TAPE_ATTACHMENT || op->kind == TAPE_WHOLE) {
			player->buffers[i] = met[op->txn];
		} else {
			player->buffers[i] = 1ull << op->buffer;
			met[op->txn] |= 1ull << op->buffer;
		}
	}
	free(met);
	free(end);
	return met && end;
}

int match_player_init(struct match_player *player, const struct match_tape *tape,
		      const struct ruleset *ruleset)
{
	*player = (struct match_player){
		.tape = tape,
		.txns = calloc(tape->txn_room + 1u, sizeof(*player->txns)),
		.buffers = calloc(tape->count + 1, sizeof(*player->buffers)),
	};
	if (!player->txns || !player->buffers || !find_buffers(player) ||
	    matcher_new(ruleset, streams_needed(tape), &player->matcher) < 0) {
		match_player_fini(player);
		return -ENOMEM;
	}
	return 0;
}

void match_player_fini(struct match_player *player)
{
	matcher_free(player->matcher);
	free(player->txns);
	free(player->buffers);
	for (unsigned b = 0; b < RULE_BUFFER_COUNT; b++) {
		if (player->part[b])
			match_tape_fini(player->part[b]);
		free(player->part[b]);
	}
	memset(player, 0, sizeof(*player));
}

/* Commands that are refused alone, as smtp_scan_command() does. */
static bool is_renewed(enum rule_buffer buffer)
{
	return buffer == RULE_BUFFER_SMTP_HELO || buffer == RULE_BUFFER_SMTP_MAIL_FROM ||
	       buffer == RULE_BUFFER_SMTP_RCPT_TO;
}

static void play(struct match_player *player, const struct match_op *op, const uint8_t *data)
{
	struct matcher *m = player->matcher;
	struct match_txn *txn = &player->txns[op->txn];
	enum rule_buffer buffer = op->buffer;
	struct match_flow flow;

	switch ((enum match_op_kind)op->kind) {
	case TAPE_BEGIN:
		memcpy(&flow, data, sizeof(flow));
		flow.keep = NULL;  /* it was of a flow that is over */
		match_end(m, txn); /* what the play before left open */
		match_begin(m, txn, &flow,
			    op->inherit == NOBODY ? NULL : &player->txns[op->inherit]);
		break;
	case TAPE_BLOCK:
		if (is_renewed(buffer))
			match_renew(txn);
		match_block(m, txn, buffer, data, op->len);
		break;
	case TAPE_OPEN:
		match_stream_open(m, txn, buffer);
		break;
	case TAPE_FEED:
		match_stream_feed(m, txn, buffer, data, op->len);
		break;
	case TAPE_CLOSE:
		match_stream_close(m, txn, buffer);
		break;
	case TAPE_ATTACHMENT:
		match_attachment_begin(m, txn);
		break;
	case TAPE_WHOLE:
		match_whole(m, txn, (enum rule_buffer_family)op->buffer);
		break;
	case TAPE_END:
		match_end(m, txn);
		break;
	}
	player->hits += m->nhits;
	m->nhits = 0;
}

static uint64_t thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The transactions' numbers stay. */
static const struct match_tape *part_of(struct match_player *player, unsigned buffer)
{
	const struct match_tape *tape = player->tape;
	struct match_tape *part;

	if (buffer == MATCH_TAPE_ALL)
		return tape;
	part = player->part[buffer];
	if (part)
		return part;
	part = player->part[buffer] = calloc(1, sizeof(*part));
	for (size_t i = 0; part && !part->failed && i < tape->count; i++)
		if (player->buffers[i] >> buffer & 1)
			op_copy(part, &tape->ops[i], tape->bytes + tape->ops[i].offset);
	return part && !part->failed ? part : NULL;
}

static void play_once(struct match_player *player, const struct match_tape *tape)
{
	for (size_t i = 0; i < tape->count; i++)
		play(player, &tape->ops[i], tape->bytes + tape->ops[i].offset);
}

uint64_t match_player_run(struct match_player *player, unsigned buffer, uint64_t plays)
{
	const struct match_tape *tape = part_of(player, buffer);
	uint64_t began = thread_ns();

	if (!tape)
		return 0;
	while (plays--)
		play_once(player, tape);
	return thread_ns() - began;
}
