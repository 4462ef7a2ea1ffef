/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of the rule parser: rule_parse.c drives, the others know one thing each. */
#ifndef POSTERN_CONTROL_RULE_PARSE_H
#define POSTERN_CONTROL_RULE_PARSE_H

#include "control/rules/rule.h"
#include "control/rules/rule_lex.h"

struct rule_parser {
	struct rule_list *list;
	struct rule_diags *diags;
	const struct rule_vars *vars;
	struct rule_line line;
	struct rule rule;       /* being read */
	struct rule_part *part; /* that the last sticky buffer opened */
	struct rule_step *step; /* that modifiers belong to */
	bool failed;
	bool step_lost; /* the last content was refused: what modifies it is not a second mistake */
	bool payload_said;
	bool fresh;  /* the last word named a buffer, or a transform of it */
	bool closed; /* the open part takes no steps: its buffer is not there */
	/* Numbers that byte_extract and byte_math name, each in its part. */
	struct rule_name {
		const char *text;
		size_t part; /* index */
	} names[RULESET_VARIABLES];
	uint8_t names_count;
};

/* Says what is wrong at byte `at` of the line; the rule is then left out. Always false. */
bool rule_fail(struct rule_parser *parser, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Address and port expressions of the header; rule_net.c. */
bool rule_parse_nets(struct rule_parser *parser, struct rule_word word, struct ruleset_net **nets,
		     size_t *count);
bool rule_parse_ports(struct rule_parser *parser, struct rule_word word,
		      struct ruleset_port **ports, size_t *count);
/* The value of $NAME, or NULL; rule_net.c. */
const char *rule_var_find(const struct rule_vars *vars, struct rule_word name);

/* A quoted value: what stands between the quotes, `negated` if a ! stands before them. */
bool rule_unquote(struct rule_parser *parser, struct rule_word value, bool *negated,
		  struct rule_word *inner);
/* The same with \" \; \\ \: undone, NUL-terminated. */
bool rule_text(struct rule_parser *parser, struct rule_word value, const char **text);
/* The step a modifier belongs to: the last content, or NULL with a mistake said. */
struct rule_step *rule_last_content(struct rule_parser *parser, struct rule_word keyword);
/* A new step of the part that is open; NULL with a mistake said when none is. */
struct rule_step *rule_add_step(struct rule_parser *parser, struct rule_word keyword,
				enum ruleset_step_kind kind);

/* 1 + the variable of that name, with a mistake said where it is another part's; 0: there is none.
 * rule_option_number.c. */
uint8_t rule_variable_find(struct rule_parser *parser, struct rule_word name);

/* 0 to 15; -1: it is none. */
int rule_hex_digit(char c);
/* What stands between a content's quotes, with its escapes and |hex|, becomes the step's text. */
bool rule_content_read(struct rule_parser *parser, struct rule_word inner, struct rule_step *step);

/* A new part of the buffer, open. */
void rule_add_part(struct rule_parser *parser, struct rule_place place, enum rule_buffer buffer);
/* A part of its own for the same buffer as the open one. */
void rule_split_part(struct rule_parser *parser);
/* A new condition of the rule. */
struct rule_condition *rule_add_condition(struct rule_parser *parser, struct rule_word keyword,
					  enum ruleset_condition_kind kind);

typedef bool rule_option_fn(struct rule_parser *parser, struct rule_word keyword,
			    struct rule_word value);

enum rule_value { VALUE_NONE, VALUE_REQUIRED, VALUE_OPTIONAL };

/* One keyword of the language. */
struct rule_option {
	const char *name;
	enum rule_value value;
	rule_option_fn *parse;
	const char *doc;
};

/* NULL: not one of ours. rule_option.c. */
const struct rule_option *rule_option_find(struct rule_word name);
/* All of them, in the order of the documents. rule_option.c. */
const struct rule_option *rule_options(size_t *count);
/* A keyword of Suricata's, or what a family of them begins with, that the gate can't honour. */
struct rule_refused {
	const char *name, *why;
};
const struct rule_refused *rule_refusals(size_t *count); /* rule_refused.c */
/* Why a keyword of Suricata's can't be honoured; NULL: it is none of these. rule_refused.c. */
const char *rule_refused_why(struct rule_word name);

rule_option_fn rule_option_content, rule_option_nocase, rule_option_position,
	rule_option_startswith, rule_option_endswith, rule_option_fast_pattern,
	rule_option_prefilter, rule_option_rawbytes;       /* _content.c */
rule_option_fn rule_option_pcre;                           /* _pcre.c */
rule_option_fn rule_option_isdataat, rule_option_bsize;    /* _length.c */
rule_option_fn rule_option_absent, rule_option_none;       /* _absent.c */
rule_option_fn rule_option_filename, rule_option_filesize; /* _file.c */
rule_option_fn rule_option_byte_test, rule_option_byte_jump, rule_option_byte_extract,
	rule_option_byte_math;                          /* _number.c */
rule_option_fn rule_option_flowbits, rule_option_xbits; /* _bits.c */
rule_option_fn rule_option_threshold, rule_option_detection_filter,
	rule_option_rate_filter;                                          /* _count.c */
rule_option_fn rule_option_transform;                                     /* _transform.c */
rule_option_fn rule_option_dataset;                                       /* _dataset.c */
rule_option_fn rule_option_flow, rule_option_proto, rule_option_requires; /* _flow.c */
rule_option_fn rule_option_metadata, rule_option_reference, rule_option_target,
	rule_option_gid; /* _meta.c */

/* What bsize says, units (KB, MB, GB) where they may be: false: it is none of it. _length.c. */
bool rule_length_read(struct rule_word value, int64_t max, struct rule_step *step);

/* What only the whole rule shows; rule_check.c. */
bool rule_check(struct rule_parser *parser);

#endif
