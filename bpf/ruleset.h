/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A compiled ruleset: one flat, position-independent image that control writes
 * (control/rules/ruleset_build.h) and workers load (dataplane/match/match.h). Host byte
 * order, for one machine. No pointers: a span is an offset from the image's
 * start and a count of elements; a string is an offset into the strings section
 * and ends with a NUL that its length leaves out.
 *
 * A rule is an AND of parts; a part is one instance of one buffer; a part is an
 * AND of chains; a chain is a list of steps, each placed relative to the one
 * before. Chains know nothing of each other, which is Suricata's meaning: a
 * content without distance or within starts over.
 *
 * What starts the chains of a buffer is looked for by one Hyperscan database, or by
 * several where one would take long to compile: shards. A shard's pattern ids index
 * `patterns` from its first; a pattern names the chains that it may start.
 */
#ifndef POSTERN_RULESET_H
#define POSTERN_RULESET_H

#include "bpf/rule_buffer.h"

#define RULESET_MAGIC   0x31524e54u /* "TNR1" */
#define RULESET_VERSION 10
#define RULESET_ALIGN   64 /* of every section */

/* No limit: the `hi` of a content, the end of a buffer. */
#define RULESET_NO_LIMIT INT32_MAX

/*
 * A chain in a streaming buffer that must be confirmed sees `reach` bytes before
 * and after the end of its literal, however the data was cut into packets: what
 * the rule says it can span, and no more than this.
 */
#define RULESET_REACH     2048
#define RULESET_REACH_MIN 64

/*
 * Bytes of a body that a rule may keep of a mail that it refuses (metadata: keep N). The margin on
 * both sides is looked at to tell what must not be kept, and goes no further than the matcher.
 */
#define RULESET_KEEP_MIN    16
#define RULESET_KEEP_MAX    512
#define RULESET_KEEP_MARGIN 64

struct ruleset_span {
	uint32_t offset, count;
};

struct ruleset_str {
	uint32_t offset, len;
};

/*
 * What a transform makes of a buffer, in the order of the list: its name, whether it takes a value
 * (enum rule_value), how it is made, what it does.
 */
#define RULE_TRANSFORMS(X)                                                                      \
	X(TO_LOWERCASE, "to_lowercase", NONE, PIECES, "the buffer in lower case (ASCII)")       \
	X(TO_UPPERCASE, "to_uppercase", NONE, PIECES, "the buffer in upper case (ASCII)")       \
	X(STRIP_WHITESPACE, "strip_whitespace", NONE, PIECES,                                   \
	  "without blanks, tabs and line ends")                                                 \
	X(COMPRESS_WHITESPACE, "compress_whitespace", NONE, PIECES,                             \
	  "of each run of them the first")                                                      \
	X(DOTPREFIX, "dotprefix", NONE, WHOLE, "a dot before the buffer")                       \
	X(URL_DECODE, "url_decode", NONE, PIECES, "%HH and + decoded")                          \
	X(HEADER_LOWERCASE, "header_lowercase", NONE, PIECES,                                   \
	  "in each line the name before the colon in lower case")                               \
	X(XOR, "xor", REQUIRED, PIECES,                                                         \
	  "each byte xor the next of a key, \"0dc8ff\" in hex, again and again")                \
	X(FROM_BASE64, "from_base64", OPTIONAL, WHOLE,                                          \
	  "decoded: bytes N, offset N, mode rfc4648, rfc2045 or strict; as it was where it is " \
	  "none")                                                                               \
	X(PCREXFORM, "pcrexform", REQUIRED, WHOLE,                                              \
	  "what the group of an expression finds; as it was where it finds nothing")            \
	X(TO_MD5, "to_md5", NONE, HASH, "the 16 bytes of the buffer's MD5")                     \
	X(TO_SHA1, "to_sha1", NONE, HASH, "the 20 bytes of the buffer's SHA-1")                 \
	X(TO_SHA256, "to_sha256", NONE, HASH, "the 32 bytes of the buffer's SHA-256")

enum rule_transform {
#define X(id, name, value, how, doc) RULE_TRANSFORM_##id,
	RULE_TRANSFORMS(X)
#undef X
		RULE_TRANSFORM_COUNT,
};

enum rule_transform_how {
	RULE_TRANSFORM_PIECES, /* of a buffer in pieces too, however it is cut */
	RULE_TRANSFORM_WHOLE,  /* of all of it at once */
	RULE_TRANSFORM_HASH,   /* of pieces, known at the end */
};

