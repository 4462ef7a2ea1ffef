/* SPDX-License-Identifier: BSD-3-Clause */
/* An image becomes a ruleset: everything in it is checked before anything of it is used. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bpf/reason.h"
#include "dataplane/match/match_internal.h"

/* What one expression may cost; PCRE2 counts its own steps. */
#define PCRE_MATCH_LIMIT 20000

static bool span_in(struct ruleset_span span, uint32_t count)
{
	return span.offset <= count && span.count <= count - span.offset;
}

static bool section_ok(const struct ruleset_image *image, struct ruleset_span section, size_t size)
{
	return section.offset % RULESET_ALIGN == 0 && section.offset <= image->size &&
	       section.count <= (image->size - section.offset) / size;
}

static bool sections_ok(const struct ruleset_image *i)
{
	const char *strings = RULESET_AT(i, char, strings);

	return section_ok(i, i->rules, sizeof(struct ruleset_rule)) &&
	       section_ok(i, i->conditions, sizeof(struct ruleset_condition)) &&
	       section_ok(i, i->parts, sizeof(struct ruleset_part)) &&
	       section_ok(i, i->chains, sizeof(struct ruleset_chain)) &&
	       section_ok(i, i->steps, sizeof(struct ruleset_step)) &&
	       section_ok(i, i->scopes, sizeof(struct ruleset_scope)) &&
	       section_ok(i, i->nets, sizeof(struct ruleset_net)) &&
	       section_ok(i, i->ports, sizeof(struct ruleset_port)) &&
	       section_ok(i, i->pcres, sizeof(struct ruleset_pcre)) &&
	       section_ok(i, i->numbers, sizeof(struct ruleset_number)) &&
	       section_ok(i, i->datasets, sizeof(struct ruleset_dataset)) &&
	       section_ok(i, i->hashes, sizeof(uint64_t)) &&
	       section_ok(i, i->arguments, sizeof(struct ruleset_argument)) &&
	       section_ok(i, i->patterns, sizeof(struct ruleset_pattern)) &&
	       section_ok(i, i->starts, sizeof(uint32_t)) && section_ok(i, i->strings, 1) &&
	       section_ok(i, i->shards, sizeof(struct ruleset_shard)) && i->strings.count > 0 &&
	       strings[0] == '\0' && strings[i->strings.count - 1] == '\0';
}

static bool str_ok(const struct ruleset_image *i, struct ruleset_str s)
{
	return s.offset < i->strings.count && s.len < i->strings.count - s.offset;
}

static bool rules_ok(const struct ruleset_image *i)
{
	const struct ruleset_rule *rule = RULESET_AT(i, struct ruleset_rule, rules);

	for (uint32_t n = 0; n < i->rules.count; n++, rule++)
		if (!span_in((struct ruleset_span){rule->first_part, rule->parts},
			     i->parts.count) ||
		    !span_in((struct ruleset_span){rule->first_condition, rule->conditions},
			     i->conditions.count) ||
		    rule->scope >= i->scopes.count || rule->keep > RULESET_KEEP_MAX ||
		    !str_ok(i, rule->msg) || !str_ok(i, rule->classtype) || !str_ok(i, rule->aup) ||
		    !str_ok(i, rule->reply) || !str_ok(i, rule->info) || !str_ok(i, rule->file))
			return false;
	return true;
}

static int condition_ops(uint8_t kind)
{
	return kind == RULE_ON_COUNT  ? (int)RULE_COUNTS
	       : kind == RULE_ON_RATE ? (int)VERDICT_COUNT
				      : (int)RULE_BIT_OPS;
}

static bool conditions_ok(const struct ruleset_image *i)
{
	const struct ruleset_condition *c = RULESET_AT(i, struct ruleset_condition, conditions);

	for (uint32_t n = 0; n < i->conditions.count; n++, c++)
		if (c->kind >= RULE_CONDITIONS || c->track >= RULE_TRACKS ||
		    c->op >= condition_ops(c->kind) || c->seconds > UINT32_MAX ||
		    (c->kind == RULE_ON_RATE && c->bits > UINT32_MAX) || !str_ok(i, c->name))
			return false;
	return true;
}

