/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/explain_plan.h"

#include <hs_compile.h>
#include <stdio.h>

#include "control/base/json_text.h"
#include "tools/rules/rules_alone.h"

static const struct rule_step *step_at(const struct rule *rule, const struct rule_place *place)
{
	for (size_t p = 0; p < rule->parts_count; p++)
		for (size_t s = 0; s < rule->parts[p].count; s++) {
			const struct rule_step *step = &rule->parts[p].steps[s];

			if (step->place.line == place->line && step->place.column == place->column)
				return step;
		}
	return NULL;
}

/* Why this one, in brackets; "": there was no choice. */
static const char *literal_reason(const struct rule *rule, const struct rule_plan_chain *chain)
{
	const struct rule_step *step = step_at(rule, &chain->place);

	if (step && step->fast)
		return " (fast_pattern chose it)";
	if (step && step->kind == RULE_STEP_PCRE)
		return " (every match of the expression holds it)";
	return chain->steps > 1 ? " (the rarest of what hangs together)" : "";
}

static bool has_expression(const struct rule *rule, const struct rule_plan_chain *chain)
{
	const struct rule_part *part = &rule->parts[chain->part];

	for (size_t s = 0; s < part->count; s++)
		if (part->steps[s].kind == RULE_STEP_PCRE)
			return true;
	return false;
}

/* Bytes as a rule has them. */
static const char *literal_text(struct arena *arena, const struct rule_plan_chain *chain)
{
	char *text = arena_alloc(arena, chain->len * 4 + 1), *at = text;

	for (size_t i = 0; i < chain->len; i++) {
		unsigned char c = (unsigned char)chain->text[i];

		at += sprintf(at, c < ' ' || c > '~' || c == '|' || c == '"' ? "|%02x|" : "%c", c);
	}
	return text;
}

static const char *flags_text(struct arena *arena, unsigned flags)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{HS_FLAG_CASELESS, "CASELESS"},
		{HS_FLAG_DOTALL, "DOTALL"},
		{HS_FLAG_MULTILINE, "MULTILINE"},
		{HS_FLAG_SINGLEMATCH, "SINGLEMATCH"},
		{HS_FLAG_ALLOWEMPTY, "ALLOWEMPTY"},
		{HS_FLAG_UTF8, "UTF8"},
		{HS_FLAG_UCP, "UCP"},
		{HS_FLAG_PREFILTER, "PREFILTER"},
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			text = arena_printf(arena, "%s%s%s", text, *text ? " " : "", names[i].name);
	return *text ? text : "no flags";
}

static const char *plan_words(struct arena *arena, const struct rule *rule,
			      const struct rule_plan_chain *chain)
{
	const char *confirm = !chain->confirm               ? ""
			      : has_expression(rule, chain) ? "; where it is, PCRE2 decides"
							    : "; where it is, the rest is compared";
	const char *brief = plan_is_brief(chain) ? "; it is so short that the search stops often: "
						   "postern rules bench tells what that costs"
						 : "";

	switch (chain->how) {
	case PLAN_LITERAL:
		return arena_printf(arena, "\"%s\"%s is looked for%s%s%s%s",
				    literal_text(arena, chain),
				    chain->nocase ? " in either case" : "",
				    chain->negated ? ": it must not be there" : " first",
				    literal_reason(rule, chain), confirm, brief);
	case PLAN_EXPRESSION:
		return arena_printf(arena, "Hyperscan %s /%.*s/ %s (%s)%s",
				    chain->words ? "finds" : "runs", (int)chain->len, chain->text,
				    chain->words ? "by the words in it" : "on every byte",
				    flags_text(arena, chain->hs_flags),
				    chain->prefilter
					    ? ": it finds where that may be, and PCRE2 decides"
				    : chain->confirm ? "; where it ends, PCRE2 decides"
				    : chain->negated ? ": it must not be there"
						     : ", and decides");
	case PLAN_BESIDE:
		return chain->negated
			       ? "what must not be there is looked at when the other is found"
			       : "another is looked at when the one before is found";
	case PLAN_ALWAYS:
		return "nothing to look for: it is looked at in every instance of the buffer";
	case PLAN_LENGTH:
		return "the length is compared";
	}
	return "";
}

void explain_plan(const struct rules_lines *out, const struct rule *rule,
		  const struct rule_plan *plan)
{
	struct arena arena = {0};

	for (size_t i = 0; i < plan->count; i++) {
		const struct rule_plan_chain *chain = &plan->chains[i];
		bool stream = rule_buffers[chain->buffer].mode == BUFFER_STREAM;

		if (!i || chain->part != plan->chains[i - 1].part)
			rules_printf(out, i ? "" : "search",
				     "%s: %s search, shared by all rules that look there",
				     rule_buffers[chain->buffer].name,
				     stream ? "a streaming" : "a block");
		rules_printf(out, "", "- %s%s", plan_words(&arena, rule, chain),
			     chain->reach ? arena_printf(&arena,
							 "; %u bytes before and after it are seen, "
							 "however packets cut the body",
							 chain->reach)
					  : "");
		if (chain->at_close &&
		    (i + 1 == plan->count || plan->chains[i + 1].part != chain->part))
			rules_paragraph(out, "", "- known at the body's end");
	}
	arena_fini(&arena);
}

static json_t *chain_json(struct arena *arena, const struct rule *rule,
			  const struct rule_plan_chain *chain)
{
	static const char *const hows[] = {
		[PLAN_LITERAL] = "literal", [PLAN_EXPRESSION] = "expression",
		[PLAN_BESIDE] = "beside",   [PLAN_ALWAYS] = "always",
		[PLAN_LENGTH] = "length",
	};
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:I}", "buffer",
		rule_buffers[chain->buffer].name, "mode",
		rule_buffers[chain->buffer].mode == BUFFER_STREAM ? "stream" : "block", "how",
		hows[chain->how], "words", rules_json_string(plan_words(arena, rule, chain)),
		"negated", (int)chain->negated, "confirmed", (int)chain->confirm, "at_close",
		(int)chain->at_close, "reach", (json_int_t)chain->reach);

	if (chain->how == PLAN_LITERAL) {
		json_object_set_new(json, "literal", json_string(literal_text(arena, chain)));
		json_object_set_new(json, "nocase", json_boolean(chain->nocase));
	} else if (chain->how == PLAN_EXPRESSION) {
		json_object_set_new(json, "expression", json_text(chain->text, chain->len));
		json_object_set_new(json, "every_byte", json_boolean(!chain->words));
		json_object_set_new(json, "prefilter", json_boolean(chain->prefilter));
	}
	return json;
}

json_t *explain_plan_json(const struct rule *rule, const struct rule_plan *plan)
{
	struct arena arena = {0};
	json_t *list = json_array();

	for (size_t i = 0; i < plan->count; i++)
		json_array_append_new(list, chain_json(&arena, rule, &plan->chains[i]));
	arena_fini(&arena);
	return list;
}
