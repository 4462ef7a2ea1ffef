/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers that come in pieces: streams, their tails, and confirmation that waits for bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/match/match_digest.h"
#include "dataplane/match/match_internal.h"

static bool chain_seen(const struct match_stream *s, const struct ruleset_chain *chain)
{
	return chain->tracked != RULESET_UNTRACKED &&
	       s->seen[chain->tracked / 64] >> chain->tracked % 64 & 1;
}

/* Have all chains of the part been found that must be, and none that must not? */
static bool part_complete(const struct match_call *call, const struct ruleset_part *part,
			  bool closed)
{
	const struct ruleset *rs = call->m->ruleset;
	struct match_view whole = {.start = call->stream->at, .at_end = closed};

	for (uint32_t c = 0; c < part->chains; c++) {
		const struct ruleset_chain *chain = &rs->chains[part->first_chain + c];
		bool negated = chain->flags & RULE_CHAIN_NEGATED;
		int64_t credit = MATCH_CREDIT;
		bool found = chain->flags & RULE_CHAIN_LENGTH
				     ? match_chain_holds(call->m, chain, &whole, &credit)
				     : chain_seen(call->stream, chain);

		if (found == negated)
			return false;
	}
	return true;
}

/* It ends at `at`, or thereabouts. */
static void chain_found(struct match_call *call, uint32_t index, uint64_t at)
{
	const struct ruleset *rs = call->m->ruleset;
	const struct ruleset_chain *chain = &rs->chains[index];
	const struct ruleset_part *part = &rs->parts[chain->part];

	if (rs->rules[part->rule].keep && !(chain->flags & RULE_CHAIN_NEGATED))
		match_excerpt_note(call, part, at);
	if (chain->tracked == RULESET_UNTRACKED) {
		match_part_found(call->m, call->txn, chain->part, call->buffer);
		return;
	}
	call->stream->seen[chain->tracked / 64] |= 1ull << chain->tracked % 64;
	if (!(part->flags & RULE_PART_AT_CLOSE) && part_complete(call, part, false))
		match_part_found(call->m, call->txn, chain->part, call->buffer);
}

/* A plain literal needs no bytes to be confirmed: it ended at `to`. */
static bool literal_in_place(const struct ruleset_step *step, uint64_t to)
{
	if (step->kind != RULE_STEP_CONTENT)
		return true;
	return (int64_t)(to - step->text.len) >= step->lo &&
	       (step->hi == RULESET_NO_LIMIT || (int64_t)to <= step->hi);
}

static void group_hit(struct match_call *call, uint32_t chain, uint64_t to)
{
	struct match_stream *s = call->stream;
	uint32_t reach = call->m->ruleset->chains[chain].reach;

	for (uint32_t i = s->ngroups; i-- > 0;)
		if (s->groups[i].chain == chain && to <= s->groups[i].first + reach)
			return;
	s->credit -= 16;
	if (s->ngroups == MATCH_GROUPS || s->credit < 0)
		match_over_budget(call->m, call->txn);
	else
		s->groups[s->ngroups++] = (struct match_group){to, chain, reach};
}

static void literal_found(struct match_call *call, uint32_t index, uint64_t to)
{
	const struct ruleset *rs = call->m->ruleset;
	const struct ruleset_chain *chain = &rs->chains[index];

	if (chain_seen(call->stream, chain))
		return;
	if (chain->flags & RULE_CHAIN_CONFIRM)
		group_hit(call, index, to);
	else if (literal_in_place(&rs->steps[chain->first_step], to))
		chain_found(call, index, to);
}

static int on_stream_match(unsigned int id, unsigned long long from, unsigned long long to,
			   unsigned int flags, void *context)
{
	struct match_call *call = context;
	const struct ruleset *rs = call->m->ruleset;
	const struct ruleset_pattern *pattern = &rs->patterns[call->first_pattern + id];

	call->m->stats.literals++;
	for (uint32_t i = 0; i < pattern->chains.count; i++) {
		uint32_t index = rs->starts[pattern->chains.offset + i];
		uint64_t began = watch_begin(call->m);

		literal_found(call, index, to);
		watch_end(call->m, rs->chains[index].part, began);
	}
	return 0;
}

