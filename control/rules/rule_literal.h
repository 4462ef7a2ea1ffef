/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes to look for first: what must be there wherever a chain of steps
 * holds, chosen to be rare. Pure.
 */
#ifndef POSTERN_CONTROL_RULE_LITERAL_H
#define POSTERN_CONTROL_RULE_LITERAL_H

#include "control/rules/rule.h"

#define RULE_LITERAL_MAX 255

/* ASCII only, whatever the locale. */
static inline uint8_t rule_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

struct rule_literal {
	uint8_t bytes[RULE_LITERAL_MAX]; /* lower case where nocase */
	size_t len;                      /* 0: none */
	bool nocase;
	bool whole;      /* all of its step */
	unsigned weight; /* of its rarity, to compare */
	uint32_t step;   /* index in the part */
};

/* The best one of steps [first, first + count) of the part; false: they have none. */
bool rule_literal_choose(const struct rule_part *part, size_t first, size_t count,
			 struct rule_literal *literal);

/*
 * A run of bytes that every match of the expression holds: the longest at its
 * top level, outside of groups, classes, alternatives and what may be repeated
 * zero times. False where there is none, or where it is too clever to tell.
 */
bool rule_literal_of_pcre(const struct rule_step *step, struct rule_literal *literal);

/*
 * Does every match of the expression hold one of a few words, each as long as Hyperscan likes
 * them? It looks for these then, and for the expression only where it finds one.
 */
bool rule_pcre_has_words(const struct rule_step *step);

#endif
