/* SPDX-License-Identifier: BSD-3-Clause */
/* The image's sections while they grow; between the parts of the compiler. */
#ifndef POSTERN_CONTROL_RULESET_TABLES_H
#define POSTERN_CONTROL_RULESET_TABLES_H

#include "control/rules/rule_literal.h"
#include "control/rules/ruleset_build.h"

struct section {
	char *data;
	size_t count, capacity; /* elements */
	size_t size;            /* of one, bytes */
};

enum trigger_kind {
	TRIGGER_LITERAL,
	TRIGGER_WORDS, /* an expression that Hyperscan finds by words of its own choice */
	TRIGGER_LONE,  /* one that runs on every byte */
};

/* What starts a chain: an entry of a buffer's database before equal ones are joined. */
struct trigger {
	uint32_t chain;
	const struct rule_step *place; /* for messages */
	uint32_t sid;
	enum trigger_kind kind;
	bool once;      /* the first place where it is found tells all */
	uint32_t shard; /* of its buffer */
	/* Literal: bytes and nocase. Else the expression and its flags. */
	const char *text;
	size_t len;
	bool nocase;
	unsigned flags; /* HS_FLAG_* of an expression */
};

struct trigger_list {
	struct trigger *items;
	size_t count, capacity;
	uint32_t *always; /* parts */
	size_t always_count, always_capacity;
	uint32_t reach, tracked; /* as in struct ruleset_db */
};

/* What one of Hyperscan's databases looks for; memory is the arena's. */
struct patterns {
	const char **expressions;
	unsigned *flags, *ids;
	const struct trigger **triggers; /* the first of the equal ones; not of those that steer */
	unsigned count;
	unsigned steers; /* where those that steer begin */
};

struct database {
	struct patterns patterns;
	unsigned db; /* whose shard it is */
	char *data;  /* serialized, to be freed with free() */
	size_t size, stream_bytes;
	void *error; /* hs_compile_error_t: why there is none */
	bool found;  /* in the cache */
};

struct ruleset_tables {
	struct arena arena;
	struct rule_diags *diags;
	struct section rules, conditions, parts, chains, steps, scopes, nets, ports, pcres, numbers,
		datasets, hashes, arguments, patterns, starts, strings, shards;
	struct ruleset_lane lanes[RULESET_LANES];
	uint32_t lane_count;
	uint32_t groups; /* as in struct ruleset_image */
	struct ruleset_span closing;
	struct trigger_list triggers[RULESET_DBS];
	struct ruleset_db db[RULESET_DBS];
	struct database *databases; /* one a shard */
	size_t databases_capacity;
	const char *flowbits[RULESET_FLOWBITS]; /* that rules ask for, ascending */
	size_t flowbits_count;
	uint32_t flowbits_names; /* as in struct ruleset_image */
	struct ruleset_build_stats stats;
	bool failed;
};

void tables_init(struct ruleset_tables *t, struct rule_diags *diags);
void tables_fini(struct ruleset_tables *t);

/* A new element, zeroed; its index is count - 1 then. */
void *section_add(struct ruleset_tables *t, struct section *section);
struct ruleset_str section_string(struct ruleset_tables *t, const void *text, size_t len);

/* Rules to tables and triggers; ruleset_tables.c, ruleset_chains.c. */
void tables_add_rule(struct ruleset_tables *t, const struct rule *rule);
void tables_add_part(struct ruleset_tables *t, const struct rule *rule,
		     const struct rule_part *part, uint32_t rule_index);

/* What rules remember; ruleset_state.c. Bits are named before the first rule is added. */
void tables_name_bits(struct ruleset_tables *t, const struct rule_list *list);
void tables_add_conditions(struct ruleset_tables *t, const struct rule *rule,
			   struct ruleset_rule *out);
void tables_order_rules(struct ruleset_tables *t, const struct rule_list *list);

/* When all rules are in: those that the end of a transaction decides; ruleset_tables.c. */
void tables_list_closing(struct ruleset_tables *t);
/* When all rules are in: which parts are the same; ruleset_facts.c. Without memory each is its own.
 */
void tables_share_facts(struct ruleset_tables *t);

/*
 * Where a part is looked for: its buffer's database, or its lane's; a mistake where there are too
 * many lanes. ruleset_tables.c.
 */
unsigned tables_db(struct ruleset_tables *t, const struct rule_part *part);
/* Is that database fed in pieces? */
static inline bool tables_streams(const struct ruleset_tables *t, unsigned db)
{
	const struct ruleset_lane *lane;

	if (db < RULE_BUFFER_COUNT)
		return rule_buffers[db].mode == BUFFER_STREAM;
	lane = &t->lanes[db - RULE_BUFFER_COUNT];
	return lane->streamed && lane->streamed == lane->count;
}
/* Its buffer's name, for messages. */
static inline const char *tables_db_name(const struct ruleset_tables *t, unsigned db)
{
	return rule_buffers[db < RULE_BUFFER_COUNT ? db : t->lanes[db - RULE_BUFFER_COUNT].buffer]
		.name;
}
void tables_add_datasets(struct ruleset_tables *t, const struct rule_list *list);

/* Triggers to patterns, in as many shards as they need; ruleset_hs.c, ruleset_shard.c. */
void tables_prepare_databases(struct ruleset_tables *t, unsigned db);
/* Gives each trigger its shard, and sorts them by it. */
void triggers_shard(struct trigger_list *list);
/* By shard; equal triggers stand together then, and in the order of their chains. */
int trigger_order(const void *a, const void *b);
bool trigger_same(const struct trigger *a, const struct trigger *b);
/* Patterns of all shards to databases; ruleset_compile.c. False with the mistake said. */
bool tables_compile_databases(struct ruleset_tables *t,
			      const struct ruleset_build_options *options);
/* Flags for Hyperscan to run the step's expression, 0 if it can't. Exact: no confirmation needed.
 */
unsigned pcre_hs_flags(const struct rule_step *step, bool *exact);
/* Of the longest match of the step's expression, bytes; -1: no bound, or nobody knows. */
int64_t pcre_max_width(const struct rule_step *step);

#endif
