/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the rules in force say of a server's reply that comes by another way than the wire: in a
 * delivery report, in a line of a log. The matcher is the dataplane's, over an image of the rules
 * that speak of replies (control/rules/reply_rules.h): some 50 rules, whatever else a ruleset has.
 *
 * One thread a judge. Nothing is allocated to ask.
 */
#ifndef POSTERN_CONTROL_REPLY_JUDGE_H
#define POSTERN_CONTROL_REPLY_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#define REPLY_HITS      8
#define REPLY_FULL_RISK 8.0 /* eighths: all of the policy's points */

/* Texts "" or NULL and 0 where nobody said so. */
struct reply_words {
	unsigned code;
	const char *text;            /* its lines joined by a blank, without codes */
	const char *client, *server; /* IP addresses: the tenant's, and of who says it */
	uint16_t port;               /* the server's; 0: 25 */
};

struct reply_hit {
	uint32_t sid;
	uint32_t risk; /* eighths of the policy's points: the rule's, 8 where it says none */
};

struct reply_judge;

/*
 * Copies the image. 0, or -errno with words in `error`: -EINVAL: it is none, or another machine's;
 * -ENOMEM. `size` 0: one that finds nothing.
 */
int reply_judge_new(const void *image, size_t size, struct reply_judge **judgep, char *error,
		    size_t error_size);
void reply_judge_free(struct reply_judge *judge); /* NULL is fine */

/* The rules that say a block list has the address: how many (REPLY_HITS at the most). */
unsigned reply_judge_ask(struct reply_judge *judge, const struct reply_words *words,
			 struct reply_hit hits[REPLY_HITS]);

#endif
