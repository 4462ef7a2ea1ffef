/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The matcher: buffers in, rules that hold out.
 *
 * A ruleset is loaded once, by a thread that may allocate, and shared. Each
 * worker has its own matcher on it. Whatever is called between match_begin()
 * and match_end() neither allocates, nor locks, nor makes a system call.
 *
 * Life of a transaction (one mail, one SIP message; the SMTP session before
 * the first MAIL is one too):
 *
 *     match_begin(m, &txn, &flow, session_txn or NULL);
 *     match_block(m, &txn, RULE_BUFFER_EMAIL_SUBJECT, p, len);
 *     for (i = 0; i < m->nhits; i++)  act on m->hits[i];
 *     m->nhits = 0;
 *     if (!match_stream_open(m, &txn, RULE_BUFFER_FILE_DATA))  REASON_MATCH_BUDGET
 *     match_stream_feed(...); drain; match_stream_close(...); drain
 *     match_whole(m, &txn, BUFFER_SMTP); drain
 *     match_end(m, &txn);
 *
 * A rule is reported once per transaction, as soon as its last part holds.
 * Rules with action pass are reported like the others; what they mean is the
 * caller's.
 *
 * What was too much work (a message made to hit every rule's literal at every
 * byte) is left out, and txn->over_budget says so: REASON_MATCH_BUDGET.
 */
#ifndef POSTERN_MATCH_H
#define POSTERN_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "bpf/ruleset.h"
#include "dataplane/match/match_keep.h"

struct ruleset;
struct match_memory;
struct match_tape;
struct match_watch;
struct policy;

enum match_tenants {
	MATCH_TENANTS_UNKNOWN, /* no tenants are configured: $TENANTS and its negation both hold */
	MATCH_TENANTS_CLIENT,
	MATCH_TENANTS_SERVER,
	MATCH_TENANTS_BOTH,
	MATCH_TENANTS_NEITHER,
};

/* Who talks to whom. Copied by match_begin(). */
struct match_flow {
	struct match_keep *keep; /* the flow's; NULL: it has no flowbits and is nobody's */
	uint8_t family;          /* 4 or 6 */
	uint8_t transport;       /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t direction;  /* of the SIP message: enum event_direction; SMTP's buffers know theirs
			     */
	uint8_t tenants;    /* enum match_tenants: which ends are tenants' addresses */
	uint8_t unanswered; /* nothing has come back on this flow yet */
	uint8_t pad[3];
	uint16_t client_port, server_port; /* host order */
	uint8_t client[16], server[16];    /* IPv4: the first four bytes */
};

#define MATCH_STREAMS 3 /* streaming buffers that rule_buffer.h names */
#define MATCH_MEMORY  44

/* The caller's, one per transaction; set up by match_begin(). */
struct match_txn {
	struct match_flow flow;
	uint16_t stream[MATCH_STREAMS]; /* slot + 1 in the matcher's pool, 0: none */
	uint8_t known;                  /* entries of `memory` in use */
	bool over_budget;
	uint16_t excerpts; /* slot + 1 of what rules keep of it, 0: none */
	uint64_t came;     /* buffers that rules look at and that there were: a bit each */
	/* Parts of several-part rules that hold, groups of them, and rules reported (top bits). */
	uint32_t memory[MATCH_MEMORY];
};

_Static_assert(sizeof(struct match_txn) <= 256, "it is in every session");

struct match_hit {
	const struct ruleset_rule *rule; /* lives as long as the ruleset */
	enum rule_buffer buffer;         /* whose part was the last to hold */
	bool silent;                     /* acted on, but said already often enough */
	uint8_t action; /* enum verdict: the rule's, or what its rate_filter made of it */
};

struct match_stats {
	uint64_t bytes[RULE_BUFFER_COUNT]; /* scanned */
	uint64_t literals;                 /* literals found */
	uint64_t confirmed, refuted;       /* candidates looked at */
	uint64_t over_budget;              /* candidates left out */
};

struct matcher {
	const struct ruleset *ruleset;
	const struct ruleset_image *image;
	bool scans[RULE_BUFFER_COUNT]; /* some rule looks at it */
	/* The caller's, who replaces rulesets while traffic flows: */
	const uint32_t *places; /* where each rule's hits are counted; NULL: at its own place */
	_Atomic uint32_t held;  /* by mails that began with it; its worker's */
	const struct policy *const *policy; /* for tenants' names and tiers; NULL: none are known */
	struct match_memory *memory; /* of rules with xbits or counts: a small one of its own */
	const uint64_t *clock;       /* its ns */
	void (*turn)(void *ctx);     /* called before the memory is asked; NULL: no need */
	void *turn_ctx;
	uint32_t nhits, max_hits;
	struct match_hit *hits; /* the caller reads them and sets nhits to 0 */
	struct match_stats stats;
	struct match_tape *tape; /* a matcher without rules that records (match_tape.h), or NULL */
	struct match_watch *watch;   /* what each rule costs (match_watch.h), or NULL */
	struct matcher_state *state; /* private */
};

