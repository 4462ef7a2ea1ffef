/* SPDX-License-Identifier: BSD-3-Clause */
/* Places of rules' hits over many rulesets: what is counted is counted for the right sid. */
#include "dataplane/live/rule_places.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "control/rules/rule_tally.h"
#include "tests/unit/test.h"

#define WORKERS 2
#define PLACES  256
#define RULES   60 /* of a generation */
#define SIDS    500

static const struct shm_layout layout = {
	.workers = WORKERS, .slots = 1, .rules = PLACES, .ring_size = EVENT_RING_MINIMUM};
static struct shm_head *shm;
static size_t bytes;
static struct rule_tally kept;
static uint64_t expected[SIDS + 1], seed;

static int setup(void **state)
{
	bytes = shm_size(&layout);
	shm = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shm == MAP_FAILED)
		return -1;
	shm_format(shm, &layout);
	memset(expected, 0, sizeof(expected));
	seed = 1;
	return 0;
}

static int teardown(void **state)
{
	rule_tally_fini(&kept);
	munmap(shm, bytes);
	return 0;
}

/* A ruleset as far as places go: an image with nothing but sids. */
struct generation {
	struct ruleset_image *image;
	struct rule_places places;
};

static uint32_t sid_at(const struct generation *g, uint32_t i)
{
	return RULESET_AT(g->image, struct ruleset_rule, rules)[i].sid;
}

static void generation_make(struct generation *g, const uint32_t *sids, uint32_t count)
{
	struct ruleset_rule *rules;

	g->image = calloc(1, sizeof(*g->image) + (count + 1) * sizeof(*rules));
	g->image->rules = (struct ruleset_span){sizeof(*g->image), count};
	rules = (void *)(g->image + 1);
	for (uint32_t i = 0; i < count; i++)
		rules[i].sid = sids[i];
	assert_int_equal(rule_places_init(&g->places, g->image, shm), 0);
}

static void generation_free(struct generation *g)
{
	rule_places_fini(&g->places);
	free(g->image);
	*g = (struct generation){0};
}