static void tail_append(struct match_stream *s, const uint8_t *data, size_t len)
{
	if (len > s->keep) {
		data += len - s->keep;
		len = s->keep;
	}
	if (s->tail_len + len > 2 * s->keep) {
		uint32_t old = s->keep - (uint32_t)len;

		memmove(s->tail, s->tail + s->tail_len - old, old);
		s->tail_len = old;
	}
	memcpy(s->tail + s->tail_len, data, len);
	s->tail_len += (uint32_t)len;
}

/* Bytes [from, to) of the stream, which the tail and this piece hold. */
static const uint8_t *stream_bytes(const struct match_call *call, uint64_t from, uint64_t to)
{
	const struct match_stream *s = call->stream;
	const struct match_view *piece = &call->view;
	const uint8_t *tail = s->tail + s->tail_len;
	uint8_t *joined = call->m->state->joined;
	size_t before;

	if (from >= piece->start)
		return piece->p + (from - piece->start);
	before = (size_t)(piece->start - from);
	if (to <= piece->start)
		return tail - before;
	memcpy(joined, tail - before, before);
	memcpy(joined + before, piece->p, (size_t)(to - piece->start));
	return joined;
}

/* The bytes around the group, as far as they have come. */
static struct match_view group_view(const struct match_call *call, const struct match_group *group,
				    bool closed)
{
	const struct match_stream *s = call->stream;
	uint64_t oldest = call->view.start - s->tail_len;
	uint64_t from = group->first > group->reach ? group->first - group->reach : 0;
	uint64_t to = group->first + 2 * group->reach;

	if (from < oldest)
		from = oldest;
	if (to > s->at)
		to = s->at;
	return (struct match_view){.p = stream_bytes(call, from, to),
				   .len = (size_t)(to - from),
				   .start = from,
				   .at_end = closed && to == s->at};
}

static void evaluate_group(struct match_call *call, const struct match_group *group, bool closed)
{
	struct match_stream *s = call->stream;
	const struct ruleset *rs = call->m->ruleset;
	const struct ruleset_chain *chain = &rs->chains[group->chain];
	struct match_view view;

	if (chain_seen(s, chain) || match_reported(call->txn, rs->parts[chain->part].rule))
		return;
	view = group_view(call, group, closed);
	if (match_chain_holds(call->m, chain, &view, &s->credit)) {
		call->m->stats.confirmed++;
		chain_found(call, group->chain, group->first);
		return;
	}
	call->m->stats.refuted++;
	if (s->credit < 0)
		match_over_budget(call->m, call->txn);
}

static void evaluate_due(struct match_call *call, bool closed)
{
	struct match_stream *s = call->stream;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->ngroups; i++) {
		const struct match_group *group = &s->groups[i];
		uint64_t began;

		if (!closed && group->first + 2 * group->reach > s->at) {
			s->groups[kept++] = *group;
			continue;
		}
		began = watch_begin(call->m);
		evaluate_group(call, group, closed);
		watch_end(call->m, call->m->ruleset->chains[group->chain].part, began);
	}
	s->ngroups = kept;
}

static struct match_stream *stream_of(struct matcher *m, const struct match_txn *txn,
				      enum rule_buffer buffer)
{
	unsigned pool = match_pool_of(buffer);
	uint16_t slot = txn->stream[pool];

	return slot ? &m->state->pools[pool].slots[slot - 1] : NULL;
}

/* Of an open stream. */
static uint32_t slot_of(const struct match_txn *txn, enum rule_buffer buffer)
{
	return txn->stream[match_pool_of(buffer)] - 1u;
}

