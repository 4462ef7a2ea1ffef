/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/ruleset_tables.h"

#include <netinet/in.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void *section_add(struct ruleset_tables *t, struct section *section)
{
	void *item;

	section->data = arena_grow(&t->arena, section->data, section->count, &section->capacity,
				   section->size);
	item = section->data + section->count++ * section->size;
	memset(item, 0, section->size);
	return item;
}

struct ruleset_str section_string(struct ruleset_tables *t, const void *text, size_t len)
{
	struct section *s = &t->strings;
	struct ruleset_str str = {(uint32_t)s->count, (uint32_t)len};

	if (!text || !len) /* the section starts with a NUL: the empty string */
		return (struct ruleset_str){0, 0};
	for (size_t i = 0; i < len; i++)
		*(char *)section_add(t, s) = ((const char *)text)[i];
	section_add(t, s);
	return str;
}

static struct ruleset_str text_of(struct ruleset_tables *t, const char *text)
{
	return section_string(t, text, text ? strlen(text) : 0);
}

static struct ruleset_span add_nets(struct ruleset_tables *t, const struct ruleset_net *nets,
				    size_t count)
{
	struct ruleset_span span = {(uint32_t)t->nets.count, (uint32_t)count};

	for (size_t i = 0; i < count; i++)
		*(struct ruleset_net *)section_add(t, &t->nets) = nets[i];
	return span;
}

static struct ruleset_span add_ports(struct ruleset_tables *t, const struct ruleset_port *ports,
				     size_t count)
{
	struct ruleset_span span = {(uint32_t)t->ports.count, (uint32_t)count};

	for (size_t i = 0; i < count; i++)
		*(struct ruleset_port *)section_add(t, &t->ports) = ports[i];
	return span;
}

static bool same_list(const struct section *s, struct ruleset_span span, const void *items,
		      size_t count)
{
	return span.count == count &&
	       (!count || !memcmp(s->data + span.offset * s->size, items, count * s->size));
}

static bool same_scope(const struct ruleset_tables *t, const struct ruleset_scope *scope,
		       const struct ruleset_scope *head, const struct rule *rule)
{
	return scope->transport == head->transport && scope->direction == head->direction &&
	       scope->flow == head->flow &&
	       same_list(&t->nets, scope->src, rule->src, rule->src_count) &&
	       same_list(&t->nets, scope->dst, rule->dst, rule->dst_count) &&
	       same_list(&t->ports, scope->sport, rule->sport, rule->sport_count) &&
	       same_list(&t->ports, scope->dport, rule->dport, rule->dport_count);
}

/* Rules that follow each other in a file mostly share one: look at the last few. */
static uint32_t add_scope(struct ruleset_tables *t, const struct rule *rule)
{
	struct ruleset_scope head = {.direction = (uint8_t)rule->direction, .flow = rule->flow};
	const struct ruleset_scope *scopes = (const void *)t->scopes.data;
	struct ruleset_scope *scope;
	size_t first = t->scopes.count > 32 ? t->scopes.count - 32 : 0;

	head.transport = rule->proto == RULE_TCP || rule->proto == RULE_SMTP ? IPPROTO_TCP
			 : rule->proto == RULE_UDP                           ? IPPROTO_UDP
									     : 0;
	for (size_t i = first; i < t->scopes.count; i++)
		if (same_scope(t, &scopes[i], &head, rule))
			return (uint32_t)i;
	head.src = add_nets(t, rule->src, rule->src_count);
	head.dst = add_nets(t, rule->dst, rule->dst_count);
	head.sport = add_ports(t, rule->sport, rule->sport_count);
	head.dport = add_ports(t, rule->dport, rule->dport_count);
	scope = section_add(t, &t->scopes);
	*scope = head;
	return (uint32_t)(t->scopes.count - 1);
}

static bool argument_is(const struct ruleset_tables *t, const struct ruleset_argument *have,
			enum rule_transform transform, const struct rule_argument *want)
{
	const struct ruleset_pcre *pcres = (const void *)t->pcres.data;
	struct ruleset_str text = have->text;

	if (transform == RULE_TRANSFORM_PCREXFORM) {
		if (!have->pcre)
			return false;
		text = pcres[have->pcre - 1].source;
	}
	return (have->pcre != 0) == (transform == RULE_TRANSFORM_PCREXFORM) &&
	       text.len == want->len &&
	       !memcmp(t->strings.data + text.offset, want->text, want->len) &&
	       have->bytes == want->bytes && have->offset == want->offset &&
	       have->mode == want->mode;
}

