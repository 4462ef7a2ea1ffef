/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset: is the buffer one of the values that a file lists, or that rules have put there? */
#include <string.h>

#include "control/rules/rule_dataset.h"
#include "control/rules/rule_parse.h"

#define EXPIRE_DEFAULT 86400 /* s that a value stays which a rule has put in */
#define EXPIRE_MAX     (31 * 86400)

/* One keyword's words. */
struct words {
	struct rule_word name, file;
	enum rule_dataset_type type;
	bool asks_absence;
	bool writes;
	uint8_t op;    /* enum ruleset_bit_op, where it writes */
	uint8_t track; /* enum ruleset_track */
	uint32_t expire;
};

static bool dataset_load(struct rule_parser *parser, const struct words *w, struct hashset *set)
{
	char error[256];
	char *path = rule_dataset_path(&parser->list->arena, parser->line.file, w->file);

	if (!path)
		return rule_fail(
			parser, w->file.p,
			"load: a file below the rules' own: no path from the root, no '..'");
	return rule_dataset_load(parser->list->files, path, w->type, set, error, sizeof(error)) ==
		       0 ||
	       rule_fail(parser, w->file.p, "%s", error);
}

/* A set that rules write is so for all that ask for it. */
static bool dataset_write(struct rule_parser *parser, const struct words *w,
			  struct rule_dataset *set)
{
	if (!w->writes)
		return true;
	if (set->written && set->track != w->track)
		return rule_fail(parser, w->name.p, "dataset: '%s' is tracked otherwise elsewhere",
				 set->name);
	set->written = true;
	set->track = w->track;
	return true;
}

/* The set of that name, which one rule at least must load or write. */
static bool dataset_find(struct rule_parser *parser, const struct words *w, uint32_t *index)
{
	struct rule_list *list = parser->list;
	struct rule_dataset set = {.type = (uint8_t)w->type};

	for (size_t i = 0; i < list->datasets_count; i++) {
		struct rule_dataset *other = &list->datasets[i];

		if (!rule_word_is(w->name, other->name))
			continue;
		if (other->type != w->type || (w->file.len && !rule_word_is(w->file, other->file)))
			return rule_fail(parser, w->name.p,
					 "dataset: '%s' is another type or file elsewhere",
					 other->name);
		*index = (uint32_t)i;
		return dataset_write(parser, w, other);
	}
	if (!w->file.len && !w->writes)
		return rule_fail(parser, w->name.p,
				 "dataset: 'load FILE' is missing, and no rule before says it, or "
				 "sets anything");
	if (w->file.len && !dataset_load(parser, w, &set.set))
		return false;
	set.name = arena_copy(&list->arena, w->name.p, w->name.len);
	set.file = arena_copy(&list->arena, w->file.p, w->file.len);
	list->datasets = arena_grow(&list->arena, list->datasets, list->datasets_count,
				    &list->datasets_capacity, sizeof(*list->datasets));
	*index = (uint32_t)list->datasets_count;
	list->datasets[list->datasets_count++] = set;
	return dataset_write(parser, w, &list->datasets[*index]);
}

static bool read_word(struct rule_parser *parser, struct rule_word word, struct words *w)
{
	struct rule_word key, value;

	rule_split(word, ' ', &key, &value);
	value = rule_trim(value);
	if (rule_word_is(key, "type")) {
		w->type = rule_dataset_type_find(value);
		return w->type != DATASET_TYPES ||
		       rule_fail(parser, word.p,
				 "dataset: type: expected string, md5 or sha256; no buffer is an "
				 "address");
	}
	if (rule_word_is(key, "load")) {
		w->file = value;
		return true;
	}
	/* How much room it gets in Suricata: here it has what it needs. */
	if (rule_word_is(key, "memcap") || rule_word_is(key, "hashsize"))
		return true;
	if (rule_word_is(key, "save") || rule_word_is(key, "state"))
		return rule_fail(
			parser, key.p,
			"dataset: what rules put in a set is kept in memory, and not saved");
	if (w->writes && rule_word_is(key, "expire")) {
		int64_t n;

		if (!rule_number(value, 1, EXPIRE_MAX, &n))
			return rule_fail(parser, value.p, "expire: expected seconds from 1 to %d",
					 EXPIRE_MAX);
		w->expire = (uint32_t)n;
		return true;
	}
	if (w->writes && rule_word_is(key, "track")) {
		w->track = rule_word_is(value, "tenant") ? RULE_TRACK_TENANT : RULE_TRACK_RULE;
		return w->track == RULE_TRACK_TENANT || rule_word_is(value, "all") ||
		       rule_fail(parser, value.p, "dataset: track: expected all or tenant");
	}
	return rule_fail(parser, key.p, "dataset: '%.*s' can't be honoured", (int)word.len, word.p);
}