static bool part_db_ok(const struct ruleset_image *i, const struct ruleset_part *part)
{
	if (part->db < RULE_BUFFER_COUNT)
		return part->db == part->buffer;
	return part->db - RULE_BUFFER_COUNT < (int)i->lane_count &&
	       i->lanes[part->db - RULE_BUFFER_COUNT].buffer == part->buffer;
}

/* A transform's value is there where it must be, and what it says can be done. */
static bool argument_ok(const struct ruleset_image *i, uint8_t transform, uint32_t index)
{
	const struct ruleset_argument *argument =
		RULESET_AT(i, struct ruleset_argument, arguments) + index - 1;
	bool wanted = transform == RULE_TRANSFORM_XOR || transform == RULE_TRANSFORM_PCREXFORM ||
		      transform == RULE_TRANSFORM_FROM_BASE64;

	if (!wanted || !index)
		return !wanted && !index;
	return index <= i->arguments.count && str_ok(i, argument->text) &&
	       argument->pcre <= i->pcres.count &&
	       (transform != RULE_TRANSFORM_XOR || argument->text.len) &&
	       (transform != RULE_TRANSFORM_PCREXFORM || argument->pcre);
}

/* What is made of pieces can be; what comes of a buffer in pieces is so made, or begins with a
 * hash.
 */
static bool lane_streams_ok(const struct ruleset_lane *lane)
{
	unsigned n = 0;

	if (rule_buffers[lane->buffer].mode != BUFFER_STREAM)
		return !lane->streamed;
	while (n < lane->count &&
	       rule_transform_how((enum rule_transform)lane->transform[n]) == RULE_TRANSFORM_PIECES)
		n++;
	return lane->streamed == n &&
	       (n == lane->count ||
		rule_transform_how((enum rule_transform)lane->transform[n]) == RULE_TRANSFORM_HASH);
}

static bool lanes_ok(const struct ruleset_image *i)
{
	if (i->lane_count > RULESET_LANES)
		return false;
	for (uint32_t n = 0; n < i->lane_count; n++) {
		const struct ruleset_lane *lane = &i->lanes[n];

		if (lane->buffer >= RULE_BUFFER_COUNT || !lane->count ||
		    lane->count > RULESET_TRANSFORMS)
			return false;
		for (unsigned t = 0; t < lane->count; t++)
			if (lane->transform[t] >= RULE_TRANSFORM_COUNT ||
			    !argument_ok(i, lane->transform[t], lane->argument[t]))
				return false;
		if (!lane_streams_ok(lane))
			return false;
	}
	return true;
}

/* The last hash is none: whoever looks for one ends there. */
static bool datasets_ok(const struct ruleset_image *i)
{
	const struct ruleset_dataset *set = RULESET_AT(i, struct ruleset_dataset, datasets);
	const uint64_t *hashes = RULESET_AT(i, uint64_t, hashes);

	for (uint32_t n = 0; n < i->datasets.count; n++, set++)
		if (!span_in(set->hashes, i->hashes.count) || !str_ok(i, set->name) ||
		    set->capacity > set->hashes.count ||
		    (set->capacity && (set->capacity == set->hashes.count ||
				       hashes[set->hashes.offset + set->hashes.count - 1])))
			return false;
	return true;
}

static bool parts_ok(const struct ruleset_image *i)
{
	const struct ruleset_part *part = RULESET_AT(i, struct ruleset_part, parts);

	for (uint32_t n = 0; n < i->parts.count; n++, part++)
		if (part->rule >= i->rules.count || part->fact >= i->parts.count ||
		    part->buffer >= RULE_BUFFER_COUNT || !part_db_ok(i, part) ||
		    (part->group && !i->groups) ||
		    !span_in((struct ruleset_span){part->first_chain, part->chains},
			     i->chains.count))
			return false;
	return true;
}

static bool chains_ok(const struct ruleset_image *i)
{
	const struct ruleset_chain *chain = RULESET_AT(i, struct ruleset_chain, chains);
	const struct ruleset_part *parts = RULESET_AT(i, struct ruleset_part, parts);

	for (uint32_t n = 0; n < i->chains.count; n++, chain++)
		if (chain->part >= i->parts.count || !chain->steps ||
		    chain->reach > i->db[parts[chain->part].db].reach ||
		    !span_in((struct ruleset_span){chain->first_step, chain->steps},
			     i->steps.count) ||
		    (chain->tracked != RULESET_UNTRACKED &&
		     chain->tracked >= i->db[parts[chain->part].db].tracked))
			return false;
	return true;
}

