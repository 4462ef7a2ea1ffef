/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of the matcher. */
#ifndef POSTERN_MATCH_INTERNAL_H
#define POSTERN_MATCH_INTERNAL_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <hs_runtime.h>
#include <pcre2.h>

#include "bpf/hashset.h"
#include "dataplane/match/match.h"
#include "dataplane/match/match_tape.h"
#include "dataplane/match/match_watch.h"

/*
 * Confirmation on streams, bytes. The first hit of a chain's literal opens a
 * group; hits in the next `reach` bytes belong to it. When `reach` more have
 * come, or the end, the chain is evaluated once, from `reach` before the first
 * hit to there. So what is seen depends on the data alone, not on how it was
 * cut, and a chain looks at each byte three times at most, whatever it is fed.
 */
#define MATCH_SLICE  2048 /* scanned at once */
#define MATCH_GROUPS 128  /* open at once in one stream */

/* Work units, about a byte looked at each: what confirmation may cost. */
#define MATCH_CREDIT          262144
#define MATCH_CREDIT_PER_BYTE 64

struct ruleset {
	const struct ruleset_image *image;
	const struct ruleset_rule *rules;
	const struct ruleset_condition *conditions;
	const struct ruleset_part *parts;
	const struct ruleset_chain *chains;
	const struct ruleset_step *steps;
	const struct ruleset_number *numbers;
	const struct ruleset_scope *scopes;
	const struct ruleset_net *nets;
	const struct ruleset_port *ports;
	const struct ruleset_argument *arguments;
	const struct ruleset_pattern *patterns;
	const uint32_t *starts;
	uint64_t awaited; /* buffers whose absence a rule asks for: a bit each */
	const struct ruleset_shard *shards;
	hs_database_t **databases; /* one a shard */
	/* Bits: lanes that a buffer goes through when it is whole (or its hash is), and piece by
	 * piece. */
	uint32_t lanes[RULE_BUFFER_COUNT], piece_lanes[RULE_BUFFER_COUNT];
	struct hashset *datasets;
	/* Bytes before what was found that rules keep of a buffer or lane, margin included. */
	uint16_t kept[RULESET_DBS];
	uint16_t keep;                  /* the most of them; 0: no rule keeps any */
	uint32_t *tracked[RULESET_DBS]; /* chain of each tracked bit */
	pcre2_code **pcres;
	pcre2_match_context *limits;
};

/* A buffer longer than this is not transformed. */
#define MATCH_TRANSFORM_MAX 65536

struct match_group {
	uint64_t first; /* where the first hit ended */
	uint32_t chain, reach;
};

/* A transform of a buffer in pieces: what of it waits for the next. */
struct match_filter {
	uint8_t held[2];
	uint8_t count; /* of them */
	bool flag;     /* a blank was the last; the line's name is over */
	uint32_t at;   /* in the key */
};

struct match_stream {
	hs_stream_t **hs; /* one a shard */
	uint64_t at;      /* bytes fed */
	int64_t credit;   /* work left */
	uint64_t *seen;   /* tracked chains that were found */
	uint8_t *tail;    /* the last bytes of the pieces before, 2 * keep of them fit */
	uint32_t tail_len;
	uint32_t keep; /* a group's bytes: reach before it, reach for it, reach after it; or 0 */
	uint32_t ngroups;
	struct match_group groups[MATCH_GROUPS];
	struct match_digests *digests; /* of what was fed; NULL: no rule asks for one */
	struct match_filter filter[RULESET_TRANSFORMS]; /* a lane's */
};

struct match_pool {
	struct match_stream *slots;
	hs_stream_t **hs; /* of all slots */
	uint16_t *free;   /* indexes of slots */
	uint32_t nfree, size;
	uint32_t shards; /* of its buffer */
	size_t seen_words;
	unsigned digests; /* bits: hashes that its streams are asked for */
	char *memory;     /* tails and sets */
};

/* A rule whose parts hold, to be judged; and where the last of them was. */
#define MATCH_VALUE 32 /* bytes of a value in a set that rules write: its SHA-256 */

