/* SPDX-License-Identifier: BSD-3-Clause */
/* Transactions, blocks, and when a rule is reported. */
#include "dataplane/match/match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/match/match_internal.h"
#include "dataplane/match/match_memory.h"

#define OWN_MEMORY 1024 /* entries of a matcher's that nobody gave a memory */

#define REPORTED 0x80000000u /* the entry is a rule, not a part */
#define GROUP    0x40000000u /* all parts of its group, in one attachment */

_Static_assert(RULE_BUFFER_COUNT <= 64, "a transaction has a bit for each");

static bool remembered(const struct match_txn *txn, uint32_t entry)
{
	for (unsigned i = 0; i < txn->known; i++)
		if (txn->memory[i] == entry)
			return true;
	return false;
}

void match_over_budget(struct matcher *m, struct match_txn *txn)
{
	txn->over_budget = true;
	m->stats.over_budget++;
}

static bool remember(struct matcher *m, struct match_txn *txn, uint32_t entry)
{
	if (txn->known == MATCH_MEMORY) {
		match_over_budget(m, txn);
		return false;
	}
	txn->memory[txn->known++] = entry;
	return true;
}

bool match_reported(const struct match_txn *txn, uint32_t rule)
{
	return remembered(txn, rule | REPORTED);
}

/* The first part of the rule that is of that group. */
static uint32_t group_of(const struct ruleset_part *parts, const struct ruleset_rule *rule,
			 uint8_t group)
{
	uint32_t p = rule->first_part;

	while (parts[p].group != group)
		p++;
	return p;
}

/* Does it hold, as far as is known before the transaction has come whole? */
static bool known_to_hold(const struct ruleset_part *parts, const struct ruleset_rule *rule,
			  const struct match_txn *txn, uint32_t p)
{
	if (parts[p].flags & RULE_PART_NONE)
		return false;
	if (parts[p].group)
		return remembered(txn, group_of(parts, rule, parts[p].group) | GROUP);
	return remembered(txn, parts[p].fact);
}

static bool other_parts_hold(const struct ruleset_part *parts, const struct ruleset_rule *rule,
			     const struct match_txn *txn, uint32_t part)
{
	for (uint32_t p = rule->first_part; p < rule->first_part + rule->parts; p++)
		if (p != part && !known_to_hold(parts, rule, txn, p))
			return false;
	return true;
}

static void remember_once(struct matcher *m, struct match_txn *txn, uint32_t entry)
{
	if (!remembered(txn, entry))
		remember(m, txn, entry);
}

static void remember_part(struct matcher *m, struct match_txn *txn, const struct ruleset_part *part)
{
	remember_once(m, txn, part->fact);
}

/* One of several that must hold of one attachment: do all of them now? */
static bool group_holds(struct matcher *m, struct match_txn *txn, const struct ruleset_rule *rule,
			uint32_t part)
{
	const struct ruleset_part *parts = m->ruleset->parts;
	uint8_t group = parts[part].group;

	remember_part(m, txn, &parts[part]);
	for (uint32_t p = rule->first_part; p < rule->first_part + rule->parts; p++)
		if (parts[p].group == group && p != part && !remembered(txn, parts[p].fact))
			return false;
	remember_once(m, txn, group_of(parts, rule, group) | GROUP);
	return true;
}

void match_remember_rule(struct matcher *m, struct match_txn *txn, uint32_t rule)
{
	remember(m, txn, rule | REPORTED);
}

void match_report(struct matcher *m, struct match_txn *txn, uint32_t index, enum rule_buffer buffer,
		  bool silent, uint8_t action)
{
	const struct ruleset_rule *rule = &m->ruleset->rules[index];

	/* A transaction whose memory is full can't tell; the caller's list can, a while. */
	for (uint32_t i = 0; txn->known == MATCH_MEMORY && i < m->nhits; i++)
		if (m->hits[i].rule == rule)
			return;
	if (m->nhits == m->max_hits) {
		match_over_budget(m, txn);
		return;
	}
	m->hits[m->nhits++] = (struct match_hit){rule, buffer, silent, action};
	remember(m, txn, index | REPORTED);
}

/* All that the rule says of buffers holds. */
static void rule_found(struct matcher *m, struct match_txn *txn, uint32_t rule,
		       enum rule_buffer buffer)
{
	if (m->ruleset->rules[rule].conditions)
		match_defer(m, txn, rule, buffer);
	else
		match_report(m, txn, rule, buffer, false, m->ruleset->rules[rule].action);
}

void match_part_found(struct matcher *m, struct match_txn *txn, uint32_t part,
		      enum rule_buffer buffer)
{
	const struct ruleset *rs = m->ruleset;
	uint32_t index = rs->parts[part].rule;
	const struct ruleset_rule *rule = &rs->rules[index];
	bool all;