static bool numbers_ok(const struct ruleset_image *i)
{
	const struct ruleset_number *n = RULESET_AT(i, struct ruleset_number, numbers);

	for (uint32_t k = 0; k < i->numbers.count; k++, n++)
		if (n->op >= RULE_OP_COUNT || n->count > RULESET_NUMBER_BYTES ||
		    (n->count > 8 && !(n->flags & RULE_NUMBER_STRING)) ||
		    n->count_var > RULESET_VARIABLES || n->offset_var > RULESET_VARIABLES ||
		    n->value_var > RULESET_VARIABLES || n->result > RULESET_VARIABLES)
			return false;
	return true;
}

static bool steps_ok(const struct ruleset_image *i)
{
	const struct ruleset_step *step = RULESET_AT(i, struct ruleset_step, steps);
	const struct ruleset_pcre *pcre = RULESET_AT(i, struct ruleset_pcre, pcres);

	for (uint32_t n = 0; n < i->steps.count; n++, step++)
		if (step->kind >= RULE_STEP_KINDS || !str_ok(i, step->text) ||
		    step->lo_var > RULESET_VARIABLES || step->hi_var > RULESET_VARIABLES ||
		    (step->kind == RULE_STEP_PCRE && step->index >= i->pcres.count) ||
		    (step->kind == RULE_STEP_DATASET && step->index >= i->datasets.count) ||
		    (step->kind >= RULE_STEP_TEST && step->index >= i->numbers.count) ||
		    (step->kind == RULE_STEP_CONTENT && !step->text.len))
			return false;
	for (uint32_t n = 0; n < i->pcres.count; n++, pcre++)
		if (!str_ok(i, pcre->source))
			return false;
	return true;
}

static bool scopes_ok(const struct ruleset_image *i)
{
	const struct ruleset_scope *scope = RULESET_AT(i, struct ruleset_scope, scopes);
	const struct ruleset_net *net = RULESET_AT(i, struct ruleset_net, nets);

	for (uint32_t n = 0; n < i->scopes.count; n++, scope++)
		if (!span_in(scope->src, i->nets.count) || !span_in(scope->dst, i->nets.count) ||
		    !span_in(scope->sport, i->ports.count) ||
		    !span_in(scope->dport, i->ports.count))
			return false;
	for (uint32_t n = 0; n < i->nets.count; n++, net++)
		if (net->bits > (net->family == 4 ? 32 : 128))
			return false;
	return true;
}

static bool starts_below(const struct ruleset_image *i, struct ruleset_span span, uint32_t limit)
{
	const uint32_t *starts = RULESET_AT(i, uint32_t, starts);

	if (!span_in(span, i->starts.count))
		return false;
	for (uint32_t n = 0; n < span.count; n++)
		if (starts[span.offset + n] >= limit)
			return false;
	return true;
}

static bool shards_ok(const struct ruleset_image *i)
{
	const struct ruleset_shard *s = RULESET_AT(i, struct ruleset_shard, shards);

	for (uint32_t n = 0; n < i->shards.count; n++, s++)
		if (s->offset > i->size || !s->size || s->size > i->size - s->offset ||
		    !span_in((struct ruleset_span){s->first_pattern, s->patterns},
			     i->patterns.count))
			return false;
	return true;
}

static bool databases_ok(const struct ruleset_image *i)
{
	const struct ruleset_pattern *pattern = RULESET_AT(i, struct ruleset_pattern, patterns);

	for (uint32_t n = 0; n < i->patterns.count; n++)
		if (!starts_below(i, pattern[n].chains, i->chains.count))
			return false;
	for (int b = 0; b < RULESET_DBS; b++) {
		const struct ruleset_db *db = &i->db[b];

		if (db->tracked > i->chains.count || db->reach > RULESET_REACH ||
		    db->shards.count > RULESET_SHARDS || !span_in(db->shards, i->shards.count) ||
		    !starts_below(i, db->always, i->parts.count))
			return false;
	}
	return true;
}

