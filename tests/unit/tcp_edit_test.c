/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers on both sides of edits, against a model that writes the receiver's stream out, byte
 * for byte, and counts.
 */
#include "dataplane/tcp/tcp_edit.h"

#include "dataplane/tcp/segment_queue.h"
#include "tests/unit/test.h"

#define STREAM 600
#define ROUNDS 4000

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* Positions are offsets from `isn`, in both spaces. */
struct model {
	uint32_t isn, len;
	uint32_t insert[STREAM + 1]; /* bytes before the sender's byte */
	bool cut[STREAM + 1];
	uint32_t begin[STREAM + 1]; /* receiver's: where the insertion before the byte begins */
	uint32_t end[STREAM + 1];   /* and where it ends, and the byte begins */
	struct tcp_edit_log log;
};

static void model_count(struct model *m)
{
	uint32_t out = 0;

	for (uint32_t x = 0; x <= m->len; x++) {
		m->begin[x] = out;
		out += m->insert[x];
		m->end[x] = out;
		out += !m->cut[x];
	}
}

static void random_edit(struct model *m, uint32_t *at)
{
	uint32_t n = 1 + below(20);

	if (below(2)) {
		for (uint32_t k = 0; k < n && *at + k < m->len; k++)
			m->cut[*at + k] = true;
		n = *at + n > m->len ? m->len - *at : n;
		tcp_edit_cut(&m->log, m->isn + *at, n);
		*at += n;
	} else {
		m->insert[*at] += n;
		tcp_edit_insert(&m->log, m->isn + *at, n);
	}
	if (below(3))
		*at += below(30);
}

static void model_make(struct model *m)
{
	uint32_t at;

	memset(m, 0, sizeof(*m));
	m->isn = (uint32_t) - (int32_t)below(STREAM);
	m->len = STREAM / 2 + below(STREAM / 2);
	for (at = below(40); at < m->len && tcp_edit_has_room(&m->log);)
		random_edit(m, &at);
	model_count(m);
}

/* The most that a sender may be told when its receiver has `q` bytes. */
static uint32_t model_ack(const struct model *m, uint32_t q)
{
	uint32_t x = m->len;

	/* Bytes before x end where the insertion before x begins. */
	while (m->begin[x] > q)
		x--;
	return x;
}

static uint32_t model_sack_left(const struct model *m, uint32_t q)
{
	uint32_t x = 0;

	while (m->end[x] < q)
		x++;
	return x;
}

static uint32_t model_missing(const struct model *m, uint32_t q)
{
	uint32_t n = 0;

	for (uint32_t x = 0; x <= m->len; x++)
		if (m->end[x] > q)
			n += m->begin[x] > q ? m->insert[x] : m->end[x] - q;
	return n;
}

static void assert_as_modelled(const struct model *m, uint32_t from_x, uint32_t from_q)
{
	const struct tcp_edit_log *log = &m->log;

	for (uint32_t x = from_x; x <= m->len; x++) {
		assert_int_equal(tcp_edit_seq(log, m->isn + x) - m->isn, m->end[x]);
		if (x > from_x)
			assert_int_equal(tcp_edit_end(log, m->isn + x) - m->isn, m->begin[x]);
	}
	for (uint32_t q = from_q; q <= m->end[m->len]; q++) {
		assert_int_equal(tcp_edit_ack(log, m->isn + q) - m->isn, model_ack(m, q));
		assert_int_equal(tcp_edit_missing(log, m->isn + q), model_missing(m, q));
		if (q > from_q)
			assert_int_equal(tcp_edit_sack_left(log, m->isn + q) - m->isn,
					 model_sack_left(m, q));
	}
}

static void numbers_are_those_of_the_streams(void **state)
{
	for (seed = 1; seed <= ROUNDS; seed++) {
		uint64_t keep = seed;
		struct model m;

		model_make(&m);
		assert_as_modelled(&m, 0, 0);
		seed = keep;
	}
}

/* Behind the floor everything stays as it was; what is before it stays before it. */
static void what_was_acknowledged_is_forgotten_and_moves_nothing(void **state)
{
	for (seed = 1; seed <= ROUNDS / 10; seed++) {
		uint64_t keep = seed;
		uint32_t inserted = 0, all = 0, q = 0;
		struct model m;

		model_make(&m);
		for (uint32_t x = 0; x <= m.len; x++)
			all += m.insert[x];
		while (q < m.end[m.len]) {
			uint32_t floor, floor_q;

			q += 1 + below(60);
			q = q < m.end[m.len] ? q : m.end[m.len];
			inserted += tcp_edit_fold(&m.log, m.isn + q);
			if (!m.log.folded)
				continue;
			floor = m.log.floor - m.isn;
			floor_q = tcp_edit_end(&m.log, m.log.floor) - m.isn;
			assert_true(floor_q <= q);
			assert_as_modelled(&m, floor, floor_q);
			/* Old numbers are never taken for new ones. */
			for (uint32_t x = 0; x < floor; x++)
				assert_true(seq_at_or_before(tcp_edit_seq(&m.log, m.isn + x),
							     m.isn + q));
			for (uint32_t a = 0; a < floor_q; a++)
				assert_true(seq_at_or_before(tcp_edit_ack(&m.log, m.isn + a),
							     m.isn + floor));
		}
		assert_int_equal(m.log.count, 0);
		assert_int_equal(inserted, all);
		seed = keep;
	}
}

static void edits_that_touch_are_one(void **state)
{
	struct tcp_edit_log log = {0};

	for (unsigned i = 0; i < 10 * TCP_EDITS; i++)
		tcp_edit_cut(&log, UINT32_MAX - 100 + 7 * i, 7);
	for (unsigned i = 0; i < 10 * TCP_EDITS; i++)
		tcp_edit_insert(&log, 1u << 20, 3);
	assert_int_equal(log.count, 2);
	assert_true(tcp_edit_has_room(&log));
	assert_int_equal(tcp_edit_missing(&log, UINT32_MAX - 100), 30 * TCP_EDITS);
}

/* A half line is kept back, acknowledged, and sent on by the gate when it is whole. */
static void what_is_put_back_leaves_the_numbers_as_they_were(void **state)
{
	struct tcp_edit_log log = {0};
	uint32_t at = UINT32_MAX - 4;

	/* What was refused before it has nothing to do with it. */
	log.base = 5;
	tcp_edit_cut(&log, at - 5, 5);
	tcp_edit_hold(&log, at, 6);
	assert_int_equal(tcp_edit_held(&log), at);
	tcp_edit_hold(&log, at + 6, 4);
	assert_int_equal(tcp_edit_ack(&log, at), at + 10);
	/* Whatever is acknowledged: it may come back. */
	assert_int_equal(tcp_edit_fold(&log, at), 0);
	assert_int_equal(log.count, 1);
	tcp_edit_put_back(&log);
	assert_false(log.open);
	assert_int_equal(tcp_edit_seq(&log, at + 10), at + 10);
	assert_int_equal(tcp_edit_seq(&log, at + 11), at + 11);
	assert_int_equal(tcp_edit_ack(&log, at + 10), at + 10);
	assert_int_equal(tcp_edit_missing(&log, at + 3), 7);
	assert_int_equal(tcp_edit_fold(&log, at + 9), 0);
	assert_int_equal(tcp_edit_fold(&log, at + 10), 10);
	assert_int_equal(log.base, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_the_streams),
		cmocka_unit_test(what_was_acknowledged_is_forgotten_and_moves_nothing),
		cmocka_unit_test(edits_that_touch_are_one),
		cmocka_unit_test(what_is_put_back_leaves_the_numbers_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
