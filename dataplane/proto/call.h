/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls, out of the SIP messages of both directions, counted as POLICY.md says.
 *
 * - An attempt is tenant + Call-ID + From tag of an INVITE without a To tag.
 *   The same again (retransmitted, seen on a second leg, repeated with
 *   credentials or after any other final response) is the same attempt.
 * - Seized: a final response came that is neither a challenge or a request to
 *   ask differently (401 407 413 415 416 420 422) nor a redirection (3xx); or
 *   none came, in so far as `asr_mode` counts that. Once an attempt.
 * - Answered: the first 2xx to the INVITE, CANCEL or not. Once an attempt.
 * - Completed: answered, and a BYE seen, from either side; of several forks that the
 *   caller took up (ACK), the last one's.
 * - Short: completed within `short_ns` of the answer. No BYE: unknown, not short.
 * - What the gate itself refused is an attempt, and no more.
 * - What was picked up in its middle (no INVITE seen) is no attempt.
 *
 * ASR = answered / seized; short_call_ratio = short / answered.
 *
 * The table lives in memory of the caller's (sized once, never allocated from
 * since) and belongs to one thread; it has no pointers inside but its own.
 * Times are ns of the packets' clock; one that steps back counts as no time.
 * All operations are O(1), but for call_expire(), which is told how far to go.
 */
#ifndef POSTERN_PROTO_CALL_H
#define POSTERN_PROTO_CALL_H

#include "dataplane/proto/sip.h"
#include "dataplane/proto/siphash.h"

#define CALL_ID_COPY   64
#define CALL_USER_COPY 32
#define CALL_DIALOGS   4 /* forks of one call that are told apart; more end with the others */

enum call_state {
	CALL_FREE,
	CALL_TRYING,     /* INVITE seen, no final response to it yet */
	CALL_CHALLENGED, /* to be repeated, with credentials or otherwise */
	CALL_REDIRECTED, /* 3xx: out of the ASR unless it is tried again */
	CALL_UNANSWERED, /* a final response that is a failure */
	CALL_ANSWERED,
	CALL_ENDED,   /* answered, BYE seen */
	CALL_REFUSED, /* by the gate */
	CALL_LOST,    /* no final response, or no BYE, until the timer or eviction */
};

enum call_asr_mode {
	CALL_ASR_PROVISIONAL, /* no final response counts as a seizure if a 1xx was seen */
	CALL_ASR_ALWAYS,
	CALL_ASR_NEVER,
};

/* What a message did; several at once. */
enum call_event {
	CALL_EVENT_ATTEMPT = 1 << 0,
	CALL_EVENT_SEIZED = 1 << 1,
	CALL_EVENT_ANSWERED = 1 << 2,
	CALL_EVENT_COMPLETED = 1 << 3,
	CALL_EVENT_SHORT = 1 << 4,
	CALL_EVENT_OUTAGE = 1 << 5, /* a seizure that ended in 408, 500, 503 or 504 */
	CALL_EVENT_REDIRECTED = 1 << 6,
	CALL_EVENT_CANCELLED = 1 << 7, /* CANCEL seen, before any final response */
	CALL_EVENT_RINGING = 1 << 8,   /* the first 18x */
	CALL_EVENT_CHALLENGED = 1 << 9,
	CALL_EVENT_FAILED = 1 << 10, /* a final response that is a failure */
	CALL_EVENT_AGAIN = 1 << 11,  /* an INVITE of an attempt that is known */
	CALL_EVENT_REINVITE = 1 << 12,
	CALL_EVENT_REFUSED = 1 << 13,
	CALL_EVENT_ENDED = 1 << 14,     /* the call is over: `ended` was called */
	CALL_EVENT_MIDSTREAM = 1 << 15, /* of a call whose INVITE was not seen, or made up */
	CALL_EVENT_NO_ROOM = 1 << 16,   /* an INVITE the table could not take: uncounted */
	/* An INVITE after the attempt had failed, ended or been refused, or before it was answered
	   (what is sent again of a refused one, the caller knows): no new attempt, but a limiter's
	   business. */
	CALL_EVENT_RETRIED = 1 << 17,
	CALL_EVENT_REPEATED =
		1 << 18, /* with AGAIN: no higher CSeq, so it was let through before */
};

/* What every message reads comes first: a cache line, the Call-ID another. */
struct call {
	_Alignas(64) uint64_t hash; /* call_hash() of its first INVITE */
	uint64_t touched;           /* ns: the last message that kept it alive */
	uint64_t rang;              /* ns: the first 18x, 0: none */
	uint32_t tenant;
	uint32_t next;         /* in its hash chain or in the free list */
	uint32_t older, newer; /* in its tenant's list, by `touched` */
	uint32_t cseq;         /* of the last INVITE without a To tag */
	uint32_t cseq_before;  /* of the one before it, if that had no final response yet */
	uint16_t code;         /* the last final response to the INVITE, 0: none */
	uint8_t state;         /* enum call_state */
	uint8_t live;          /* dialogs[] without a BYE yet: a bit each */
	uint8_t acked;         /* dialogs[] that the caller took up */
	uint8_t dialog_count;
	bool provisional; /* a 1xx since the last INVITE */
	bool overtaken;   /* cseq_before is set */
	bool cancelled;
	bool counted_seized, counted_answered;
	bool is_short; /* once CALL_ENDED */
	uint8_t call_id_len, from_len, to_len;

