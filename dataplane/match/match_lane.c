/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Buffers that come in pieces, as transforms make them: each piece goes through a lane's transforms
 * and then to the lane's rules as a stream of its own, or into a hash.
 */
#include <string.h>

#include "dataplane/match/match_digest.h"
#include "dataplane/match/match_internal.h"

/* One lane and its stream, for the data of one call. */
struct lane {
	struct matcher *m;
	struct match_txn *txn;
	const struct ruleset_lane *lane;
	uint32_t index;
	struct match_stream *stream;
};

static struct lane lane_at(struct matcher *m, struct match_txn *txn, uint32_t index, uint32_t slot)
{
	return (struct lane){m, txn, &m->image->lanes[index], index,
			     &m->state->lanes[index].slots[slot]};
}

static bool is_hashed(const struct ruleset_lane *lane)
{
	return lane->streamed < lane->count;
}

static struct match_call call_of(const struct lane *l, const uint8_t *p, size_t len)
{
	return (struct match_call){
		.m = l->m,
		.txn = l->txn,
		.buffer = (enum rule_buffer)l->lane->buffer,
		.dbi = RULE_BUFFER_COUNT + l->index,
		.db = &l->m->image->db[RULE_BUFFER_COUNT + l->index],
		.view = {.p = p, .len = len, .start = l->stream->at},
		.stream = l->stream,
	};
}

static struct ruleset_str key_of(const struct lane *l, unsigned i)
{
	uint32_t argument = l->lane->argument[i];

	return argument ? l->m->ruleset->arguments[argument - 1].text : (struct ruleset_str){0, 0};
}

/*
 * The piece through all transforms, from one buffer to the other and back; `last`: with what they
 * still hold. Each may add two bytes, and a piece is a slice at most.
 */
static const uint8_t *filter(const struct lane *l, const uint8_t *p, size_t *len, bool last)
{
	struct matcher_state *state = l->m->state;

	for (unsigned i = 0; i < l->lane->streamed; i++) {
		struct match_filter *f = &l->stream->filter[i];
		uint8_t *out = state->filtered[i % 2];

		*len = match_filter(f, (enum rule_transform)l->lane->transform[i], key_of(l, i),
				    RULESET_AT(l->m->image, char, strings), p, *len, out);
		if (last)
			*len += match_filter_end(f, out + *len);
		p = out;
	}
	return p;
}

static void lane_take(const struct lane *l, const uint8_t *p, size_t len)
{
	struct match_call call = call_of(l, p, len);

	if (is_hashed(l->lane))
		match_digests_update(l->stream->digests, p, len);
	else if (len)
		match_stream_feed_one(&call);
}

void match_lanes_renew(struct matcher *m, enum rule_buffer buffer, uint32_t slot)
{
	for (uint32_t lanes = m->ruleset->piece_lanes[buffer]; lanes; lanes &= lanes - 1) {
		struct match_pool *pool = &m->state->lanes[__builtin_ctz(lanes)];
		struct match_stream *s = &pool->slots[slot];

		match_stream_renew(s, pool);
		memset(s->filter, 0, sizeof(s->filter));
	}
}

void match_lanes_feed(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		      uint32_t slot, const uint8_t *p, size_t len)
{
	for (uint32_t lanes = m->ruleset->piece_lanes[buffer]; lanes; lanes &= lanes - 1) {
		struct lane l = lane_at(m, txn, (uint32_t)__builtin_ctz(lanes), slot);

		for (size_t at = 0; at < len; at += MATCH_SLICE) {
			size_t n = len - at < MATCH_SLICE ? len - at : MATCH_SLICE;
			const uint8_t *made = filter(&l, p + at, &n, false);

			lane_take(&l, made, n);
		}
	}
}

static void lane_end(const struct lane *l)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	size_t len = 0;
	const uint8_t *rest = filter(l, (const uint8_t *)"", &len, true);
	struct match_call call;

	lane_take(l, rest, len);
	if (!is_hashed(l->lane)) {
		call = call_of(l, (const uint8_t *)"", 0);
		match_stream_end_one(&call);
		return;
	}
	len = match_digests_end(l->stream->digests,
				(enum rule_transform)l->lane->transform[l->lane->streamed], digest);
	match_lane_scan(l->m, l->txn, l->index, l->lane->streamed + 1u, digest, len);
}

void match_lanes_end(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		     uint32_t slot)
{
	for (uint32_t lanes = m->ruleset->piece_lanes[buffer]; lanes; lanes &= lanes - 1) {
		struct lane l = lane_at(m, txn, (uint32_t)__builtin_ctz(lanes), slot);

		lane_end(&l);
	}
}

void match_lanes_drop(struct matcher *m, enum rule_buffer buffer, uint32_t slot)
{
	for (uint32_t lanes = m->ruleset->piece_lanes[buffer]; lanes; lanes &= lanes - 1) {
		const struct match_pool *pool = &m->state->lanes[__builtin_ctz(lanes)];

		for (uint32_t k = 0; k < pool->shards; k++)
			hs_reset_stream(pool->slots[slot].hs[k], 0, m->state->scratch, NULL, NULL);
	}
}