static bool read_op(struct rule_parser *parser, struct rule_word word, struct words *w)
{
	w->asks_absence = rule_word_is(word, "isnotset");
	if (w->asks_absence || rule_word_is(word, "isset"))
		return true;
	w->writes = true;
	w->op = rule_word_is(word, "set") ? RULE_BIT_SET : RULE_BIT_UNSET;
	return w->op == RULE_BIT_SET || rule_word_is(word, "unset") ||
	       rule_fail(parser, word.p, "dataset: expected isset, isnotset, set or unset");
}

/* A hash is compared with one. */
static bool check_transform(struct rule_parser *parser, struct rule_word keyword,
			    enum rule_dataset_type type)
{
	const struct rule_part *part = parser->part;
	size_t last = part->transforms_count;
	bool md5 = type == DATASET_MD5;

	if (type == DATASET_STRING ||
	    (last && part->transforms[last - 1] ==
			     (md5 ? RULE_TRANSFORM_TO_MD5 : RULE_TRANSFORM_TO_SHA256)))
		return true;
	return rule_fail(
		parser, keyword.p,
		"dataset: this type is compared with the buffer's hash: write %s after the "
		"buffer",
		md5 ? "to_md5" : "to_sha256");
}

static bool read_words(struct rule_parser *parser, struct rule_word value, struct words *w)
{
	struct rule_word word, rest;

	rule_split(value, ',', &word, &rest);
	if (!read_op(parser, word, w))
		return false;
	rule_split(rest, ',', &w->name, &rest);
	if (!w->name.len)
		return rule_fail(parser, value.p, "dataset: expected a name");
	while (rest.len) {
		rule_split(rest, ',', &word, &rest);
		if (!read_word(parser, word, w))
			return false;
	}
	return w->type != DATASET_TYPES || rule_fail(parser, value.p, "dataset: 'type' is missing");
}

/* The part is looked at in every instance; what is put in is known when the rule holds. */
static bool add_write(struct rule_parser *parser, struct rule_word keyword, const struct words *w)
{
	struct rule_condition *c = rule_add_condition(parser, keyword, RULE_ON_DATASET);
	struct rule_step *step = rule_add_step(parser, keyword, RULE_STEP_SIZE);

	if (!step)
		return false;
	step->hi = RULESET_NO_LIMIT;
	c->op = w->op;
	c->track = w->track;
	c->seconds = w->expire;
	c->names[0] = arena_copy(&parser->list->arena, w->name.p, w->name.len);
	c->names_count = 1;
	return true;
}

bool rule_option_dataset(struct rule_parser *parser, struct rule_word keyword,
			 struct rule_word value)
{
	struct words w = {
		.type = DATASET_TYPES, .track = RULE_TRACK_RULE, .expire = EXPIRE_DEFAULT};
	struct rule_step *step;
	uint32_t index;

	if (!read_words(parser, value, &w))
		return false;
	if (w.writes)
		return add_write(parser, keyword, &w) && check_transform(parser, keyword, w.type) &&
		       dataset_find(parser, &w, &index);
	step = rule_add_step(parser, keyword, RULE_STEP_DATASET);
	if (!step)
		return false;
	step->negated = w.asks_absence;
	return check_transform(parser, keyword, w.type) && dataset_find(parser, &w, &step->dataset);
}