	_Alignas(64) char call_id[CALL_ID_COPY]; /* cut, no NUL */

	uint64_t invited;               /* ns: the first INVITE */
	uint64_t answered;              /* ns: the first 2xx */
	uint64_t ended;                 /* ns: the BYE or the final response */
	uint32_t dialogs[CALL_DIALOGS]; /* hashes of the To tags that answered */
	char from[CALL_USER_COPY];      /* the user part, as written */
	char to[CALL_USER_COPY];
};

_Static_assert(offsetof(struct call, call_id) == 64, "what every message reads is one line");

struct call_config {
	uint8_t key[SIPHASH_KEY_SIZE]; /* secret and random in a live gate */
	uint64_t short_ns;             /* 6 s */
	uint64_t no_final_ns;          /* 180 s (RFC 3261 16.6 11: timer C) */
	uint64_t no_bye_ns;            /* 4 h */
	uint64_t linger_ns;            /* 32 s: how long an ended call absorbs retransmissions */
	enum call_asr_mode asr_mode;
	uint32_t calls;      /* entries of the table */
	uint32_t tenants;    /* slots: tenant < tenants */
	uint32_t tenant_max; /* entries of one tenant, at most */
	/*
	 * A call is over (its state, code and times say how), for the `call` event.
	 * Once an attempt, unless it is tried again after it had failed. A challenged
	 * or redirected one is over when nothing follows within no_final_ns.
	 * `events` holds what the end adds to the counters when no message caused
	 * it (timer, eviction): 0 otherwise, for call_message() has returned them.
	 * NULL: not wanted. The call is valid during the call.
	 */
	void (*ended)(void *ctx, const struct call *call, uint32_t events);
	/* The tenant has one more open call (call_open_count()), or one less. NULL: not wanted. */
	void (*opened)(void *ctx, uint32_t tenant, int more);
	void *ctx;
};

struct call_table; /* opaque: at the beginning of the caller's memory */

/* Every field but calls, tenants, ended and ctx set to what its comment says; the key zero. */
void call_config_default(struct call_config *config);

size_t call_table_size(const struct call_config *config); /* bytes needed, 64-byte aligned */
struct call_table *call_table_init(void *memory, const struct call_config *config);
/* From here on the times and asr_mode of `config`; calls that are known go by them, too. */
void call_table_choose(struct call_table *table, const struct call_config *config);

/*
 * The table's keyed hash of Call-ID and From tag, never 0. Whoever keeps it in msg->call_hash
 * has it computed once.
 */
uint64_t call_hash(const struct call_table *table, const struct sip_message *msg);
/* The same of a Call-ID and a tag. */
uint64_t call_hash_of(const struct call_table *table, struct bytes call_id, struct bytes tag);

/*
 * What a message of that hash will look at is on its way into the cache when these return:
 * first its place in the index, then, once that has come, the call. Only hints; any thread
 * may give them while another one changes the table.
 */
void call_prefetch_index(const struct call_table *table, uint32_t tenant, uint64_t hash);
void call_prefetch(const struct call_table *table, uint32_t tenant, uint64_t hash);

/*
 * One SIP message, of either direction, of that tenant's. Returns enum
 * call_event bits. *call (may be NULL) is set to the call, or NULL; it is valid
 * until the next operation on the table.
 */
uint32_t call_message(struct call_table *table, uint64_t now, uint32_t tenant,
		      const struct sip_message *msg, const struct call **call);

/*
 * The gate refuses the INVITE that call_message() just saw, with `code`. Returns
 * event bits. Another INVITE may try again. If one before it still waits for its final
 * response, it is that one's call, and stays as it was: no bits.
 */
uint32_t call_refuse(struct call_table *table, uint64_t now, uint32_t tenant,
		     const struct sip_message *msg, uint16_t code);

/* Looks at `budget` entries, going round: gives up calls, frees what has lingered. */
void call_expire(struct call_table *table, uint64_t now, uint32_t budget);

/* The end of a capture: every call that is not over is given up. */
void call_flush(struct call_table *table, uint64_t now);

uint32_t call_count(const struct call_table *table); /* entries in use */

/*
 * The tenant's calls that ring or are talked on; a challenge or a redirection waits for the caller
 * and is none. One whose BYE is lost ends with no_bye_ns, one without a final response with
 * no_final_ns.
 */
uint32_t call_open_count(const struct call_table *table, uint32_t tenant);

/*
 * Whether `open` of them, as many as there were when somebody began one, were more than `most`,
 * once those of the oldest whose time is up are given up. What has begun since counts for nothing,
 * what has ended since does.
 */
bool call_open_beyond(struct call_table *table, uint64_t now, uint32_t tenant, uint32_t open,
		      uint32_t most);

/*
 * For `call.state` of events: answered unanswered redirected cancelled refused
 * unknown; "open" for a call that is not over.
 */
const char *call_state_name(const struct call *call);

/* ns from answer to BYE, and from INVITE to first 18x; 0 when there is none. */
uint64_t call_duration(const struct call *call);
uint64_t call_ring_time(const struct call *call);

#endif