/* 1 + where what the transform's value says is kept; 0: it has none. */
static uint32_t add_argument(struct ruleset_tables *t, enum rule_transform transform,
			     const struct rule_argument *argument)
{
	struct ruleset_argument *have = (void *)t->arguments.data;
	struct ruleset_str text;

	if (!argument)
		return 0;
	for (uint32_t i = 0; i < t->arguments.count; i++)
		if (argument_is(t, &have[i], transform, argument))
			return i + 1;
	text = section_string(t, argument->text, argument->len);
	have = section_add(t, &t->arguments);
	have->bytes = argument->bytes;
	have->offset = argument->offset;
	have->mode = argument->mode;
	if (transform != RULE_TRANSFORM_PCREXFORM) {
		have->text = text;
	} else {
		((struct ruleset_pcre *)section_add(t, &t->pcres))->source = text;
		have->pcre = (uint32_t)t->pcres.count;
	}
	return (uint32_t)t->arguments.count;
}

unsigned tables_db(struct ruleset_tables *t, const struct rule_part *part)
{
	struct ruleset_lane lane = {.buffer = (uint8_t)part->buffer,
				    .count = (uint8_t)part->transforms_count,
				    .streamed = (uint8_t)rule_part_streamed(part)};

	if (!part->transforms_count)
		return part->buffer;
	memcpy(lane.transform, part->transforms, part->transforms_count);
	for (size_t i = 0; i < part->transforms_count; i++)
		lane.argument[i] = add_argument(t, (enum rule_transform)part->transforms[i],
						part->arguments[i]);
	for (uint32_t i = 0; i < t->lane_count; i++)
		if (!memcmp(&t->lanes[i], &lane, sizeof(lane)))
			return RULE_BUFFER_COUNT + i;
	if (t->lane_count == RULESET_LANES) {
		if (!t->failed)
			rule_diag_add(t->diags, RULE_ERROR, part->place, 0,
				      "more than %d buffers with transforms in one ruleset",
				      RULESET_LANES);
		t->failed = true;
		return RULESET_DBS - 1;
	}
	t->lanes[t->lane_count] = lane;
	return RULE_BUFFER_COUNT + t->lane_count++;
}

void tables_add_datasets(struct ruleset_tables *t, const struct rule_list *list)
{
	for (size_t i = 0; i < list->datasets_count; i++) {
		const struct rule_dataset *from = &list->datasets[i];
		struct ruleset_dataset *set = section_add(t, &t->datasets);

		set->hashes = (struct ruleset_span){(uint32_t)t->hashes.count,
						    (uint32_t)from->set.length};
		set->capacity = from->set.capacity;
		memcpy(set->key, from->set.key, sizeof(set->key));
		set->name = text_of(t, from->name);
		set->written = from->written ? XXH3_64bits(from->name, strlen(from->name)) | 1 : 0;
		set->track = from->track;
		for (uint64_t k = 0; k < from->set.length; k++)
			*(uint64_t *)section_add(t, &t->hashes) = from->set.hashes[k];
	}
}

void tables_add_rule(struct ruleset_tables *t, const struct rule *rule)
{
	uint32_t index = (uint32_t)t->rules.count;
	struct ruleset_rule *out = section_add(t, &t->rules);

	out->sid = rule->sid;
	out->rev = rule->rev;
	out->first_part = (uint32_t)t->parts.count;
	out->parts = (uint32_t)rule->parts_count;
	out->scope = add_scope(t, rule);
	out->line = rule->place.line;
	out->action = rule->action;
	out->shadow = rule->shadow;
	out->noalert = rule->noalert;
	tables_add_conditions(t, rule, out);
	out->risk = rule->risk;
	out->priority = rule->priority;
	out->keep = rule->keep;
	out->msg = text_of(t, rule->msg);
	out->classtype = text_of(t, rule->classtype);
	out->aup = text_of(t, rule->aup);
	out->reply = text_of(t, rule->reply);
	out->info = text_of(t, rule->info);
	out->file = text_of(t, rule->place.file);
	for (size_t i = 0; i < rule->parts_count; i++)
		tables_add_part(t, rule, &rule->parts[i], index);
}

void tables_list_closing(struct ruleset_tables *t)
{
	const struct ruleset_part *parts = (const void *)t->parts.data;
	uint32_t last = UINT32_MAX;

	t->closing.offset = (uint32_t)t->starts.count;
	for (uint32_t p = 0; p < t->parts.count; p++) {
		if (!(parts[p].flags & (RULE_PART_NONE | RULE_PART_ABSENT)) ||
		    parts[p].rule == last)
			continue;
		last = parts[p].rule;
		*(uint32_t *)section_add(t, &t->starts) = last;
		t->closing.count++;
	}
}