static inline enum rule_transform_how rule_transform_how(enum rule_transform transform)
{
	static const uint8_t how[] = {
#define X(id, name, value, how, doc) RULE_TRANSFORM_##how,
		RULE_TRANSFORMS(X)
#undef X
	};

	return (enum rule_transform_how)how[transform];
}

/* A buffer as transforms make it: it has a database of its own, behind the buffers'. */
#define RULESET_LANES      32
#define RULESET_TRANSFORMS 6 /* of one lane */
#define RULESET_DBS        (RULE_BUFFER_COUNT + RULESET_LANES)

/*
 * Of a buffer that comes in pieces the first `streamed` transforms are made as it comes. If these
 * are all, its database is a streaming one; else a hash follows, and what is made of that.
 */
struct ruleset_lane {
	uint8_t buffer;
	uint8_t count, streamed;
	uint8_t pad[3];
	uint8_t transform[RULESET_TRANSFORMS]; /* enum rule_transform */
	uint32_t argument[RULESET_TRANSFORMS]; /* 1 + its index; 0: it has none */
};

enum ruleset_base64 { RULE_BASE64_RFC4648, RULE_BASE64_RFC2045, RULE_BASE64_STRICT };

/* What a transform's value says. */
struct ruleset_argument {
	struct ruleset_str text; /* xor: the key */
	uint32_t pcre;           /* pcrexform: 1 + its index */
	uint32_t bytes, offset;  /* from_base64: bytes: 0: all */
	uint32_t mode;           /* enum ruleset_base64 */
};

enum ruleset_proto { RULE_SMTP, RULE_SIP, RULE_TCP, RULE_UDP, RULE_IP };

struct ruleset_rule {
	uint32_t sid, rev;
	uint32_t first_part, parts;
	uint32_t scope;
	uint32_t line;  /* in `file` */
	uint8_t action; /* enum verdict */
	uint8_t shadow;
	uint8_t risk; /* points */
	uint8_t priority;
	uint8_t noalert; /* counted, and nothing is written */
	uint8_t order;   /* those of a lower one are judged first */
	uint16_t conditions;
	uint32_t first_condition;
	uint16_t writes; /* it puts what it finds in a set: of all instances, not of the first alone
			  */
	uint16_t keep;   /* bytes of a body around what it finds there; 0: none */
	struct ruleset_str msg, classtype, aup, reply, info, file;
};

/* What a rule asks of, or leaves to, others than its transaction. */
enum ruleset_condition_kind {
	RULE_ON_FLOWBITS,
	RULE_ON_XBITS,
	RULE_ON_COUNT, /* threshold, detection_filter */
	RULE_ON_TENANT,
	RULE_ON_TIER,
	RULE_ON_RATE,    /* rate_filter: another action */
	RULE_ON_DATASET, /* the buffer is put in a set, or taken out */
	RULE_CONDITIONS,
};

enum ruleset_bit_op {
	RULE_BIT_SET,
	RULE_BIT_UNSET,
	RULE_BIT_TOGGLE,
	RULE_BIT_ISSET,
	RULE_BIT_ISNOTSET,
	RULE_BIT_OPS,
};

enum ruleset_count {
	RULE_COUNT_LIMIT,     /* the first `count` of a window */
	RULE_COUNT_THRESHOLD, /* each `count`th */
	RULE_COUNT_BOTH,      /* the `count`th alone */
	RULE_COUNT_FILTER,    /* all after the `count`th */
	RULE_COUNT_BACKOFF, /* the `count`th, and as many times that as `bits` says, again and again
			     */
	RULE_COUNTS,
};

enum ruleset_track {
	RULE_TRACK_SRC,
	RULE_TRACK_DST,
	RULE_TRACK_BOTH, /* source and destination */
	RULE_TRACK_PAIR, /* the same, either way */
	RULE_TRACK_RULE,
	RULE_TRACK_FLOW,
	RULE_TRACK_TENANT,
	RULE_TRACKS,
};

#define RULESET_FLOWBITS 64 /* names that rules ask for, of a ruleset */

struct ruleset_condition {
	uint8_t kind;
	uint8_t op;    /* enum ruleset_bit_op, enum ruleset_count, or enum verdict */
	uint8_t track; /* enum ruleset_track */
	uint8_t pad;
	uint32_t count;   /* of a count; a tenant's id, or 0: its name */
	uint64_t seconds; /* until it is over */
	/* The flow's; the hash of an xbit's or a set's name; a backoff's multiplier; seconds of
	 * another action. */
	uint64_t bits;
	struct ruleset_str name; /* of a bit, tenant or tier */
};