static struct match_call call_of(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
				 const void *data, size_t len)
{
	struct match_stream *s = stream_of(m, txn, buffer);

	return (struct match_call){
		.m = m,
		.txn = txn,
		.buffer = buffer,
		.dbi = buffer,
		.db = &m->image->db[buffer],
		.view = {.p = data, .len = len, .start = s ? s->at : 0},
		.stream = s,
	};
}

static void scan_shards(struct match_call *call, const uint8_t *p, unsigned len)
{
	const struct ruleset *rs = call->m->ruleset;

	for (uint32_t i = 0; i < call->db->shards.count; i++) {
		call->first_pattern = rs->shards[call->db->shards.offset + i].first_pattern;
		hs_scan_stream(call->stream->hs[i], (const char *)p, len, 0,
			       call->m->state->scratch, on_stream_match, call);
	}
}

/* Says what holds at the end ($), and makes the stream new. */
static void end_shards(struct match_call *call)
{
	const struct ruleset *rs = call->m->ruleset;

	for (uint32_t i = 0; i < call->db->shards.count; i++) {
		call->first_pattern = rs->shards[call->db->shards.offset + i].first_pattern;
		hs_reset_stream(call->stream->hs[i], 0, call->m->state->scratch, on_stream_match,
				call);
	}
}

/* The tail stays as it is while the piece is looked at: what is confirmed lies in both. */
void match_stream_feed_one(struct match_call *call)
{
	struct match_stream *s = call->stream;
	const uint8_t *p = call->view.p;

	s->credit += (int64_t)call->view.len * MATCH_CREDIT_PER_BYTE;
	for (size_t left = call->view.len; left > 0;) {
		size_t n = left < MATCH_SLICE ? left : MATCH_SLICE;

		s->at += n;
		scan_shards(call, p, (unsigned)n);
		if (s->ngroups)
			evaluate_due(call, false);
		p += n;
		left -= n;
	}
	if (call->txn->excerpts)
		match_excerpts_feed(call);
	if (s->keep)
		tail_append(s, call->view.p, call->view.len);
	if (s->digests)
		match_digests_update(s->digests, call->view.p, call->view.len);
}

void match_stream_scan(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		       const void *data, size_t len)
{
	struct match_call call = call_of(m, txn, buffer, data, len);

	if (!call.stream) {
		if (m->tape)
			match_tape_feed(m->tape, txn, buffer, data, len);
		return;
	}
	m->stats.bytes[buffer] += len;
	match_stream_feed_one(&call);
	if (m->ruleset->piece_lanes[buffer])
		match_lanes_feed(m, txn, buffer, slot_of(txn, buffer), data, len);
	if (m->state->npending)
		match_judge(m, txn);
}

/* Parts that were waiting for the end: each is found by a chain that must be there, if it has one.
 */
static void finish_parts(struct match_call *call)
{
	const struct ruleset *rs = call->m->ruleset;

	for (uint32_t i = 0; i < call->db->always.count; i++) {
		uint32_t index = rs->starts[call->db->always.offset + i];
		uint64_t began = watch_begin(call->m);

		if (part_complete(call, &rs->parts[index], true))
			match_part_found(call->m, call->txn, index, call->buffer);
		watch_end(call->m, index, began);
	}
	for (size_t w = 0; w < (call->db->tracked + 63) / 64; w++) {
		for (uint64_t bits = call->stream->seen[w]; bits; bits &= bits - 1) {
			uint32_t bit = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
			uint32_t index = rs->chains[rs->tracked[call->dbi][bit]].part;
			const struct ruleset_part *part = &rs->parts[index];

			if ((part->flags & RULE_PART_AT_CLOSE) && part_complete(call, part, true))
				match_part_found(call->m, call->txn, index, call->buffer);
		}
	}
}

