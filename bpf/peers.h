/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Who answered a tenant lately: servers, by address and port, that sent a SYN with ACK to a SYN of
 * the tenant's. A flood of SYNs into the void takes nothing from these: they have a bucket of their
 * own (struct tenant_slot), as large as the tenant's other one, and of that each has an eighth, so
 * that a flood to a server that answers takes nothing from the other ones either.
 *
 * A tenant has PEER_SETS sets of PEER_WAYS words that are nobody else's: nobody can push out
 * another's. A set's first PEER_ASKED words are of those that were asked and haven't answered yet.
 * Who wasn't asked isn't known, whatever he sends; and who could be taken for another is one in
 * 10,000 (a tag of 16 bits, six of them compared).
 *
 * The same for the kernel and for workers, in memory that all CPUs write without a lock: a word
 * that two write at once is one of theirs.
 */
#ifndef POSTERN_PEERS_H
#define POSTERN_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/gcra.h"
#include "bpf/mix.h"
#include "bpf/stage_packet.h"

#define PEER_WAYS  8
#define PEER_ASKED 2  /* of them */
#define PEER_SETS  32 /* a tenant's; a power of two */
#define PEER_SHARE 8  /* of the bucket of all, that each has */
#define PEER_TRIES 8  /* to take of it, while other CPUs do */

/*
 * A word: a tag (never 0), when he last answered, when his share is full again.
 * Units of time: 2^36 ns (69 s), in 16 bits; and 2^16 ns (66 us), in 32. Both wrap.
 */
#define PEER_SEEN_SHIFT  36
#define PEER_DEBT_SHIFT  16
#define PEER_KNOWN_TIME  1257       /* in the former: a day */
#define PEER_ANSWER_TIME 2          /* no less than 137 s: Linux asks for 127 */
#define PEER_DEBT_MAX    (1u << 29) /* in the latter: what is further ahead was long ago */

enum peer_step {
	PEER_ADMIT,   /* a SYN to him: may it, of the bucket for who is known? */
	PEER_ASK,     /* it goes on, and he wasn't known */
	PEER_ANSWERS, /* he does */
};

enum peer_result { PEER_UNKNOWN, PEER_BEYOND, PEER_ADMITTED };

struct peer_set {
	uint64_t way[PEER_WAYS];
} __attribute__((aligned(64)));

/* Which of the tenant's sets, and the word's tag, in place. */
struct peer_place {
	uint64_t tag;
	uint32_t set;
};

/* A server of a tenant's; whoever has the slot next knows none of them. `key`: nobody else's. */
STAGE_INLINE struct peer_place peer_place_of(const uint64_t key[2], uint32_t tenant_id,
					     const uint8_t addr[16], uint16_t port)
{
	uint64_t h = mix64(key[0] ^ ((uint64_t)tenant_id << 16 | port));
	struct peer_place place;

	h = mix64(h ^ stage_be64(addr));
	h = mix64((h ^ stage_be64(addr + 8)) + key[1]);
	place.tag = (h >> 48 ? h >> 48 : 1) << 48;
	place.set = h % PEER_SETS;
	return place;
}

STAGE_INLINE uint64_t peer_word(uint64_t tag, uint64_t now)
{
	return tag | (now >> PEER_SEEN_SHIFT & 0xffff) << 32 |
	       (now >> PEER_DEBT_SHIFT & UINT32_MAX);
}

/* In units, since he last answered. */
STAGE_INLINE uint32_t peer_age(uint64_t word, uint64_t now)
{
	return (uint16_t)((now >> PEER_SEEN_SHIFT) - (word >> 32));
}

/* The place in the set of a word from `first` on, that is no older; PEER_WAYS: there is none. */
STAGE_INLINE uint32_t peer_find(const struct peer_set *set, uint64_t tag, uint64_t now,
				uint32_t first, uint32_t last, uint32_t age)
{
	uint32_t found = PEER_WAYS;

	for (uint32_t i = first; i < last; i++) {
		uint64_t word = *(const volatile uint64_t *)&set->way[i];

		if ((word ^ tag) >> 48 == 0 && peer_age(word, now) <= age)
			found = i;
	}
	return found;
}

