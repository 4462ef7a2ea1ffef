/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts and buckets of more things than are kept: never too low, and too high as seldom as said.
 */
#include "dataplane/policy/count_min.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define WINDOW (10 * MINUTE)
#define START  (UINT64_C(1700000000) * SECOND)

static uint64_t number(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return mix64(*state);
}

static struct sketch_key key_of(uint64_t tenant, uint64_t thing)
{
	return (struct sketch_key){mix64(tenant * 7919 + 1), mix64(thing * 104729 + 2)};
}

static struct count_min sketch_of(uint64_t width)
{
	struct count_min sketch;

	assert_int_equal(count_min_init(&sketch, width), 0);
	return sketch;
}

static void the_61st_within_ten_minutes_is_not_counted(void **state)
{
	struct count_min s = sketch_of(4096);
	const struct sketch_key bob = key_of(1, 1);

	for (unsigned i = 1; i <= 60; i++)
		assert_int_equal(count_min_add(&s, bob, START + i * 9 * SECOND, WINDOW, 60), i);
	assert_int_equal(count_min_add(&s, bob, START + 599 * SECOND, WINDOW, 60), 0);
	assert_int_equal(count_min_ask(&s, bob, START + 599 * SECOND, WINDOW), 60);
	/* 60 others, and the same one of another tenant. */
	for (unsigned i = 2; i <= 61; i++)
		assert_int_equal(count_min_add(&s, key_of(1, i), START + 599 * SECOND, WINDOW, 60),
				 1);
	assert_int_equal(count_min_add(&s, key_of(2, 1), START + 599 * SECOND, WINDOW, 60), 1);
	count_min_fini(&s);
}

static void what_is_counted_counts_for_the_window_and_half_of_it_more_at_most(void **state)
{
	struct count_min s = sketch_of(4096);

	for (uint64_t phase = 0; phase < WINDOW; phase += 37 * SECOND) {
		const struct sketch_key key = key_of(1, phase);
		const uint64_t at = START + phase;

		assert_int_equal(count_min_add(&s, key, at, WINDOW, 0), 1);
		assert_int_equal(count_min_ask(&s, key, at + WINDOW, WINDOW), 1);
		assert_int_equal(count_min_ask(&s, key, at + WINDOW * 3 / 2, WINDOW), 0);
		/* A slice's number comes again after 228 days. */
		assert_int_equal(count_min_ask(&s, key, at + 65000 * (WINDOW / 2), WINDOW), 0);
	}
	count_min_fini(&s);
}

static void a_worker_whose_clock_is_behind_counts_as_well(void **state)
{
	struct count_min s = sketch_of(4096);
	const struct sketch_key key = key_of(1, 1);
	const uint64_t edge = (START / WINDOW + 1) * WINDOW;

	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(count_min_add(&s, key, edge + (i % 2 ? 0 : -SECOND), WINDOW, 0),
				 i + 1);
	count_min_fini(&s);
}

/* What there truly was, in the order of time. */
struct happened {
	uint64_t at;
	unsigned thing;
};

#define HAPPENED 30000
#define THINGS   3000

static unsigned truly(const struct happened *h, unsigned n)
{
	unsigned count = 0;

	for (unsigned i = n; i-- > 0 && h[i].at + WINDOW >= h[n - 1].at;)
		count += h[i].thing == h[n - 1].thing;
	return count;
}

static void no_count_is_too_low(void **state)
{
	/* Few cells, so that many share: 64 in a span. */
	struct count_min s = sketch_of(1024);
	struct happened *h = calloc(HAPPENED, sizeof(*h));
	uint64_t random = 1, at = START;
	unsigned low = 0, high = 0;

	for (unsigned i = 0; i < HAPPENED; i++) {
		unsigned count;

		at += number(&random) % SECOND;
		h[i] = (struct happened){at, (unsigned)(number(&random) % THINGS)};
		/* A few are met often. */
		if (i % 4 == 0)
			h[i].thing %= 10;
		count = count_min_add(&s, key_of(1, h[i].thing), at, WINDOW, 0);
		low += count < truly(h, i + 1);
		high += count > truly(h, i + 1);
	}
	assert_int_equal(low, 0);
	assert_true(high > 0);
	free(h);
	count_min_fini(&s);
}

/* `n` things of one tenant, each once; then how far too high those are that come next. */
struct error {
	double share; /* of those that are too high */
	double mean;
	unsigned most;
};

static struct error error_at(uint64_t n, uint64_t width)
{
	struct count_min s = sketch_of(width);
	struct error e = {0};
	const unsigned asked = 20000;

	for (uint64_t i = 0; i < n; i++)
		count_min_add(&s, key_of(1, i), START, WINDOW, 0);
	for (unsigned i = 0; i < asked; i++) {
		unsigned over = count_min_ask(&s, key_of(1, n + 1 + i), START, WINDOW);

		e.share += over > 0;
		e.mean += over;
		e.most = over > e.most ? over : e.most;
	}
	e.share /= asked;
	e.mean /= asked;
	count_min_fini(&s);
	return e;
}

static void counts_are_too_high_as_seldom_as_is_said(void **state)
{
	const uint64_t width = 1 << 18, span = width / SKETCH_SPANS;
	const struct error quarter = error_at(span / 4, width), one = error_at(span, width),
			   four = error_at(4 * span, width);

	print_message(
		"# s/4: %.4f by %.2f, %u at most; s: %.3f by %.2f, %u; 4s: %.3f by %.2f, %u\n",
		quarter.share, quarter.mean, quarter.most, one.share, one.mean, one.most,
		four.share, four.mean, four.most);
	assert_true(quarter.share < 0.004 && quarter.most <= 1);
	assert_true(one.share < 0.2 && one.most <= 3);
	assert_true(four.mean < 4 && four.most <= 8);
}

