/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A rule as its author wrote it, checked word by word: what the parser makes
 * and the compiler reads. All memory is the arena's of the rule_list.
 */
#ifndef POSTERN_CONTROL_RULE_H
#define POSTERN_CONTROL_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/policy.h"
#include "bpf/ruleset.h"
#include "control/rules/rule_diag.h"

struct rule_step {
	struct rule_place place;
	enum ruleset_step_kind kind;
	bool negated, nocase, startswith, endswith, fast, relative;
	bool has_offset, has_depth, has_distance, has_within;
	int32_t offset, depth, distance, within;
	uint32_t fast_offset, fast_len; /* fast_pattern:offset,len; len 0: all of it */
	char *text;                     /* content's bytes, pcre's expression */
	size_t len;
	uint32_t pcre_options; /* PCRE2_* */
	int32_t lo, hi;        /* data at: lo; size: lo..hi inclusive */
	/* Variables in place of numbers: 1 + which, 0: none. Content: lo_var is of offset or
	 * distance, hi_var of depth or within. */
	uint8_t lo_var, hi_var;
	uint32_t dataset;             /* index */
	struct ruleset_number number; /* byte_* */
};

/* Does it want a number that byte_extract or byte_math has read before? */
static inline bool rule_step_uses_variable(const struct rule_step *step)
{
	const struct ruleset_number *n = &step->number;

	return step->lo_var || step->hi_var || n->count_var || n->offset_var || n->value_var;
}

/* A transform's value: what struct ruleset_argument has of it. */
struct rule_argument {
	const char *text;
	size_t len;
	uint32_t bytes, offset, mode;
};

struct rule_part {
	enum rule_buffer buffer;
	uint8_t transforms[RULESET_TRANSFORMS];                    /* enum rule_transform */
	const struct rule_argument *arguments[RULESET_TRANSFORMS]; /* NULL: it has none */
	size_t transforms_count;
	bool none;     /* no instance has what the steps say */
	bool absent;   /* it holds, too, where the buffer never came */
	bool joins;    /* of the attachment that the rule speaks of at the time */
	uint8_t group; /* as in struct ruleset_part */
	struct rule_place place;
	struct rule_step *steps;
	size_t count, capacity;
};

/* Of a buffer that comes in pieces: the transforms that are made as it comes, before any other. */
static inline size_t rule_part_streamed(const struct rule_part *part)
{
	size_t n = 0;

	if (rule_buffers[part->buffer].mode != BUFFER_STREAM)
		return 0;
	while (n < part->transforms_count &&
	       rule_transform_how((enum rule_transform)part->transforms[n]) ==
		       RULE_TRANSFORM_PIECES)
		n++;
	return n;
}

/* Is it fed in pieces? What comes after a hash is not. */
static inline bool rule_part_streams(const struct rule_part *part)
{
	return rule_buffers[part->buffer].mode == BUFFER_STREAM &&
	       rule_part_streamed(part) == part->transforms_count;
}

/* Are they the same in two parts? */
bool rule_same_transforms(const struct rule_part *a, const struct rule_part *b);

#define RULE_NAMES_MAX 8 /* flowbits in one list: a|b|c */

/* flowbits, xbits, threshold, detection_filter; metadata's tenant and tier. */
struct rule_condition {
	struct rule_place place;
	enum ruleset_condition_kind kind;
	uint8_t op, track; /* as in struct ruleset_condition */
	uint32_t count, seconds;
	uint32_t extra; /* a backoff's multiplier; seconds of another action */
	const char *names[RULE_NAMES_MAX];
	size_t names_count;
};

struct rule {
	struct rule_place place;
	uint8_t action; /* enum verdict */
	enum ruleset_proto proto;
	enum ruleset_direction direction;
	uint32_t sid, rev;
	uint64_t digest; /* of its text as it stands in the file: another text, another digest */
	struct rule_place sid_place;
	uint8_t flow; /* enum ruleset_flow bits */
	struct rule_place flow_place;
	uint8_t risk, priority;
	uint16_t keep; /* as in struct ruleset_rule */
	struct rule_place keep_place;
	bool shadow, noalert, has_fast;
	const char *msg, *classtype, *aup, *reply;
	struct rule_place reply_place;
	const char *info; /* references and other metadata, "key value, key value" */
	struct ruleset_net *src, *dst;
	size_t src_count, dst_count;
	struct ruleset_port *sport, *dport;
	size_t sport_count, dport_count;
	struct rule_part *parts;
	size_t parts_count, parts_capacity;
	struct rule_condition *conditions;
	size_t conditions_count, conditions_capacity;
};

struct rule_sid {
	uint32_t sid;
	struct rule_place place;
};

/* A set of values that rules ask for, read from a file. */
struct rule_dataset {
	const char *name, *file; /* as the rule says */
	uint8_t type;            /* private: of its values */
	bool written;            /* by rules, too */
	uint8_t track;           /* enum ruleset_track, where it is */
	struct hashset set;
};

/* Files that rules name (dataset: load), where they don't come from the disk. */
struct rule_files {
	/* 0 and a text, the caller's to free(); -errno. */
	int (*read)(void *ctx, const char *path, char **textp, size_t *sizep);
	void *ctx;
};

struct rule_list {
	struct arena arena;
	const struct rule_files *files; /* NULL: the disk */
	struct rule_dataset *datasets;
	size_t datasets_count, datasets_capacity;
	struct rule_sid *sids; /* a hash set of sids taken */
	size_t sids_count, sids_used;
	struct rule *rules;
	size_t count, capacity;
	size_t refused; /* rules that had an error */
};

/* A zeroed struct rule_list is an empty one. */
void rule_list_fini(struct rule_list *list);

/* $NAME and what it stands for: an address or port expression. */
struct rule_var {
	const char *name; /* without the $ */
	const char *value;
};

struct rule_vars {
	const struct rule_var *vars; /* looked at before the built-in ones */
	size_t count;
};

/*
 * Reads the rules of one file's text (`file` is its name for messages, copied).
 * Every mistake goes to `diags`; a rule with one is left out, the others are
 * appended to `list`. Two rules with one sid, here or in what the list has
 * already, are a mistake of the second.
 */
void rules_parse(struct rule_list *list, struct rule_diags *diags, const struct rule_vars *vars,
		 const char *file, const char *text, size_t len);

#endif