/* A stream's lanes begin with a hash, which is known now. */
static void finish_digests(struct match_call *call)
{
	struct matcher *m = call->m;

	for (uint32_t lanes = m->ruleset->lanes[call->buffer]; lanes; lanes &= lanes - 1) {
		uint32_t lane = (uint32_t)__builtin_ctz(lanes);
		struct match_digests copy = *call->stream->digests;
		uint8_t digest[SHA256_DIGEST_SIZE];
		size_t len = match_digests_end(
			&copy, (enum rule_transform)m->image->lanes[lane].transform[0], digest);

		match_lane_scan(m, call->txn, lane, 1, digest, len);
	}
}

static void give_back(struct matcher *m, struct match_txn *txn, unsigned pool)
{
	m->state->pools[pool].free[m->state->pools[pool].nfree++] = txn->stream[pool] - 1;
	txn->stream[pool] = 0;
}

void match_stream_end_one(struct match_call *call)
{
	end_shards(call);
	evaluate_due(call, true);
	finish_parts(call);
	if (call->txn->excerpts)
		match_excerpts_close(call);
}

void match_stream_finish(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer)
{
	struct match_call call = call_of(m, txn, buffer, "", 0);

	if (!call.stream) {
		if (m->tape)
			match_tape_close(m->tape, txn, buffer);
		return;
	}
	match_stream_end_one(&call);
	if (call.stream->digests)
		finish_digests(&call);
	if (m->ruleset->piece_lanes[buffer])
		match_lanes_end(m, txn, buffer, slot_of(txn, buffer));
	give_back(m, txn, match_pool_of(buffer));
	if (m->state->npending)
		match_judge(m, txn);
}

void match_stream_renew(struct match_stream *s, const struct match_pool *pool)
{
	s->at = 0;
	s->credit = MATCH_CREDIT;
	s->tail_len = 0;
	s->ngroups = 0;
	memset(s->seen, 0, pool->seen_words * sizeof(*s->seen));
	if (s->digests)
		match_digests_init(s->digests, pool->digests);
}

bool match_stream_take(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer)
{
	unsigned index = match_pool_of(buffer);
	struct match_pool *pool = &m->state->pools[index];
	uint16_t slot;

	txn->came |= 1ull << buffer;
	if (txn->stream[index]) /* the instance before was never closed */
		match_stream_finish(m, txn, buffer);
	if (m->tape) {
		match_tape_open(m->tape, txn, buffer);
		return true;
	}
	if (!pool->nfree) {
		match_over_budget(m, txn);
		return false;
	}
	slot = pool->free[--pool->nfree];
	txn->stream[index] = slot + 1;
	match_stream_renew(&pool->slots[slot], pool);
	if (m->ruleset->piece_lanes[buffer])
		match_lanes_renew(m, buffer, slot);
	return true;
}

void match_end(struct matcher *m, struct match_txn *txn)
{
	if (m->tape)
		match_tape_end(m->tape, txn);
	for (unsigned i = 0; i < MATCH_STREAMS; i++) {
		const struct match_pool *pool = &m->state->pools[i];

		if (!txn->stream[i])
			continue;
		for (uint32_t k = 0; k < pool->shards; k++)
			hs_reset_stream(pool->slots[txn->stream[i] - 1].hs[k], 0, m->state->scratch,
					NULL, NULL);
		match_lanes_drop(m, match_pool_buffer(i), txn->stream[i] - 1u);
		give_back(m, txn, i);
	}
	match_excerpts_drop(m, txn);
	txn->known = 0;
}

/* Of a group, and before what it finds what a rule keeps: found when `reach` twice has passed. */
static uint32_t keep_bytes(const struct ruleset *rs, unsigned dbi)
{
	uint32_t reach = rs->image->db[dbi].reach;

	return rs->kept[dbi] > reach ? 2 * reach + rs->kept[dbi] : 3 * reach;
}

/* What must stay, and as much again, so that a byte is moved once at most. */
static size_t tail_bytes(const struct ruleset *rs, unsigned dbi)
{
	return 2 * (size_t)keep_bytes(rs, dbi);
}