enum ruleset_flow {
	RULE_FLOW_TO_SERVER = 1 << 0,
	RULE_FLOW_TO_CLIENT = 1 << 1,
	RULE_FLOW_ESTABLISHED = 1 << 2,
	RULE_FLOW_NOT_ESTABLISHED = 1 << 3,
	RULE_FLOW_STREAM = 1 << 4,   /* over TCP */
	RULE_FLOW_DATAGRAM = 1 << 5, /* not over TCP */
};

enum ruleset_direction {
	RULE_ONE_WAY,     /* -> sender to receiver */
	RULE_BOTH_WAYS,   /* <> either */
	RULE_TRANSACTION, /* => client to server, buffers of both sides */
};

/* Whom a rule is about: most rules of a set share a handful. */
struct ruleset_scope {
	struct ruleset_span src, dst;     /* indexes into nets; empty: any */
	struct ruleset_span sport, dport; /* indexes into ports; empty: any */
	uint8_t transport;                /* IP protocol, 0: any */
	uint8_t direction;                /* enum ruleset_direction */
	uint8_t flow;                     /* enum ruleset_flow bits */
	uint8_t pad;
};

enum ruleset_net_kind { RULE_NET_PREFIX, RULE_NET_TENANTS };

/* A list holds if one of its plain entries does (or it has none) and no negated one does. */
struct ruleset_net {
	uint8_t kind, family, bits, negated;
	uint8_t addr[16];
};

struct ruleset_port {
	uint16_t lo, hi;
	uint32_t negated;
};

enum ruleset_part_flag {
	RULE_PART_ALWAYS = 1 << 0,   /* block: nothing to wait for, look at every instance */
	RULE_PART_AT_CLOSE = 1 << 1, /* stream: not known before the buffer's end */
	/* Known when the transaction has come whole: */
	RULE_PART_NONE = 1 << 2,   /* it holds where no instance has what its chains say */
	RULE_PART_ABSENT = 1 << 3, /* it holds where the buffer never came, or as its chains say */
};

struct ruleset_part {
	uint32_t rule;
	uint32_t fact; /* the first part that holds whenever this one does, maybe itself */
	uint32_t first_chain;
	uint16_t chains;
	uint8_t buffer;
	uint8_t flags;
	uint8_t db;    /* the buffer's, or RULE_BUFFER_COUNT and the lane */
	uint8_t group; /* parts of a rule of one number hold of one attachment; 0: by themselves */
	uint8_t pad[2];
};

enum ruleset_chain_flag {
	RULE_CHAIN_NEGATED = 1 << 0, /* the part fails where it holds */
	RULE_CHAIN_CONFIRM = 1 << 1, /* the literal alone is not enough */
	RULE_CHAIN_LENGTH = 1 << 2,  /* about the buffer's length only */
};

/* In no tracked set: the chain alone decides its part. */
#define RULESET_UNTRACKED UINT32_MAX

struct ruleset_chain {
	uint32_t part;
	uint32_t first_step;
	uint32_t tracked; /* bit in a stream's set of chains seen, RULESET_UNTRACKED */
	uint16_t steps;
	uint16_t flags;
	uint32_t reach; /* of a confirmation in a stream, RULESET_REACH_MIN to RULESET_REACH */
};

enum ruleset_step_kind {
	RULE_STEP_CONTENT,
	RULE_STEP_PCRE,
	RULE_STEP_DATA_AT,
	RULE_STEP_SIZE,
	RULE_STEP_DATASET, /* the buffer is one of a set */
	RULE_STEP_TEST,    /* byte_test */
	RULE_STEP_JUMP,    /* byte_jump */
	RULE_STEP_EXTRACT, /* byte_extract */
	RULE_STEP_MATH,    /* byte_math */
	RULE_STEP_KINDS,
};

enum ruleset_step_flag {
	RULE_STEP_NEGATED = 1 << 0,
	RULE_STEP_NOCASE = 1 << 1,   /* the text is lower case */
	RULE_STEP_RELATIVE = 1 << 2, /* counted from the end of the step before */
	RULE_STEP_AT_END = 1 << 3,   /* endswith */
};

/* Names that a rule's byte_extract and byte_math give to numbers, while a chain is looked at. */
#define RULESET_VARIABLES 8

/*
 * Content: it starts at or after base + lo and ends at or before base + hi.
 * Data at: there is data at base + lo. Size: lo <= length <= hi.
 * Test, jump, extract, math: `index` is of what they do.
 * The base is the end of the step before, 0 for the first. A variable (1 + its
 * number, 0: none) adds to lo and to hi, or to hi alone.
 */