	if (!rule->writes && match_reported(txn, index))
		return;
	if (!match_scope_holds(rs, &rs->scopes[rule->scope], &txn->flow, buffer))
		return;
	if (rs->parts[part].flags & RULE_PART_NONE) {
		remember_part(m, txn, &rs->parts[part]);
		return;
	}
	if (rs->parts[part].group && !group_holds(m, txn, rule, part))
		return;
	all = rule->parts == 1 || other_parts_hold(rs->parts, rule, txn, part);
	/* What its conditions ask for may be there at another part's next hit. */
	if (rule->parts > 1 && (rule->conditions || !all))
		remember_part(m, txn, &rs->parts[part]);
	if (all)
		rule_found(m, txn, index, buffer);
}

/* Does it hold, now that all has come? */
static bool holds_at_last(const struct ruleset_part *parts, const struct ruleset_rule *rule,
			  const struct match_txn *txn, uint32_t p)
{
	/* What was left out may have been there. */
	if (parts[p].flags & RULE_PART_NONE)
		return !txn->over_budget && !remembered(txn, parts[p].fact);
	if ((parts[p].flags & RULE_PART_ABSENT) && !(txn->came >> parts[p].buffer & 1))
		return true;
	return known_to_hold(parts, rule, txn, p);
}

static void close_rule(struct matcher *m, struct match_txn *txn, uint32_t index)
{
	const struct ruleset *rs = m->ruleset;
	const struct ruleset_rule *rule = &rs->rules[index];
	uint32_t last = rule->first_part; /* that the end decided */

	for (uint32_t p = rule->first_part; p < rule->first_part + rule->parts; p++) {
		if (!holds_at_last(rs->parts, rule, txn, p))
			return;
		if (rs->parts[p].flags & (RULE_PART_NONE | RULE_PART_ABSENT))
			last = p;
	}
	if (!match_reported(txn, index) &&
	    match_scope_holds(rs, &rs->scopes[rule->scope], &txn->flow,
			      (enum rule_buffer)rs->parts[last].buffer))
		rule_found(m, txn, index, (enum rule_buffer)rs->parts[last].buffer);
}

void match_whole(struct matcher *m, struct match_txn *txn, enum rule_buffer_family family)
{
	const struct ruleset *rs = m->ruleset;
	struct ruleset_span closing = m->image->closing;

	if (m->tape)
		match_tape_whole(m->tape, txn, family);
	for (uint32_t i = 0; i < closing.count; i++) {
		uint32_t rule = rs->starts[closing.offset + i];
		uint64_t began = watch_begin(m);

		if (rule_buffers[rs->parts[rs->rules[rule].first_part].buffer].family == family)
			close_rule(m, txn, rule);
		watch_end(m, rs->rules[rule].first_part, began);
	}
	if (m->state->npending)
		match_judge(m, txn);
}

void match_attachment_begin(struct matcher *m, struct match_txn *txn)
{
	unsigned kept = 0;

	if (m->tape)
		match_tape_attachment(m->tape, txn);
	if (!m->image->groups)
		return;
	for (unsigned i = 0; i < txn->known; i++)
		if (txn->memory[i] >= GROUP || !m->ruleset->parts[txn->memory[i]].group)
			txn->memory[kept++] = txn->memory[i];
	txn->known = (uint8_t)kept;
}

void match_begin(struct matcher *m, struct match_txn *txn, const struct match_flow *flow,
		 const struct match_txn *inherit)
{
	txn->flow = *flow;
	memset(txn->stream, 0, sizeof(txn->stream));
	txn->known = 0;
	txn->excerpts = 0;
	txn->over_budget = false;
	txn->came = inherit ? inherit->came : 0;
	for (unsigned i = 0; inherit && i < inherit->known; i++)
		if (!(inherit->memory[i] & REPORTED))
			txn->memory[txn->known++] = inherit->memory[i];
	if (m->tape)
		match_tape_begin(m->tape, txn, flow, inherit);
}

void match_renew(struct match_txn *txn)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < txn->known; i++)
		if (!(txn->memory[i] & REPORTED))
			txn->memory[kept++] = txn->memory[i];
	txn->known = (uint8_t)kept;
}

static bool part_holds(struct match_call *call, const struct ruleset_part *part)
{
	const struct ruleset *rs = call->m->ruleset;

	for (uint32_t c = 0; c < part->chains; c++) {
		const struct ruleset_chain *chain = &rs->chains[part->first_chain + c];
		bool holds = match_chain_holds(call->m, chain, &call->view, &call->credit);

		if (call->credit < 0) {
			match_over_budget(call->m, call->txn);
			return false;
		}
		if (holds == !!(chain->flags & RULE_CHAIN_NEGATED))
			return false;
	}
	return true;
}