/*
 * Control thread. Checks the image and makes it ready; keeps pointing into
 * `image`, which must be aligned to 64, stay as it is and outlive the ruleset.
 * 0, or -errno with words in `error`: -EINVAL: not an image, of another version,
 * damaged or of another machine; -ENOMEM.
 */
int ruleset_load(const void *image, size_t size, struct ruleset **rulesetp, char *error,
		 size_t error_size);
void ruleset_free(struct ruleset *ruleset); /* NULL is fine */

uint32_t ruleset_generation(const struct ruleset *ruleset);
const struct ruleset_image *ruleset_image(const struct ruleset *ruleset);
/* One of the strings of a rule, NUL-terminated, never NULL. */
const char *ruleset_string(const struct ruleset *ruleset, struct ruleset_str s);
/* Bytes that one open stream of this buffer takes, its tail included; 0 if no rule looks there. */
size_t ruleset_stream_bytes(const struct ruleset *ruleset, enum rule_buffer buffer);

/*
 * Control thread. `max_streams`: how many streams of each streaming buffer can
 * be open at once (at most 65,534): about the messages in flight per worker.
 * 0 or -errno. The ruleset must outlive the matcher.
 */
int matcher_new(const struct ruleset *ruleset, uint32_t max_streams, struct matcher **matcherp);
void matcher_free(struct matcher *matcher); /* NULL is fine */

/*
 * `inherit`: a transaction whose satisfied parts count for this one too (what
 * the session's HELO had satisfied, for each of its mails), or NULL. What
 * it had reported is not inherited.
 */
void match_begin(struct matcher *m, struct match_txn *txn, const struct match_flow *flow,
		 const struct match_txn *inherit);
/* Rules may be reported again: what comes is judged by itself, a command that can be refused alone.
 */
void match_renew(struct match_txn *txn);
/*
 * What follows is of a new attachment: parts of rules that speak of one attachment forget what held
 * of the one before.
 */
void match_attachment_begin(struct matcher *m, struct match_txn *txn);
/*
 * All of it has come, and nothing was lost: rules that wait for this (a buffer that never came,
 * words that are nowhere) are decided. Of a transaction that ends otherwise it is not called.
 */
void match_whole(struct matcher *m, struct match_txn *txn, enum rule_buffer_family family);
/*
 * What `rule` (metadata: keep) found in a body, with the bytes around it: as the rule's transforms
 * make them. True once it has been reported, until match_end(); false: there was nothing, or no
 * room (of one mail what four rules found is kept, of the gravest). The bytes are the matcher's,
 * raw: whoever lets them out redacts them first.
 */
struct match_excerpt {
	const uint8_t *p;
	size_t len;
	size_t from, to;   /* of them: what the rule keeps; the rest is margin */
	uint64_t at;       /* bytes of the buffer before p + from */
	bool starts, ends; /* the buffer starts with the first of them, ends with the last */
	enum rule_buffer buffer;
};
bool match_excerpt(const struct matcher *m, const struct match_txn *txn,
		   const struct ruleset_rule *rule, struct match_excerpt *out);

/* Gives open streams back without looking at their ends; txn is then as good as new memory. */
void match_end(struct matcher *m, struct match_txn *txn);

void match_block_scan(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		      const void *data, size_t len);
bool match_stream_take(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer);
void match_stream_scan(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		       const void *data, size_t len);
void match_stream_finish(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer);

/* One whole instance of a buffer in BUFFER_BLOCK mode. */
static inline void match_block(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
			       const void *data, size_t len)
{
	if (m->scans[buffer])
		match_block_scan(m, txn, buffer, data, len);
}

/*
 * One instance of a buffer in BUFFER_STREAM mode begins. False: no stream is
 * left; the instance goes unseen (feed and close do nothing).
 */
static inline bool match_stream_open(struct matcher *m, struct match_txn *txn,
				     enum rule_buffer buffer)
{
	return !m->scans[buffer] || match_stream_take(m, txn, buffer);
}

static inline void match_stream_feed(struct matcher *m, struct match_txn *txn,
				     enum rule_buffer buffer, const void *data, size_t len)
{
	if (m->scans[buffer])
		match_stream_scan(m, txn, buffer, data, len);
}

/* Its end: rules that waited for it are decided. */
static inline void match_stream_close(struct matcher *m, struct match_txn *txn,
				      enum rule_buffer buffer)
{
	if (m->scans[buffer])
		match_stream_finish(m, txn, buffer);
}

#endif