/* He is asked, by a SYN that goes on. The one that was asked before him is remembered, too. */
STAGE_INLINE void peer_ask(struct peer_set *set, const struct peer_place *place, uint64_t now)
{
	volatile uint64_t *way = set->way;
	uint64_t last = way[0];

	if ((last ^ place->tag) >> 48 != 0)
		way[1] = last;
	way[0] = peer_word(place->tag, now);
}

/* The word of whoever answered longest ago, or that is free. */
STAGE_INLINE uint32_t peer_oldest(const struct peer_set *set, uint64_t now)
{
	uint32_t oldest = PEER_ASKED, most = 0;

	for (uint32_t i = PEER_ASKED; i < PEER_WAYS; i++) {
		uint64_t word = *(const volatile uint64_t *)&set->way[i];
		uint32_t age = word ? peer_age(word, now) : UINT16_MAX + 1;

		if (age > most) {
			most = age;
			oldest = i;
		}
	}
	return oldest;
}

/* He answers. */
STAGE_INLINE void peer_answer(struct peer_set *set, const struct peer_place *place, uint64_t now)
{
	volatile uint64_t *way = set->way;
	uint32_t at = peer_find(set, place->tag, now, PEER_ASKED, PEER_WAYS, PEER_KNOWN_TIME);
	uint64_t old, seen = UINT64_C(0xffff) << 32;

	if (at < PEER_WAYS) {
		old = way[at];
		if (peer_age(old, now))
			__sync_val_compare_and_swap(&set->way[at], old,
						    (old & ~seen) | (peer_word(0, now) & seen));
		return;
	}
	at = peer_find(set, place->tag, now, 0, PEER_ASKED, PEER_ANSWER_TIME);
	if (at >= PEER_WAYS)
		return;
	way[at] = 0;
	way[peer_oldest(set, now) % PEER_WAYS] = peer_word(place->tag, now);
}

/* What the word is with one more of his share; 0: that is spent. */
STAGE_INLINE uint64_t peer_share_next(uint64_t old, const struct gcra *limit, uint64_t now)
{
	uint64_t cost = limit->interval * PEER_SHARE >> PEER_DEBT_SHIFT;
	uint64_t allowed = limit->tolerance >> PEER_DEBT_SHIFT;
	uint32_t time = (uint32_t)(now >> PEER_DEBT_SHIFT), ahead = (uint32_t)old - time;

	if (cost > PEER_DEBT_MAX || limit->interval >> 60)
		cost = PEER_DEBT_MAX;
	if (allowed > PEER_DEBT_MAX)
		allowed = PEER_DEBT_MAX;
	if (ahead > 2 * PEER_DEBT_MAX)
		ahead = 0;
	if (ahead > allowed)
		return 0;
	return (old & ~(uint64_t)UINT32_MAX) | (uint32_t)(time + ahead + (cost ? cost : 1));
}

/*
 * As bpf/gcra.h, in his 32 bits: at an eighth of the rate, of as large a burst in time. `tag`: his,
 * who has the place no more if another answered meanwhile. CPUs that send to him at once, or hear
 * him, take turns.
 */
STAGE_INLINE bool peer_share_take(struct peer_set *set, uint32_t at, uint64_t tag,
				  const struct gcra *limit, uint64_t now)
{
	for (int tries = 0; tries < PEER_TRIES; tries++) {
		uint64_t old = *(volatile uint64_t *)&set->way[at % PEER_WAYS];
		uint64_t next = peer_share_next(old, limit, now);

		if (!next || (old ^ tag) >> 48 != 0)
			return false;
		if (__sync_val_compare_and_swap(&set->way[at % PEER_WAYS], old, next) == old)
			return true;
	}
	return false;
}

#endif