static uint32_t rnd(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

/* Some stay, the others are any. */
static void generation_random(struct generation *g)
{
	uint32_t sids[RULES], count = 0;
	bool taken[SIDS + 1] = {false};

	while (count < RULES) {
		uint32_t sid = count < 20 ? count + 1 : 1 + rnd(SIDS);

		if (!taken[sid])
			sids[count++] = sid;
		taken[sid] = true;
	}
	generation_make(g, sids, RULES);
}

static void count_some(const struct generation *g)
{
	for (unsigned n = 0; g->image && n < 100; n++) {
		uint32_t i = rnd(RULES);

		shm_hits(shm, rnd(WORKERS))[g->places.place[i]]++;
		expected[sid_at(g, i)]++;
	}
}

static void leave(const struct generation *a, const struct generation *b)
{
	const struct rule_places *held[2] = {&a->places};

	if (b && b->image)
		held[1] = &b->places;
	assert_int_equal(rule_places_leave(held, b && b->image ? 2 : 1, shm), 0);
}

static void each_has_what_it_counted(void)
{
	uint64_t other, found = 0;
	struct rule_hit *list;
	size_t count;

	list = rule_tally_list(&kept, shm, &count, &other);
	assert_int_equal(other, 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(list[i].sid <= SIDS && (!i || list[i].sid > list[i - 1].sid));
		if (list[i].count != expected[list[i].sid])
			fail_msg("sid %u: %lu, not %lu", list[i].sid, (unsigned long)list[i].count,
				 (unsigned long)expected[list[i].sid]);
		found++;
	}
	free(list);
	for (uint32_t sid = 1; sid <= SIDS; sid++)
		found -= expected[sid] > 0;
	assert_int_equal(found, 0);
}

/* The new one is held while the old one is still counted for; `take` is posternd, now and then. */
static void run_generations(unsigned generations, void (*take)(unsigned n))
{
	struct generation now = {0}, before = {0}, next = {0};

	for (unsigned n = 0; n < generations; n++) {
		generation_random(&next);
		count_some(&now);
		generation_free(&before);
		before = now;
		now = next;
		leave(&now, &before);
		count_some(&before);
		count_some(&now);
		take(n);
		assert_int_equal(now.places.without, 0);
	}
	generation_free(&before);
	generation_free(&now);
}

static void take_sometimes(unsigned n)
{
	if (n % 2)
		rule_tally_take(&kept, shm);
	if (n % 97 == 0)
		each_has_what_it_counted();
}

static void counts_are_right_over_many_generations(void **state)
{
	run_generations(2000, take_sometimes);
	each_has_what_it_counted();
}

/* Another process in life: it takes whatever was left, whenever. */
static atomic_bool ends;
static atomic_uint rounds;

static void *control(void *unused)
{
	while (!atomic_load(&ends)) {
		rule_tally_take(&kept, shm);
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

static void let_it_take(unsigned n)
{
	unsigned seen = atomic_load(&rounds);

	/* Two whole rounds: what was left before has been taken. */
	while (n % 3 == 0 && atomic_load(&rounds) < seen + 2)
		sched_yield();
}

static void counts_are_right_while_control_takes_them(void **state)
{
	pthread_t thread;

	atomic_store(&ends, false);
	assert_int_equal(pthread_create(&thread, NULL, control, NULL), 0);
	run_generations(2000, let_it_take);
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
	each_has_what_it_counted();
}

static void a_sid_keeps_its_place_as_long_as_any_has_it(void **state)
{
	struct generation a = {0}, b = {0}, c = {0};

	generation_make(&a, (uint32_t[]){1, 2, 3}, 3);
	generation_make(&b, (uint32_t[]){3, 4}, 2);
	assert_int_equal(b.places.place[0], a.places.place[2]);
	leave(&a, &b);
	rule_tally_take(&kept, shm);
	generation_make(&c, (uint32_t[]){2, 5}, 2);
	assert_int_equal(c.places.place[0], a.places.place[1]);
	for (unsigned i = 0; i < 3; i++)
		assert_int_not_equal(c.places.place[1], a.places.place[i]);
	generation_free(&a);
	generation_free(&b);
	generation_free(&c);
}

static void without_a_place_it_waits_for_one(void **state)
{
	uint32_t sids[PLACES + 20];
	struct generation first = {0}, second = {0};

	for (uint32_t i = 0; i < PLACES + 20; i++)
		sids[i] = i + 1;
	generation_make(&first, sids, PLACES - 1);
	assert_int_equal(first.places.without, 0);
	generation_make(&second, sids + 20, PLACES - 1);
	assert_int_equal(second.places.without, 20);
	shm_hits(shm, 0)[second.places.place[PLACES - 2]] += 5; /* the place of all without one */
	/* The first ones are gone, and posternd has not come by. */
	shm_hits(shm, 0)[first.places.place[0]] += 3;
	generation_free(&first);
	leave(&second, NULL);
	assert_int_equal(rule_places_fill(&second.places, second.image, shm), 0);
	assert_int_equal(second.places.without, 20);
	rule_tally_take(&kept, shm);
	assert_int_equal(rule_places_fill(&second.places, second.image, shm), 0);
	assert_int_equal(second.places.without, 0);
	for (uint32_t i = 0; i < PLACES - 1; i++)
		assert_int_equal(shm_hits(shm, 0)[second.places.place[i]], 0);
	assert_int_equal(kept.count, 1);
	assert_int_equal(kept.kept[0].sid, 1);
	assert_int_equal(kept.kept[0].count, 3);
	assert_int_equal(shm_hits(shm, 0)[0], 5);
	generation_free(&second);
}

static void a_count_that_was_taken_is_not_taken_twice(void **state)
{
	struct generation g = {0}, none = {0};
	struct shm_rule *rule;
	uint32_t word;

	generation_make(&g, (uint32_t[]){9}, 1);
	rule = &shm_rules(shm)[g.places.place[0]];
	generation_make(&none, NULL, 0);
	leave(&none, NULL);
	word = atomic_load(&rule->state);
	assert_int_equal(shm_rule_state(word), SHM_RULE_LEFT);
	/* It came back and was left again between two looks: that is another word. */
	generation_free(&g);
	generation_make(&g, (uint32_t[]){9}, 1);
	leave(&none, NULL);
	assert_int_equal(shm_rule_state(atomic_load(&rule->state)), SHM_RULE_LEFT);
	assert_false(shm_rule_move(rule, word, SHM_RULE_FREE));
	generation_free(&g);
	generation_free(&none);
}

static void of_very_many_sids_that_are_gone_the_first_are_forgotten(void **state)
{
	struct generation g = {0}, none = {0};
	size_t count;
	uint64_t other;

	generation_make(&none, NULL, 0);
	for (uint32_t sid = 1; sid <= RULE_TALLY_KEPT + 100; sid += PLACES - 1) {
		uint32_t sids[PLACES - 1];

		for (uint32_t i = 0; i < PLACES - 1; i++)
			sids[i] = sid + i;
		generation_make(&g, sids, PLACES - 1);
		for (uint32_t i = 0; i < PLACES - 1; i++)
			shm_hits(shm, 0)[g.places.place[i]] += sids[i];
		generation_free(&g);
		leave(&none, NULL);
		rule_tally_take(&kept, shm);
	}
	free(rule_tally_list(&kept, shm, &count, &other));
	assert_in_range(count, RULE_TALLY_KEPT / 2, RULE_TALLY_KEPT);
	for (size_t i = 0; i < kept.count; i++)
		assert_int_equal(kept.kept[i].count, kept.kept[i].sid);
	assert_int_not_equal(kept.kept[0].sid, 1);
	/* Another dataplane's counts are others. */
	shm->started++;
	rule_tally_take(&kept, shm);
	assert_int_equal(kept.count, 0);
	generation_free(&none);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(counts_are_right_over_many_generations),
		TEST(counts_are_right_while_control_takes_them),
		TEST(a_sid_keeps_its_place_as_long_as_any_has_it),
		TEST(without_a_place_it_waits_for_one),
		TEST(a_count_that_was_taken_is_not_taken_twice),
		TEST(of_very_many_sids_that_are_gone_the_first_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