/* A candidate in a block: looked at once, whole, however many of its literals are there. */
static void look_at_part(struct match_call *call, uint32_t index, bool confirm)
{
	struct matcher *m = call->m;
	const struct ruleset_part *part = &m->ruleset->parts[index];

	if (m->state->part_epoch[index] == m->state->epoch)
		return;
	m->state->part_epoch[index] = m->state->epoch;
	if (confirm || part->chains > 1) {
		if (!m->ruleset->rules[part->rule].writes && match_reported(call->txn, part->rule))
			return;
		if (!part_holds(call, part)) {
			m->stats.refuted++;
			return;
		}
		m->stats.confirmed++;
	}
	match_part_found(m, call->txn, index, call->buffer);
}

static int on_block_match(unsigned int id, unsigned long long from, unsigned long long to,
			  unsigned int flags, void *context)
{
	struct match_call *call = context;
	const struct ruleset *rs = call->m->ruleset;
	const struct ruleset_pattern *pattern = &rs->patterns[call->first_pattern + id];

	call->m->stats.literals++;
	for (uint32_t i = 0; i < pattern->chains.count; i++) {
		const struct ruleset_chain *chain =
			&rs->chains[rs->starts[pattern->chains.offset + i]];
		uint64_t began = watch_begin(call->m);

		look_at_part(call, chain->part, chain->flags & RULE_CHAIN_CONFIRM);
		watch_end(call->m, chain->part, began);
	}
	return 0;
}

/* One instance of a buffer, or what a lane made of it, to the rules of one database. */
static void scan_whole(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		       unsigned db, const uint8_t *p, size_t len)
{
	const struct ruleset *rs = m->ruleset;
	struct match_call call = {
		.m = m,
		.txn = txn,
		.buffer = buffer,
		.dbi = db,
		.db = &m->image->db[db],
		.view = {.p = len ? p : (const void *)"", .len = len, .at_end = true},
		.credit = MATCH_CREDIT + (int64_t)len * MATCH_CREDIT_PER_BYTE,
	};

	if (++m->state->epoch == 0) { /* once in 2^32: no part may look seen */
		memset(m->state->part_epoch, 0, m->image->parts.count * sizeof(uint32_t));
		m->state->epoch = 1;
	}
	m->state->whole = &call.view;
	m->state->txn = txn;
	for (uint32_t i = 0; i < call.db->shards.count; i++) {
		uint32_t shard = call.db->shards.offset + i;

		call.first_pattern = rs->shards[shard].first_pattern;
		hs_scan(rs->databases[shard], (const char *)call.view.p, (unsigned)len, 0,
			m->state->scratch, on_block_match, &call);
	}
	for (uint32_t i = 0; i < call.db->always.count; i++) {
		uint32_t part = rs->starts[call.db->always.offset + i];
		uint64_t began = watch_begin(m);

		look_at_part(&call, part, true);
		watch_end(m, part, began);
	}
	m->state->whole = NULL;
}

void match_lane_scan(struct matcher *m, struct match_txn *txn, uint32_t index, unsigned first,
		     const uint8_t *p, size_t len)
{
	const struct ruleset_lane *lane = &m->image->lanes[index];

	if (match_transform(m, lane, first, p, len, &p, &len))
		scan_whole(m, txn, (enum rule_buffer)lane->buffer, RULE_BUFFER_COUNT + index, p,
			   len);
	else
		match_over_budget(m, txn);
}

void match_block_scan(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		      const void *data, size_t len)
{
	if (rule_buffers[buffer].mode == BUFFER_STREAM) { /* it came whole, for once */
		if (match_stream_take(m, txn, buffer)) {
			match_stream_scan(m, txn, buffer, data, len);
			match_stream_finish(m, txn, buffer);
		}
		return;
	}
	m->stats.bytes[buffer] += len;
	txn->came |= 1ull << buffer;
	if (m->tape)
		match_tape_block(m->tape, txn, buffer, data, len);
	scan_whole(m, txn, buffer, buffer, data, len);
	for (uint32_t lanes = m->ruleset->lanes[buffer]; lanes; lanes &= lanes - 1)
		match_lane_scan(m, txn, (uint32_t)__builtin_ctz(lanes), 0, data, len);
	if (m->state->npending)
		match_judge(m, txn);
}

static bool remembers(const struct ruleset_image *image)
{
	const struct ruleset_condition *c = RULESET_AT(image, struct ruleset_condition, conditions);

	for (uint32_t i = 0; i < image->conditions.count; i++)
		if (c[i].kind == RULE_ON_XBITS || c[i].kind == RULE_ON_COUNT ||
		    c[i].kind == RULE_ON_RATE || c[i].kind == RULE_ON_DATASET)
			return true;
	return false;
}