static size_t stream_bytes_of(const struct ruleset *rs, unsigned dbi)
{
	const struct ruleset_db *db = &rs->image->db[dbi];
	size_t hs_bytes = 0, one;

	if (!db->shards.count)
		return 0;
	for (uint32_t i = 0; i < db->shards.count; i++)
		if (hs_stream_size(rs->databases[db->shards.offset + i], &one) == HS_SUCCESS)
			hs_bytes += one + sizeof(hs_stream_t *);
	return hs_bytes + sizeof(struct match_stream) + tail_bytes(rs, dbi) +
	       (db->tracked + 63) / 64 * 8;
}

size_t ruleset_stream_bytes(const struct ruleset *rs, enum rule_buffer buffer)
{
	size_t bytes = 0;

	if (rule_buffers[buffer].mode != BUFFER_STREAM)
		return 0;
	bytes = stream_bytes_of(rs, buffer);
	for (uint32_t lanes = rs->piece_lanes[buffer]; lanes; lanes &= lanes - 1) {
		uint32_t lane = (uint32_t)__builtin_ctz(lanes);

		if (rs->image->lanes[lane].streamed == rs->image->lanes[lane].count)
			bytes += stream_bytes_of(rs, RULE_BUFFER_COUNT + lane);
	}
	return bytes;
}

static int open_streams(const struct ruleset *rs, const struct ruleset_db *db, uint32_t shards,
			hs_stream_t **hs)
{
	for (uint32_t i = 0; i < shards; i++)
		if (hs_open_stream(rs->databases[db->shards.offset + i], 0, &hs[i]) != HS_SUCCESS)
			return -ENOMEM;
	return 0;
}

int match_pool_init(struct match_pool *pool, const struct ruleset *rs, unsigned dbi,
		    unsigned digests, uint32_t max_streams)
{
	const struct ruleset_db *db = &rs->image->db[dbi];
	size_t tail = tail_bytes(rs, dbi), one;

	pool->seen_words = (db->tracked + 63) / 64;
	tail = (tail + 7) & ~(size_t)7; /* the set stands behind it */
	one = tail + pool->seen_words * sizeof(uint64_t);
	pool->slots = calloc(max_streams + 1, sizeof(*pool->slots));
	pool->free = calloc(max_streams + 1, sizeof(*pool->free));
	pool->memory = calloc(max_streams + 1, one);
	/* A lane that ends in a hash has databases for what becomes of that. */
	pool->shards = dbi < RULE_BUFFER_COUNT || !digests ? db->shards.count : 0;
	pool->hs = calloc((max_streams + 1) * (pool->shards + 1), sizeof(hs_stream_t *));
	if (!pool->slots || !pool->free || !pool->hs || (one && !pool->memory))
		return -ENOMEM;
	pool->digests = digests;
	for (; pool->size < max_streams; pool->size++) {
		struct match_stream *s = &pool->slots[pool->size];

		s->hs = &pool->hs[pool->size * pool->shards];
		if (open_streams(rs, db, pool->shards, s->hs) < 0 ||
		    (pool->digests && !(s->digests = malloc(sizeof(*s->digests)))))
			return -ENOMEM;
		s->keep = keep_bytes(rs, dbi);
		s->tail = (uint8_t *)pool->memory + pool->size * one;
		s->seen = (uint64_t *)(void *)(pool->memory + pool->size * one + tail);
		/* Taken from the end: the first slots are warm. */
		pool->free[max_streams - 1 - pool->size] = (uint16_t)pool->size;
	}
	pool->nfree = max_streams;
	return 0;
}

void match_pool_fini(struct match_pool *pool)
{
	/* One more than there are: the last may have been left half made. */
	for (uint32_t i = 0; pool->slots && i <= pool->size; i++)
		free(pool->slots[i].digests);
	for (size_t i = 0; pool->hs && i < ((size_t)pool->size + 1) * pool->shards; i++)
		hs_close_stream(pool->hs[i], NULL, NULL, NULL);
	free(pool->hs);
	free(pool->slots);
	free(pool->free);
	free(pool->memory);
}