struct ruleset_step {
	uint16_t kind, flags;
	uint32_t index; /* of a pcre, a dataset or a number */
	int32_t lo, hi;
	struct ruleset_str text;
	uint8_t lo_var, hi_var, pad[6];
};

enum ruleset_number_flag {
	RULE_NUMBER_LITTLE = 1 << 0,     /* the first byte is the least */
	RULE_NUMBER_STRING = 1 << 1,     /* digits in `base` */
	RULE_NUMBER_FROM_START = 1 << 2, /* a jump counts from the buffer's start */
	RULE_NUMBER_FROM_END = 1 << 3,   /* or from its end */
};

enum ruleset_number_op {
	RULE_OP_NONE,
	RULE_OP_EQUAL,
	RULE_OP_LESS,
	RULE_OP_GREATER,
	RULE_OP_LESS_EQUAL,
	RULE_OP_GREATER_EQUAL,
	RULE_OP_AND, /* a bit in common */
	RULE_OP_XOR, /* a bit that differs */
	RULE_OP_ADD,
	RULE_OP_SUBTRACT,
	RULE_OP_MULTIPLY,
	RULE_OP_DIVIDE,
	RULE_OP_SHIFT_LEFT,
	RULE_OP_SHIFT_RIGHT,
	RULE_OP_COUNT,
};

#define RULESET_NUMBER_BYTES 23 /* of a string: 2^64 in octal, with a zero before it */

/*
 * A number read at base + offset, and what becomes of it. A step's variable in
 * place of a constant is 1 + its number; 0: the constant.
 */
struct ruleset_number {
	uint64_t value; /* it is compared or combined with */
	uint64_t mask;  /* 0: none; what it leaves is shifted right to its lowest bit */
	int32_t offset;
	int32_t post;        /* added to a jump */
	uint32_t multiplier; /* 1 where there is none */
	uint8_t op;          /* enum ruleset_number_op */
	uint8_t flags;       /* enum ruleset_number_flag */
	uint8_t count;       /* bytes */
	uint8_t base;        /* of a string: 8, 10, 16, or 0: as strtoull() finds it */
	uint8_t align;       /* the next multiple of it; 0: as it is */
	uint8_t count_var, offset_var, value_var;
	uint8_t result; /* variable that takes it */
	uint8_t pad[3];
};

struct ruleset_pcre {
	struct ruleset_str source;
	uint32_t options; /* PCRE2_* */
	uint32_t pad;
};

/* A set of values, by their keyed hash: bpf/policy.h has more of its form. */
struct ruleset_dataset {
	struct ruleset_span hashes; /* into `hashes`: uint64_t */
	uint64_t capacity;
	uint64_t key[2]; /* of siphash() */
	struct ruleset_str name;
	uint64_t written; /* the hash of its name, if rules write it too; 0: they don't */
	uint32_t track;   /* RULE_TRACK_RULE: one for all; RULE_TRACK_TENANT: one for each */
	uint32_t pad;
};

struct ruleset_pattern {
	struct ruleset_span chains; /* into `starts`, which holds indexes of chains */
};

/* A serialized database of Hyperscan's. */
struct ruleset_shard {
	uint32_t offset, size;
	uint32_t first_pattern, patterns;
};

#define RULESET_SHARDS 128 /* of one buffer or lane */

struct ruleset_db {
	struct ruleset_span shards; /* none: nothing to look for */
	struct ruleset_span always; /* into `starts`: parts, not chains */
	uint32_t reach;             /* the longest of its chains', 0: none must be confirmed */
	uint32_t tracked;           /* bits of a stream's set of chains */
};

struct ruleset_image {
	uint32_t magic, version;
	uint64_t size;     /* bytes, this head included */
	uint64_t checksum; /* XXH3 of what follows the head, for damage, not for malice */
	uint32_t generation;
	uint32_t flowbits; /* which names its flowbits have: another's mean nothing to it */
	struct ruleset_span rules, conditions, parts, chains, steps, scopes, nets, ports, pcres,
		numbers, datasets, hashes, arguments, patterns, starts, strings, shards;
	struct ruleset_span closing; /* into `starts`: rules with a part of NONE or ABSENT */
	uint32_t lane_count;
	uint32_t groups; /* parts that have one */
	struct ruleset_lane lanes[RULESET_LANES];
	struct ruleset_db db[RULESET_DBS];
};

/* The elements of a section. The image was checked when it was loaded. */
#define RULESET_AT(image, type, section) \
	((const type *)(const void *)((const char *)(image) + (image)->section.offset))

static inline const char *ruleset_text(const struct ruleset_image *image, struct ruleset_str s)
{
	return RULESET_AT(image, char, strings) + s.offset;
}

#endif
