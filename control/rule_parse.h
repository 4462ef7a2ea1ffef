/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of the rule parser: rule_parse.c drives, the others know one thing each. */
#ifndef POSTERN_CONTROL_RULE_PARSE_H
#define POSTERN_CONTROL_RULE_PARSE_H

#include "control/rule.h"
#include "control/rule_lex.h"

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
/* A keyword that Suricata knows and Postern can't honour. rule_option.c. */
bool rule_option_is_suricatas(struct rule_word name);

rule_option_fn rule_option_content, rule_option_nocase, rule_option_position,
	rule_option_startswith, rule_option_endswith, rule_option_fast_pattern; /* _content.c */
rule_option_fn rule_option_pcre, rule_option_isdataat, rule_option_bsize;       /* _pcre.c */
rule_option_fn rule_option_metadata, rule_option_reference;                     /* _meta.c */

/* What only the whole rule shows; rule_check.c. */
bool rule_check(struct rule_parser *parser);

#endif