struct match_pending {
	uint32_t rule, buffer;
	uint8_t value[MATCH_VALUE]; /* of a rule that writes a set */
};

#define MATCH_PENDING 256 /* of one piece of data */

/* match_excerpt.c: what rules with `keep` found in bodies, a place for each transaction. */
#define MATCH_EXCERPTS 4 /* rules of one transaction */

struct excerpt {
	uint64_t at, from, to; /* of the buffer: where it was found, what is wanted */
	uint32_t rule;         /* its index + 1; 0: none */
	uint16_t len;          /* bytes that are there, from `from` on */
	uint8_t dbi;           /* in which buffer or lane */
	bool done;             /* that buffer is over */
	bool ends;             /* with the last byte that is there */
};

struct excerpt_pool {
	struct excerpt *excerpts; /* MATCH_EXCERPTS a slot */
	uint8_t *bytes;           /* `room` an excerpt */
	uint16_t *free;
	uint32_t nfree, room;
};

struct matcher_state {
	struct excerpt_pool excerpts;
	hs_scratch_t *scratch;
	pcre2_match_data *match_data;
	uint32_t *part_epoch; /* the block in which a part was last looked at */
	uint32_t epoch;
	uint8_t joined[3 * RULESET_REACH]; /* a group's bytes that two pieces hold */
	struct match_pool pools[MATCH_STREAMS];
	struct match_pool lanes[RULESET_LANES]; /* piece by piece: by the slots of their buffer's */
	uint8_t filtered[2][MATCH_SLICE + 2 * RULESET_TRANSFORMS];
	pcre2_match_data *group;        /* a match and its group */
	uint8_t *transformed;           /* MATCH_TRANSFORM_MAX and dots; NULL: no rule transforms */
	uint8_t *spare;                 /* as much, behind it */
	struct match_memory *memory;    /* where the caller gives none */
	const struct match_view *whole; /* the buffer in hand, where it lies there whole */
	const struct match_txn *txn;    /* whose it is */
	uint32_t npending;
	struct match_pending pending[MATCH_PENDING];
};

/* What a chain is looked for in: bytes of the buffer from `start` on. */
struct match_view {
	const uint8_t *p;
	size_t len;
	uint64_t start;
	bool at_end; /* the buffer ends where the view does */
};

/* One call's way through Hyperscan's callback. */
struct match_call {
	struct matcher *m;
	struct match_txn *txn;
	enum rule_buffer buffer;
	unsigned dbi; /* index of db */
	const struct ruleset_db *db;
	uint32_t first_pattern;      /* of the shard that looks now */
	struct match_view view;      /* the block, or this piece of the stream */
	int64_t credit;              /* of a block */
	struct match_stream *stream; /* or NULL: a block */
};

/* Around what a rule's part has done because of something found. */
static inline uint64_t watch_begin(const struct matcher *m)
{
	return m->watch ? match_cycles() : 0;
}

static inline void watch_end(const struct matcher *m, uint32_t part, uint64_t began)
{
	if (m->watch)
		match_watch_add(m->watch, m->ruleset->parts[part].rule, match_cycles() - began);
}

/* Index of a streaming buffer's pool. */
static inline unsigned match_pool_of(enum rule_buffer buffer)
{
	return buffer == RULE_BUFFER_EMAIL_BODY ? 0 : buffer == RULE_BUFFER_FILE_DATA ? 1 : 2;
}

/* The buffer of a pool. */
static inline enum rule_buffer match_pool_buffer(unsigned pool)
{
	return pool == 0   ? RULE_BUFFER_EMAIL_BODY
	       : pool == 1 ? RULE_BUFFER_FILE_DATA
			   : RULE_BUFFER_SIP_BODY;
}

/*
 * Does the chain (its negation left aside) hold in the view? Takes the work
 * from `credit`; false as well when that is used up: *credit is below zero then.
 */
bool match_chain_holds(const struct matcher *m, const struct ruleset_chain *chain,
		       const struct match_view *view, int64_t *credit);

/* Do addresses, ports, direction and state hold for a hit in this buffer? */
bool match_scope_holds(const struct ruleset *rs, const struct ruleset_scope *scope,
		       const struct match_flow *flow, enum rule_buffer buffer);

