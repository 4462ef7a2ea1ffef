/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose an item is, and what it counts as. Nothing is asked of anybody: the tables of
 * control/feedback/feedback_table.h know what left, and a function of the caller's whose addresses
 * are whose.
 *
 *   A Message-ID that one tenant's mail had makes the item that tenant's. One that several had says
 *   nothing, unless the address tells which; nor does one whose address is another tenant's:
 * anybody can write a Message-ID that he has seen. An address alone tells whom to ask, and counts
 * nothing, but for the provider's own log, whose addresses nobody else wrote. Nor does a tag alone,
 * which whoever got one of a tenant's mails knows of all of them: of a mail that is not remembered
 * it counts where the address is the same tenant's. An item counts once:
 * by tenant, Message-ID and recipient, of whatever source it came. What the gate has seen itself
 * doesn't count again.
 *
 *   Who knows one Message-ID can write any number of recipients: of a mail no more complaints count
 * than it had recipients, and no more of what delivery reports say. How many it had, the gate and
 * logs tell; where nobody did, it is as many as one report may stand for. A log's own word is not
 * bounded.
 *
 * Event loop's thread.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_MATCH_H
#define POSTERN_CONTROL_FEEDBACK_MATCH_H

#include "control/feedback/feedback.h"
#include "control/feedback/feedback_table.h"
#include "control/rules/reply_judge.h"

/* clang-format off */
#define FEEDBACK_RESULTS(X)                                                                        \
	X(COUNTED, "counted", "it is the tenant's, and counts")                                    \
	X(NOTED, "noted", "it is the tenant's; its kind counts for nothing, or only its address told so") \
	X(DUPLICATE, "duplicate", "it was counted before")                                         \
	X(SEEN, "seen", "the gate saw and counted it when it happened")                            \
	X(EXCESS, "excess", "its mail had no more recipients than were counted")                   \
	X(STALE, "stale", "it is older than `feedback.keep`")                                      \
	X(AMBIGUOUS, "ambiguous", "several tenants could have sent it")                    \
	X(UNMATCHED, "unmatched", "nobody's mail, as far as posternd remembers")

#define FEEDBACK_BYS(X)                                                                            \
	X(NOTHING, "nothing")                                                                      \
	X(MESSAGE_ID, "message_id")                                                                \
	X(ADDRESS, "address")                                                                      \
	X(TAG, "tag")
/* clang-format on */

enum feedback_result {
#define X(id, ...) FEEDBACK_##id,
	FEEDBACK_RESULTS(X)
#undef X
		FEEDBACK_RESULT_COUNT,
};

enum feedback_by {
#define X(id, ...) FEEDBACK_BY_##id,
	FEEDBACK_BYS(X)
#undef X
};

struct feedback_rules {
	uint32_t keep;      /* s: how long mails and reports are remembered */
	uint32_t seen;      /* s: an inline bounce of the same recipient is the same */
	uint32_t incidents; /* that one report may stand for, and all of a mail of unknown
			       recipients */
	bool by_address;    /* a stranger's address counts too */
};

struct feedback_memory {
	struct feedback_table messages, reports;
	struct feedback_rules rules;
};

/* What is to be added to a tenant's counts. */
struct feedback_counts {
	uint32_t complaints, delivered, recipients, bounced;
	/* Rules that say of the reply that a block list has the address. */
	struct reply_hit listed[REPLY_HITS];
	unsigned listings;
};

struct feedback_match {
	uint32_t tenant; /* id; 0: nobody's */
	enum feedback_by by;
	enum feedback_result result;
	struct feedback_counts counts;
};

/* "mx.example[192.0.2.1]:25" of a log: the address, "" if there is none; and the port, 0. */
uint16_t feedback_server(const struct feedback_item *item, char address[FEEDBACK_IP]);

/* What the caller knows. */
struct feedback_world {
	/* The tenant's id whose address it is; 0: nobody's. */
	uint32_t (*owner)(void *ctx, const char *address);
	/* The one tenant whose tag (tenants[].required_tag) it is; 0: nobody's, or several'. */
	uint32_t (*tagged)(void *ctx, const char *tag);
	/* The hash of a tenant's recipient, as the dataplane tells of it; 0: it has none. */
	uint64_t (*recipient)(void *ctx, uint32_t tenant, const char *rcpt);
	/* The rules that say of its reply that a block list has the address: how many. */
	unsigned (*judge)(void *ctx, const struct feedback_item *item,
			  struct reply_hit hits[REPLY_HITS]);
	void *ctx;
};

const char *feedback_result_name(enum feedback_result result);
const char *feedback_result_text(enum feedback_result result);
const char *feedback_by_name(enum feedback_by by);

/* A mail of the tenant's left; by the gate's own eyes or a log. `id`: feedback_message_id()'s. */
void feedback_remember(struct feedback_memory *memory, const char *id, uint32_t tenant,
		       enum feedback_flag flag, int64_t now);

/* The same, and so many recipients more had it. What a log tells, feedback_match() knows. */
void feedback_left_for(struct feedback_memory *memory, const char *id, uint32_t tenant,
		       enum feedback_flag flag, uint32_t recipients, int64_t now);

/* The gate itself saw that a recipient (feedback_world's hash) does not exist, and counted it. */
void feedback_saw_bounce(struct feedback_memory *memory, uint32_t tenant, uint64_t recipient,
			 int64_t now);

/* The gate itself saw, and counted, a reply that names a block list, from this server. */
void feedback_saw_block(struct feedback_memory *memory, uint32_t tenant, const char *server,
			int64_t now);

/* Forgets what was kept of the tenant and this recipient. */
void feedback_forget(struct feedback_memory *memory, uint32_t tenant, uint64_t recipient);

/* `dry`: as it would be; nothing is remembered. */
struct feedback_match feedback_match(struct feedback_memory *memory,
				     const struct feedback_item *item,
				     const struct feedback_world *world, int64_t now, bool dry);

#endif