static void a_tenants_flood_leaves_others_alone(void **state)
{
	/* 4,096 cells a span, 250,000 things: the flood fills its own with some 60 each. */
	struct count_min s = sketch_of(1 << 16);
	const unsigned asked = 200000;
	unsigned raised = 0, most = 0;

	for (uint64_t i = 0; i < 250000; i++)
		count_min_add(&s, key_of(1, i), START, WINDOW, 0);
	for (unsigned i = 0; i < asked; i++) {
		unsigned over = count_min_ask(&s, key_of(2 + i / 20, i), START, WINDOW);

		raised += over > 0;
		most = over > most ? over : most;
	}
	print_message("# %u of %u of 10,000 others' are raised, by %u at most\n", raised, asked,
		      most);
	/* 1 in 65,536 of all tenants' things; most of these in a few unlucky tenants. */
	assert_true(raised < asked / 1000);
	count_min_fini(&s);
}

#define THREADS 4
#define EACH    5000

struct together {
	struct count_min *sketch;
	pthread_barrier_t *barrier;
	uint32_t limit, counted;
	unsigned index;
};

static void *count_together(void *ctx)
{
	struct together *t = ctx;

	pthread_barrier_wait(t->barrier);
	for (unsigned i = 0; i < EACH; i++) {
		t->counted += count_min_add(t->sketch, key_of(1, 1), START, WINDOW, t->limit) > 0;
		count_min_add(t->sketch, key_of(1, 2 + (i * THREADS + t->index) % 50), START,
			      WINDOW, 0);
	}
	return NULL;
}

static uint32_t run_together(struct count_min *s, uint32_t limit)
{
	struct together t[THREADS];
	pthread_barrier_t barrier;
	pthread_t thread[THREADS];
	uint32_t counted = 0;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (unsigned i = 0; i < THREADS; i++) {
		t[i] = (struct together){s, &barrier, limit, 0, i};
		assert_int_equal(pthread_create(&thread[i], NULL, count_together, &t[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		counted += t[i].counted;
	}
	pthread_barrier_destroy(&barrier);
	return counted;
}

static void workers_together_count_each_of_them(void **state)
{
	/* 16 cells a span: all of them are fought for. */
	struct count_min s = sketch_of(256);
	uint32_t counted = run_together(&s, 0);

	assert_int_equal(counted, THREADS * EACH);
	assert_true(count_min_ask(&s, key_of(1, 1), START, WINDOW) >= counted);
	count_min_fini(&s);
	s = sketch_of(4096);
	assert_true(run_together(&s, 60) <= 60);
	count_min_fini(&s);
}

static void buckets_refill(void **state)
{
	/* 10 a minute. */
	const struct gcra limit = {6 * SECOND, 54 * SECOND};
	struct count_min s = sketch_of(4096);
	const struct sketch_key key = key_of(1, 1);

	for (unsigned i = 0; i < 10; i++)
		assert_true(count_min_take(&s, key, &limit, START));
	assert_false(count_min_take(&s, key, &limit, START));
	assert_true(count_min_take(&s, key_of(1, 2), &limit, START));
	assert_true(count_min_take(&s, key_of(2, 1), &limit, START));
	assert_false(count_min_take(&s, key, &limit, START + 5 * SECOND));
	assert_true(count_min_take(&s, key, &limit, START + 6 * SECOND));
	assert_false(count_min_take(&s, key, &limit, START + 6 * SECOND));
	for (unsigned i = 0; i < 10; i++)
		assert_true(count_min_take(&s, key, &limit, START + MINUTE + 6 * SECOND));
	count_min_fini(&s);
}

static void buckets_never_give_more_than_the_limit(void **state)
{
	const struct gcra limit = {6 * SECOND, 54 * SECOND};
	struct count_min s = sketch_of(256);
	gcra_word exact[100] = {0};
	uint64_t random = 3, at = START;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned thing = (unsigned)(number(&random) % 100);
		struct gcra own = limit;

		at += number(&random) % SECOND / 4;
		if (!count_min_take(&s, key_of(1, thing), &limit, at))
			continue;
		/* What it gives, the thing's own bucket would have given. */
		assert_true(gcra_take(&exact[thing], &own, at, 1));
	}
	count_min_fini(&s);
}

static void a_width_that_is_none_is_refused(void **state)
{
	struct count_min s;

	assert_int_not_equal(count_min_init(&s, 0), 0);
	assert_int_not_equal(count_min_init(&s, 128), 0);
	assert_int_not_equal(count_min_init(&s, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_61st_within_ten_minutes_is_not_counted),
		cmocka_unit_test(what_is_counted_counts_for_the_window_and_half_of_it_more_at_most),
		cmocka_unit_test(a_worker_whose_clock_is_behind_counts_as_well),
		cmocka_unit_test(no_count_is_too_low),
		cmocka_unit_test(counts_are_too_high_as_seldom_as_is_said),
		cmocka_unit_test(a_tenants_flood_leaves_others_alone),
		cmocka_unit_test(workers_together_count_each_of_them),
		cmocka_unit_test(buckets_refill),
		cmocka_unit_test(buckets_never_give_more_than_the_limit),
		cmocka_unit_test(a_width_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