static bool closing_ok(const struct ruleset_image *i)
{
	const struct ruleset_rule *rules = RULESET_AT(i, struct ruleset_rule, rules);
	const uint32_t *starts = RULESET_AT(i, uint32_t, starts);

	if (!starts_below(i, i->closing, i->rules.count))
		return false;
	for (uint32_t n = 0; n < i->closing.count; n++)
		if (!rules[starts[i->closing.offset + n]].parts)
			return false;
	return true;
}

static const char *image_fault(const struct ruleset_image *i, size_t size)
{
	if (size < sizeof(*i) || i->magic != RULESET_MAGIC)
		return "not a ruleset";
	if (i->version != RULESET_VERSION)
		return "a ruleset of another version of Postern";
	if (i->size != size)
		return "the ruleset is cut short";
	if (i->checksum != XXH3_64bits(i + 1, size - sizeof(*i)))
		return "the ruleset is damaged";
	if (!sections_ok(i) || !rules_ok(i) || !conditions_ok(i) || !parts_ok(i) || !chains_ok(i) ||
	    !steps_ok(i) || !numbers_ok(i) || !lanes_ok(i) || !datasets_ok(i) || !scopes_ok(i) ||
	    !shards_ok(i) || !databases_ok(i) || !closing_ok(i))
		return "the ruleset contradicts itself";
	return NULL;
}

static const char *db_name(const struct ruleset_image *image, int db)
{
	return rule_buffers[db < RULE_BUFFER_COUNT ? db
						   : image->lanes[db - RULE_BUFFER_COUNT].buffer]
		.name;
}

static int load_datasets(struct ruleset *rs)
{
	const struct ruleset_dataset *set = RULESET_AT(rs->image, struct ruleset_dataset, datasets);
	uint64_t *hashes = (uint64_t *)RULESET_AT(rs->image, uint64_t, hashes);

	rs->datasets = calloc(rs->image->datasets.count + 1, sizeof(*rs->datasets));
	for (uint32_t i = 0; rs->datasets && i < rs->image->datasets.count; i++)
		rs->datasets[i] = (struct hashset){.hashes = hashes + set[i].hashes.offset,
						   .capacity = set[i].capacity,
						   .length = set[i].hashes.count,
						   .key = {set[i].key[0], set[i].key[1]}};
	return rs->datasets ? 0 : -ENOMEM;
}

static int load_shards(struct ruleset *rs, int db, char *error, size_t error_size)
{
	struct ruleset_span span = rs->image->db[db].shards;

	for (uint32_t i = span.offset; i < span.offset + span.count; i++) {
		const char *data = (const char *)rs->image + rs->shards[i].offset;

		/* None belongs to two. */
		if (!rs->databases[i] && hs_deserialize_database(data, rs->shards[i].size,
								 &rs->databases[i]) == HS_SUCCESS)
			continue;
		snprintf(error, error_size, "%s: not a database for this machine",
			 db_name(rs->image, db));
		return -EINVAL;
	}
	return 0;
}

static int load_databases(struct ruleset *rs, char *error, size_t error_size)
{
	int rc = 0;

	rs->databases = calloc(rs->image->shards.count + 1, sizeof(*rs->databases));
	if (!rs->databases)
		return -ENOMEM;
	for (int b = 0; b < RULESET_DBS && rc == 0; b++) {
		rs->tracked[b] = calloc(rs->image->db[b].tracked + 1, sizeof(uint32_t));
		rc = rs->tracked[b] ? load_shards(rs, b, error, error_size) : -ENOMEM;
	}
	if (rc < 0)
		return rc;
	for (uint32_t c = 0; c < rs->image->chains.count; c++)
		if (rs->chains[c].tracked != RULESET_UNTRACKED)
			rs->tracked[rs->parts[rs->chains[c].part].db][rs->chains[c].tracked] = c;
	return 0;
}