/* Of rules that few have. */
static int alloc_extras(const struct ruleset_image *image, struct matcher *m)
{
	if (remembers(image) && match_memory_new(OWN_MEMORY, NULL, &m->state->memory) < 0)
		return -ENOMEM;
	m->memory = m->state->memory;
	if (image->lane_count)
		m->state->transformed = malloc(2 * (MATCH_TRANSFORM_MAX + 2 * RULESET_TRANSFORMS));
	if (m->state->transformed)
		m->state->spare = m->state->transformed + MATCH_TRANSFORM_MAX +
				  2 * RULESET_TRANSFORMS;
	return image->lane_count && !m->state->transformed ? -ENOMEM : 0;
}

/* Hashes that a buffer's streams are asked for, as they come. */
static unsigned digests_wanted(const struct ruleset *rs, enum rule_buffer buffer)
{
	unsigned wanted = 0;

	for (uint32_t lanes = rs->lanes[buffer]; lanes; lanes &= lanes - 1)
		wanted |= 1u << rs->image->lanes[__builtin_ctz(lanes)].transform[0];
	return wanted;
}

/* The buffer's own, and those of what is made of it as it comes. */
static int alloc_streams(const struct ruleset *rs, struct matcher *m, enum rule_buffer buffer,
			 uint32_t max_streams)
{
	struct matcher_state *state = m->state;
	int rc = match_pool_init(&state->pools[match_pool_of(buffer)], rs, buffer,
				 digests_wanted(rs, buffer), max_streams);

	for (uint32_t lanes = rs->piece_lanes[buffer]; lanes && rc == 0; lanes &= lanes - 1) {
		uint32_t l = (uint32_t)__builtin_ctz(lanes);
		const struct ruleset_lane *lane = &rs->image->lanes[l];
		bool hashed = lane->streamed < lane->count;

		rc = match_pool_init(&state->lanes[l], rs, RULE_BUFFER_COUNT + l,
				     hashed ? 1u << lane->transform[lane->streamed] : 0,
				     max_streams);
	}
	return rc;
}

static int alloc_state(const struct ruleset *rs, struct matcher *m, uint32_t max_streams)
{
	struct matcher_state *state = m->state;
	int rc = 0;

	state->part_epoch = calloc(rs->image->parts.count + 1, sizeof(uint32_t));
	state->match_data = pcre2_match_data_create(1, NULL);
	state->group = pcre2_match_data_create(2, NULL);
	m->max_hits = rs->image->rules.count + 1;
	m->hits = calloc(m->max_hits, sizeof(*m->hits));
	if (!state->part_epoch || !state->match_data || !state->group || !m->hits)
		return -ENOMEM;
	rc = alloc_extras(rs->image, m);
	for (uint32_t i = 0; i < rs->image->shards.count && rc == 0; i++)
		if (hs_alloc_scratch(rs->databases[i], &state->scratch) != HS_SUCCESS)
			rc = -ENOMEM;
	for (int b = 0; b < RULE_BUFFER_COUNT && rc == 0; b++) {
		m->scans[b] = rs->image->db[b].shards.count || rs->image->db[b].always.count ||
			      rs->lanes[b] || rs->piece_lanes[b] || (rs->awaited >> b & 1);
		if (m->scans[b] && rule_buffers[b].mode == BUFFER_STREAM)
			rc = alloc_streams(rs, m, (enum rule_buffer)b, max_streams);
	}
	return rc < 0 ? rc : match_excerpts_init(m, max_streams);
}

int matcher_new(const struct ruleset *rs, uint32_t max_streams, struct matcher **matcherp)
{
	struct matcher *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	m->ruleset = rs;
	m->image = rs->image;
	m->state = calloc(1, sizeof(*m->state));
	rc = max_streams >= UINT16_MAX ? -EINVAL
	     : m->state                ? alloc_state(rs, m, max_streams)
				       : -ENOMEM;
	if (rc < 0) {
		matcher_free(m);
		return rc;
	}
	*matcherp = m;
	return 0;
}

void matcher_free(struct matcher *m)
{
	if (!m)
		return;
	if (m->state) {
		for (int i = 0; i < MATCH_STREAMS; i++)
			match_pool_fini(&m->state->pools[i]);
		for (int i = 0; i < RULESET_LANES; i++)
			match_pool_fini(&m->state->lanes[i]);
		match_excerpts_fini(m);
		hs_free_scratch(m->state->scratch);
		pcre2_match_data_free(m->state->match_data);
		pcre2_match_data_free(m->state->group);
		free(m->state->part_epoch);
		free(m->state->transformed);
		match_memory_free(m->state->memory);
	}
	free(m->state);
	free(m->hits);
	free(m);
}
