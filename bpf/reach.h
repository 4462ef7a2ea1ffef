/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * To how many different addresses a tenant sends within a minute, where the kernel passes on by
 * itself what nobody reads. An address is two bits of 16384 (B. Bloom, 1970). One that was
 * not there counts for as many as would have to come for one not to be there (D. Ting, 2014):
 * no logarithm. The standard error is 0.3 % at 1,000 and 1.2 % at 30,000, the most that
 * policy.probing can be; one new address in 75 counts as known at 1,000 (tests/unit/reach_test.c).
 *
 * What answers isn't sent to: of UDP, an address that sent something within the last one or two
 * times 69 s, by 4096 bits for each of the two.
 *
 * A worker knows flows, and counts them (dataplane/sip/heard.h); this is the kernel's. No locks:
 * what CPUs do at the same moment as one of them begins a minute may be lost.
 */
#ifndef POSTERN_REACH_H
#define POSTERN_REACH_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/mix.h"
#include "bpf/stage_packet.h"

#define REACH_BITS       16384
#define REACH_WORDS      (REACH_BITS / 64)
#define REACH_HEARD_BITS 4096
#define REACH_HEARD      (REACH_HEARD_BITS / 64)
#define REACH_MINUTE     (UINT64_C(60) * 1000000000) /* ns */
#define REACH_AGE_SHIFT  36   /* ns: 69 s, without a division by each packet */
#define REACH_UNIT       1024 /* `count` is in so-manieths */

struct reach {
	uint64_t began; /* ns: the minute in hand's first packet */
	uint64_t age;   /* the clock's, by REACH_AGE_SHIFT, when somebody was heard last */
	uint32_t bits;  /* of `sent` that are set */
	uint32_t count; /* addresses, times REACH_UNIT */
	uint32_t times; /* minutes in which there were too many, in all */
	uint32_t pad;
	uint64_t sent[REACH_WORDS];
	uint64_t heard[2][REACH_HEARD]; /* by the age's parity */
};

enum reach_result {
	REACH_KNOWN, /* or it counts as one that is */
	REACH_NEW,
	REACH_BEYOND, /* new, and there are too many */
};

STAGE_INLINE uint64_t reach_hash(const uint64_t key[2], const uint8_t addr[16])
{
	return mix64(mix64(key[0] ^ stage_be64(addr)) + (key[1] ^ stage_be64(addr + 8)));
}

STAGE_INLINE bool reach_bit(const uint64_t *words, uint32_t bit)
{
	return ((const volatile uint64_t *)words)[bit / 64] >> bit % 64 & 1;
}

/* True: it was not set, and this call has set it. */
STAGE_INLINE bool reach_set(uint64_t *words, uint32_t bit)
{
	uint64_t mask = UINT64_C(1) << bit % 64;

	return !(__sync_fetch_and_or(&words[bit / 64], mask) & mask);
}

STAGE_INLINE void reach_clear(uint64_t *words, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		((volatile uint64_t *)words)[i] = 0;
}

/* CPUs read the clock before they come here, some of them a tick before others. */
STAGE_INLINE bool reach_is_later(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

/* Somebody sends to the tenant. */
STAGE_INLINE void reach_hear(struct reach *r, uint64_t hash, uint64_t now)
{
	uint64_t age = now >> REACH_AGE_SHIFT, last = *(volatile uint64_t *)&r->age;
	uint32_t bit = hash % REACH_HEARD_BITS;

	/* A CPU that was a moment behind would take all back that others have heard. */
	if (reach_is_later(last, age))
		age = last;
	if (last != age && __sync_val_compare_and_swap(&r->age, last, age) == last) {
		reach_clear(r->heard[age & 1], REACH_HEARD);
		if (age != last + 1)
			reach_clear(r->heard[~age & 1], REACH_HEARD);
	}
	if (!reach_bit(r->heard[age & 1], bit))
		reach_set(r->heard[age & 1], bit);
}

STAGE_INLINE bool reach_was_heard(const struct reach *r, uint64_t hash, uint64_t now)
{
	uint64_t age = now >> REACH_AGE_SHIFT, last = *(const volatile uint64_t *)&r->age;
	uint32_t bit = hash % REACH_HEARD_BITS;

	if (reach_is_later(last, age))
		age = last;
	if (last == age && reach_bit(r->heard[age & 1], bit))
		return true;
	return (last == age || last + 1 == age) && reach_bit(r->heard[~age & 1], bit);
}

STAGE_INLINE void reach_begin(struct reach *r, uint64_t now)
{
	uint64_t began = *(volatile uint64_t *)&r->began;

	if (began && (reach_is_later(began, now) || now - began < REACH_MINUTE))
		return;
	if (__sync_val_compare_and_swap(&r->began, began, now) != began)
		return;
	reach_clear(r->sent, REACH_WORDS);
	*(volatile uint32_t *)&r->bits = 0;
	*(volatile uint32_t *)&r->count = 0;
}

/* For how many addresses one that is new counts, by REACH_UNIT. */
STAGE_INLINE uint32_t reach_step(uint32_t bits)
{
	const uint64_t all = (uint64_t)REACH_BITS * REACH_BITS;
	uint64_t known = (uint64_t)bits * bits; /* of `all`, are there without having come */

	return (uint32_t)(all * REACH_UNIT / (known < all ? all - known : 1));
}

/*
 * The tenant sends to an address; `most` are not too many. `drop`: the packet goes nowhere if there
 * are too many, and its address is new when it is tried again.
 */
STAGE_INLINE enum reach_result reach_send(struct reach *r, uint64_t hash, uint64_t now,
					  uint32_t most, bool drop)
{
	const uint32_t limit = most * REACH_UNIT + REACH_UNIT / 2;
	const uint32_t first = hash % REACH_BITS, second = (hash >> 32) % REACH_BITS;
	uint32_t set, step, count;

	reach_begin(r, now);
	if (reach_bit(r->sent, first) && reach_bit(r->sent, second))
		return REACH_KNOWN;
	count = *(volatile uint32_t *)&r->count;
	if (drop && count > limit)
		return REACH_BEYOND;
	step = reach_step(*(volatile uint32_t *)&r->bits);
	/* The one that is too many is counted, so that it is told of; and is new the next time. */
	if (!drop || count + step <= limit) {
		set = reach_set(r->sent, first);
		set += reach_set(r->sent, second);
		if (!set)
			return REACH_KNOWN;
		__sync_fetch_and_add(&r->bits, set);
	}
	count = __sync_fetch_and_add(&r->count, step);
	if (count + step <= limit)
		return REACH_NEW;
	if (count <= limit)
		__sync_fetch_and_add(&r->times, 1);
	return REACH_BEYOND;
}

#endif