static int load_pcres(struct ruleset *rs, char *error, size_t error_size)
{
	const struct ruleset_pcre *pcre = RULESET_AT(rs->image, struct ruleset_pcre, pcres);
	PCRE2_SIZE where;
	int code;

	rs->pcres = calloc(rs->image->pcres.count + 1, sizeof(pcre2_code *));
	rs->limits = pcre2_match_context_create(NULL);
	if (!rs->pcres || !rs->limits)
		return -ENOMEM;
	pcre2_set_match_limit(rs->limits, PCRE_MATCH_LIMIT);
	for (uint32_t i = 0; i < rs->image->pcres.count; i++) {
		const char *source = ruleset_text(rs->image, pcre[i].source);

		rs->pcres[i] = pcre2_compile((PCRE2_SPTR)source, pcre[i].source.len,
					     pcre[i].options, &code, &where, NULL);
		/* The interpreter allocates from the heap; machine code does not. */
		if (!rs->pcres[i] || pcre2_jit_compile(rs->pcres[i], PCRE2_JIT_COMPLETE)) {
			snprintf(error, error_size, "expression /%s/ does not compile", source);
			return -EINVAL;
		}
	}
	return 0;
}

int ruleset_load(const void *data, size_t size, struct ruleset **rulesetp, char *error,
		 size_t error_size)
{
	const struct ruleset_image *image = data;
	const char *fault = image_fault(image, size);
	struct ruleset *rs;
	int rc;

	if (fault) {
		snprintf(error, error_size, "%s", fault);
		return -EINVAL;
	}
	snprintf(error, error_size, "out of memory");
	rs = calloc(1, sizeof(*rs));
	if (!rs)
		return -ENOMEM;
	rs->image = image;
	rs->rules = RULESET_AT(image, struct ruleset_rule, rules);
	rs->conditions = RULESET_AT(image, struct ruleset_condition, conditions);
	rs->parts = RULESET_AT(image, struct ruleset_part, parts);
	rs->chains = RULESET_AT(image, struct ruleset_chain, chains);
	rs->steps = RULESET_AT(image, struct ruleset_step, steps);
	rs->numbers = RULESET_AT(image, struct ruleset_number, numbers);
	rs->scopes = RULESET_AT(image, struct ruleset_scope, scopes);
	rs->nets = RULESET_AT(image, struct ruleset_net, nets);
	rs->ports = RULESET_AT(image, struct ruleset_port, ports);
	rs->arguments = RULESET_AT(image, struct ruleset_argument, arguments);
	rs->patterns = RULESET_AT(image, struct ruleset_pattern, patterns);
	rs->starts = RULESET_AT(image, uint32_t, starts);
	rs->shards = RULESET_AT(image, struct ruleset_shard, shards);
	for (uint32_t i = 0; i < image->lane_count; i++)
		*(image->lanes[i].streamed ? &rs->piece_lanes[image->lanes[i].buffer]
					   : &rs->lanes[image->lanes[i].buffer]) |= 1u << i;
	for (uint32_t p = 0; p < image->parts.count; p++)
		if (rs->parts[p].flags & RULE_PART_ABSENT)
			rs->awaited |= 1ull << rs->parts[p].buffer;
	match_excerpts_plan(rs);
	rc = load_databases(rs, error, error_size);
	if (rc == 0)
		rc = load_datasets(rs);
	if (rc == 0)
		rc = load_pcres(rs, error, error_size);
	if (rc < 0) {
		ruleset_free(rs);
		return rc;
	}
	*rulesetp = rs;
	return 0;
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	for (uint32_t i = 0; rs->databases && i < rs->image->shards.count; i++)
		hs_free_database(rs->databases[i]);
	free(rs->databases);
	for (int b = 0; b < RULESET_DBS; b++)
		free(rs->tracked[b]);
	for (uint32_t i = 0; rs->pcres && i < rs->image->pcres.count; i++)
		pcre2_code_free(rs->pcres[i]);
	free(rs->pcres);
	free(rs->datasets);
	pcre2_match_context_free(rs->limits);
	free(rs);
}

uint32_t ruleset_generation(const struct ruleset *rs)
{
	return rs->image->generation;
}

const struct ruleset_image *ruleset_image(const struct ruleset *rs)
{
	return rs->image;
}

const char *ruleset_string(const struct ruleset *rs, struct ruleset_str s)
{
	return ruleset_text(rs->image, s);
}
