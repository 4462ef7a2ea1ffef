/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset: is the buffer one of the values that a file lists? */
#include <string.h>

#include "control/rule_dataset.h"
#include "control/rule_parse.h"

/* One keyword's words. */
struct words {
	struct rule_word name, file;
	enum rule_dataset_type type;
	bool asks_absence;
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

/* The set of that name, which one rule at least must load. */
static bool dataset_find(struct rule_parser *parser, const struct words *w, uint32_t *index)
{
	struct rule_list *list = parser->list;
	struct rule_dataset set = {.type = (uint8_t)w->type};

	for (size_t i = 0; i < list->datasets_count; i++) {
		const struct rule_dataset *other = &list->datasets[i];

		if (!rule_word_is(w->name, other->name))
			continue;
		if (other->type != w->type || (w->file.len && !rule_word_is(w->file, other->file)))
			return rule_fail(parser, w->name.p,
					 "dataset: '%s' is another type or file elsewhere",
					 other->name);
		*index = (uint32_t)i;
		return true;
	}
	if (!w->file.len)
		return rule_fail(parser, w->name.p,
				 "dataset: 'load FILE' is missing, and no rule before says it");
	if (!dataset_load(parser, w, &set.set))
		return false;
	set.name = arena_copy(&list->arena, w->name.p, w->name.len);
	set.file = arena_copy(&list->arena, w->file.p, w->file.len);
	list->datasets = arena_grow(&list->arena, list->datasets, list->datasets_count,
				    &list->datasets_capacity, sizeof(*list->datasets));
	*index = (uint32_t)list->datasets_count;
	list->datasets[list->datasets_count++] = set;
	return true;
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
		return rule_fail(parser, key.p, "dataset: rules write no sets: load a file");
	return rule_fail(parser, key.p, "dataset: '%.*s' can't be honoured", (int)word.len, word.p);
}

static bool read_op(struct rule_parser *parser, struct rule_word word, struct words *w)
{
	w->asks_absence = rule_word_is(word, "isnotset");
	if (w->asks_absence || rule_word_is(word, "isset"))
		return true;
	if (rule_word_is(word, "set") || rule_word_is(word, "unset"))
		return rule_fail(parser, word.p, "dataset: rules write no sets: xbits remember");
	return rule_fail(parser, word.p, "dataset: expected isset or isnotset");
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

bool rule_option_dataset(struct rule_parser *parser, struct rule_word keyword,
			 struct rule_word value)
{
	struct words w = {.type = DATASET_TYPES};
	struct rule_step *step = rule_add_step(parser, keyword, RULE_STEP_DATASET);
	struct rule_word word, rest = value;

	if (!step)
		return false;
	rule_split(rest, ',', &word, &rest);
	if (!read_op(parser, word, &w))
		return false;
	rule_split(rest, ',', &w.name, &rest);
	if (!w.name.len)
		return rule_fail(parser, value.p, "dataset: expected a name");
	while (rest.len) {
		rule_split(rest, ',', &word, &rest);
		if (!read_word(parser, word, &w))
			return false;
	}
	if (w.type == DATASET_TYPES)
		return rule_fail(parser, value.p, "dataset: 'type' is missing");
	step->negated = w.asks_absence;
	return check_transform(parser, keyword, w.type) && dataset_find(parser, &w, &step->dataset);
}