/* Who wrote the words in this buffer: the client? */
bool match_to_server(const struct match_flow *flow, enum rule_buffer buffer);

/* Has the transaction reported this rule already? */
bool match_reported(const struct match_txn *txn, uint32_t rule);
/* A part holds: the rule is reported if it was the last. */
void match_part_found(struct matcher *m, struct match_txn *txn, uint32_t part,
		      enum rule_buffer buffer);
/* It is not looked at again in this transaction. */
void match_remember_rule(struct matcher *m, struct match_txn *txn, uint32_t rule);
void match_report(struct matcher *m, struct match_txn *txn, uint32_t rule, enum rule_buffer buffer,
		  bool silent, uint8_t action);
void match_over_budget(struct matcher *m, struct match_txn *txn);

/* A rule with conditions holds, but for them: match_judge(), with the data in hand looked at. */
void match_defer(struct matcher *m, struct match_txn *txn, uint32_t rule, enum rule_buffer buffer);
void match_judge(struct matcher *m, struct match_txn *txn);

/* A value as sets that rules write keep it. */
void match_value_of(const uint8_t *p, size_t len, uint8_t value[MATCH_VALUE]);
/* Has a rule put the value in that set, and is it still there? */
bool match_value_is_set(const struct matcher *m, const struct match_txn *txn,
			const struct ruleset_dataset *set, const uint8_t value[MATCH_VALUE]);

/*
 * What the lane makes of the bytes, in state->transformed; transforms before `first` were made
 * already. False: they are too many.
 */
bool match_transform(const struct matcher *m, const struct ruleset_lane *lane, unsigned first,
		     const uint8_t *p, size_t len, const uint8_t **out, size_t *out_len);
/*
 * One transform of RULE_TRANSFORM_PIECES over the next bytes: into `out`, which is `p` if nothing
 * is held, or has room for two bytes more. Returns how many. `key`: xor's.
 */
size_t match_filter(struct match_filter *f, enum rule_transform transform, struct ruleset_str key,
		    const char *strings, const uint8_t *p, size_t len, uint8_t *out);
/* What it still held, at the end: up to two bytes. */
size_t match_filter_end(struct match_filter *f, uint8_t *out);

/* The whole of a buffer as a lane makes it, to the lane's rules. */
void match_lane_scan(struct matcher *m, struct match_txn *txn, uint32_t lane, unsigned first,
		     const uint8_t *p, size_t len);

/* A piece of a stream, call->view, to the rules of one database; its end. match_stream.c. */
void match_stream_feed_one(struct match_call *call);
void match_stream_end_one(struct match_call *call);
void match_stream_renew(struct match_stream *s, const struct match_pool *pool);

/* The same for all lanes that a buffer goes through as it comes. match_lane.c. */
void match_lanes_renew(struct matcher *m, enum rule_buffer buffer, uint32_t slot);
void match_lanes_feed(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		      uint32_t slot, const uint8_t *p, size_t len);
void match_lanes_end(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer,
		     uint32_t slot);
void match_lanes_drop(struct matcher *m, enum rule_buffer buffer, uint32_t slot);

/* Of an image's rules; and of a matcher on it: 0 or -ENOMEM. */
void match_excerpts_plan(struct ruleset *rs);
int match_excerpts_init(struct matcher *m, uint32_t slots);
void match_excerpts_fini(struct matcher *m);
/* A chain was found that ends at `at` of the stream; a piece was looked at; its buffer is over. */
void match_excerpt_note(struct match_call *call, const struct ruleset_part *part, uint64_t at);
void match_excerpts_feed(struct match_call *call);
void match_excerpts_close(struct match_call *call);
void match_excerpts_drop(struct matcher *m, struct match_txn *txn);

/* `digests`: bits of the hashes that its streams are asked for. */
int match_pool_init(struct match_pool *pool, const struct ruleset *rs, unsigned dbi,
		    unsigned digests, uint32_t max_streams);
void match_pool_fini(struct match_pool *pool);

#endif
