/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/match/match_cost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 101
#define PLAYS_MAX  100000

double match_ns_per_kib(double ns, uint64_t bytes)
{
	return bytes ? ns * 1024 / (double)bytes : 0;
}

double match_gbits(double ns, uint64_t bytes)
{
	return ns > 0 ? (double)bytes * 8 / ns : 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The first play warms up, and tells how many of them make a round. */
static struct match_time measure(struct match_player *player, unsigned buffer, unsigned rounds,
				 uint64_t round_ns)
{
	uint64_t once = match_player_run(player, buffer, 1);
	uint64_t plays = once ? round_ns / once + 1 : PLAYS_MAX;
	double round[ROUNDS_MAX];

	if (plays > PLAYS_MAX)
		plays = PLAYS_MAX;
	for (unsigned r = 0; r < rounds; r++)
		round[r] = (double)match_player_run(player, buffer, plays) / (double)plays;
	qsort(round, rounds, sizeof(*round), by_value);
	return (struct match_time){round[rounds / 2], round[0], round[rounds - 1]};
}

static double less(double ns, double nothing)
{
	return ns > nothing ? ns - nothing : 0;
}

int match_cost_measure(const struct match_tape *tape, const struct ruleset *ruleset,
		       unsigned rounds, uint64_t round_ns, bool buffers, struct match_cost *cost)
{
	struct match_player player;
	int rc;

	if (!rounds || rounds > ROUNDS_MAX || tape->failed)
		return -EINVAL;
	rc = match_player_init(&player, tape, ruleset);
	if (rc < 0)
		return rc;
	memset(cost, 0, sizeof(*cost));
	match_player_run(&player, MATCH_TAPE_ALL, 1);
	cost->stats = player.matcher->stats;
	cost->hits = player.hits;
	cost->all = measure(&player, MATCH_TAPE_ALL, rounds, round_ns);
	for (unsigned b = 0; buffers && b < RULE_BUFFER_COUNT; b++)
		if (player.matcher->scans[b] && tape->fed[b])
			cost->buffer[b] = measure(&player, b, rounds, round_ns / 4);
	match_player_fini(&player);
	return 0;
}

/* Cycles in a nanosecond. */
static double cycles_per_ns(void)
{
	struct timespec a, b;
	uint64_t began;
	double ns;

	clock_gettime(CLOCK_MONOTONIC, &a);
	began = match_cycles();
	do {
		clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
	} while (ns < 5e6);
	return (double)(match_cycles() - began) / ns;
}

#define LOOK_MOST 20 /* ns that looking at the clock can take: more was something else */

/*
 * Plays with the clock and without, in turns: what the clock takes is the difference of the
 * quickest, and half of it lies between two looks. ns of that half, of one look.
 */
static double watched_plays(struct match_player *player, struct match_watch *watch, uint32_t rules,
			    unsigned plays)
{
	double with = 0, without = 0, look;
	uint64_t looks = 0;

	for (unsigned i = 0; i < plays; i++) {
		double ns;

		player->matcher->watch = watch;
		ns = (double)match_player_run(player, MATCH_TAPE_ALL, 1);
		with = !i || ns < with ? ns : with;
		player->matcher->watch = NULL;
		ns = (double)match_player_run(player, MATCH_TAPE_ALL, 1);
		without = !i || ns < without ? ns : without;
	}
	for (uint32_t i = 0; i < rules; i++)
		looks += watch->rules[i].found;
	look = looks ? less(with, without) / 2 * plays / (double)looks : 0;
	return look < LOOK_MOST ? look : LOOK_MOST;
}

int match_cost_shares(const struct match_tape *tape, const struct ruleset *ruleset, unsigned plays,
		      struct match_share *shares)
{
	uint32_t rules = ruleset_image(ruleset)->rules.count;
	struct match_watch watch = {.rules = calloc(rules + 1u, sizeof(*watch.rules))};
	struct match_player player;
	double per_ns, look;
	int rc = watch.rules ? match_player_init(&player, tape, ruleset) : -ENOMEM;

	if (rc < 0) {
		free(watch.rules);
		return rc;
	}
	per_ns = cycles_per_ns();
	match_player_run(&player, MATCH_TAPE_ALL, 1);
	look = watched_plays(&player, &watch, rules, plays);
	for (uint32_t i = 0; i < rules; i++) {
		const struct match_work *work = &watch.rules[i];

		shares[i].found = work->found / plays;
		shares[i].ns = less((double)work->cycles / per_ns, look * (double)work->found) /
			       plays;
	}
	match_player_fini(&player);
	free(watch.rules);
	return 0;
}
