/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_override.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const shadow_names[] = {
	[RULE_SHADOW_OWN] = "own",
	[RULE_SHADOW_ON] = "on",
	[RULE_SHADOW_OFF] = "off",
};

const char *rule_shadow_name(enum rule_shadow shadow)
{
	return shadow_names[shadow];
}

int rule_shadow_of(const char *name)
{
	for (int i = RULE_SHADOW_OWN; name && i <= RULE_SHADOW_OFF; i++)
		if (strcmp(shadow_names[i], name) == 0)
			return i;
	return -1;
}

void rule_overrides_fini(struct rule_overrides *list)
{
	free(list->items);
	*list = (struct rule_overrides){0};
}

int rule_overrides_copy(const struct rule_overrides *list, struct rule_overrides *copy)
{
	*copy = (struct rule_overrides){.count = list->count, .room = list->count};
	if (!list->count)
		return 0;
	copy->items = reallocarray(NULL, list->count, sizeof(*copy->items));
	if (!copy->items) {
		*copy = (struct rule_overrides){0};
		return -ENOMEM;
	}
	memcpy(copy->items, list->items, list->count * sizeof(*copy->items));
	return 0;
}

/* The first override of this sid or a later one. */
static size_t place_of(const struct rule_overrides *list, uint32_t sid)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].sid < sid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct rule_override *rule_override_find(const struct rule_overrides *list, uint32_t sid)
{
	size_t at = list ? place_of(list, sid) : 0;

	return list && at < list->count && list->items[at].sid == sid ? &list->items[at] : NULL;
}

static bool is_empty(const struct rule_override *o)
{
	return o->shadow == RULE_SHADOW_OWN && !o->disabled && !o->pushed;
}

static int make_room(struct rule_overrides *list)
{
	size_t room = list->room ? 2 * list->room : 16;
	struct rule_override *more;

	if (list->count == RULE_OVERRIDES_MAX)
		return -E2BIG;
	if (list->count < list->room)
		return 0;
	more = reallocarray(list->items, room, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->items = more;
	list->room = room;
	return 0;
}

int rule_override_put(struct rule_overrides *list, const struct rule_override *o)
{
	size_t at = place_of(list, o->sid), behind = list->count - at;
	bool there = at < list->count && list->items[at].sid == o->sid;
	int rc;

	if (there && !is_empty(o)) {
		list->items[at] = *o;
		return 0;
	}
	if (there) {
		list->count--;
		memmove(&list->items[at], &list->items[at + 1], (behind - 1) * sizeof(*o));
		return 0;
	}
	if (is_empty(o))
		return 0;
	rc = make_room(list);
	if (rc)
		return rc;
	memmove(&list->items[at + 1], &list->items[at], behind * sizeof(*o));
	list->items[at] = *o;
	list->count++;
	return 0;
}

void rule_overrides_end_pushed(struct rule_overrides *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct rule_override o = list->items[i];

		o.pushed = 0;
		if (!is_empty(&o))
			list->items[kept++] = o;
	}
	list->count = kept;
}

/* The disk's. Digests are text there: JSON's numbers end at 2^63 - 1. */

static json_t *override_item(const struct rule_override *o)
{
	json_t *item = json_pack("{s:I, s:s, s:b, s:s, s:I}", "sid", (json_int_t)o->sid, "shadow",
				 rule_shadow_name(o->shadow), "disabled", o->disabled, "by", o->by,
				 "since", (json_int_t)o->since);

	if (item && o->pushed)
		json_object_set_new(item, "pushed",
				    json_sprintf("%016llx", (unsigned long long)o->pushed));
	return item;
}

json_t *rule_overrides_json(const struct rule_overrides *list)
{
	json_t *array = json_array();
	int failed = !array;

	for (size_t i = 0; i < list->count && !failed; i++)
		failed = json_array_append_new(array, override_item(&list->items[i]));
	if (!failed)
		return array;
	json_decref(array);
	return NULL;
}

static int parse_item(const json_t *item, struct rule_override *o)
{
	json_int_t sid = json_integer_value(json_object_get(item, "sid"));
	const char *by = json_string_value(json_object_get(item, "by"));
	const char *pushed = json_string_value(json_object_get(item, "pushed"));
	int shadow = rule_shadow_of(json_string_value(json_object_get(item, "shadow")));

	if (sid < 1 || sid > UINT32_MAX || shadow < 0 || !by || strlen(by) >= sizeof(o->by))
		return -EINVAL;
	*o = (struct rule_override){
		.sid = (uint32_t)sid,
		.shadow = (enum rule_shadow)shadow,
		.disabled = json_is_true(json_object_get(item, "disabled")),
		.pushed = pushed ? strtoull(pushed, NULL, 16) : 0,
		.since = (uint64_t)json_integer_value(json_object_get(item, "since")),
	};
	strcpy(o->by, by);
	return 0;
}

int rule_overrides_parse(const json_t *array, struct rule_overrides *list)
{
	struct rule_override o;
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		int rc = parse_item(item, &o);

		if (!rc)
			rc = rule_override_put(list, &o);
		if (rc)
			return rc;
	}
	return json_is_array(array) ? 0 : -EINVAL;
}
