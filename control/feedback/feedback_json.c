/* SPDX-License-Identifier: BSD-3-Clause */
/* An item on its way from `postern` to posternd. */
#include <errno.h>
#include <string.h>

#include "control/feedback/feedback.h"

static const struct {
	const char *name;
	size_t offset, size;
} texts[] = {
#define TEXT(name)                                                \
	{                                                         \
#name, offsetof(struct feedback_item, name),      \
			sizeof(((struct feedback_item *)0)->name) \
	}
	TEXT(message_id), TEXT(from),   TEXT(rcpt),    TEXT(address),  TEXT(remote), TEXT(reporter),
	TEXT(type),       TEXT(status), TEXT(arrived), TEXT(envelope), TEXT(tag),    TEXT(text),
#undef TEXT
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

json_t *feedback_item_json(const struct feedback_item *item)
{
	json_t *object = json_pack("{s:s, s:s}", "source", feedback_source_name(item->source),
				   "kind", feedback_kind_name(item->kind));

	for (size_t i = 0; i < TEXTS; i++) {
		const char *text = (const char *)item + texts[i].offset;

		if (*text)
			json_object_set_new(object, texts[i].name, json_string(text));
	}
	if (item->incidents > 1)
		json_object_set_new(object, "incidents", json_integer(item->incidents));
	if (item->time)
		json_object_set_new(object, "time", json_integer(item->time));
	if (item->code)
		json_object_set_new(object, "code", json_integer(item->code));
	return object;
}

static bool take_text(const char *name, const json_t *value, struct feedback_item *item)
{
	for (size_t i = 0; i < TEXTS; i++) {
		if (strcmp(texts[i].name, name) != 0)
			continue;
		if (!json_is_string(value))
			return false;
		feedback_text(bytes_of(json_string_value(value), json_string_length(value)),
			      (char *)item + texts[i].offset, texts[i].size);
		return true;
	}
	return false;
}

static bool take_number(const char *name, const json_t *value, struct feedback_item *item)
{
	const json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0)
		return false;
	if (strcmp(name, "incidents") == 0 && n > 0 && n <= UINT32_MAX)
		item->incidents = (uint32_t)n;
	else if (strcmp(name, "time") == 0)
		item->time = n;
	else if (strcmp(name, "code") == 0 && n >= 200 && n <= 599)
		item->code = (unsigned)n;
	else
		return false;
	return true;
}

int feedback_item_parse(const json_t *object, struct feedback_item *item, const char **wrong)
{
	const char *kind = json_string_value(json_object_get(object, "kind"));
	const char *source = json_string_value(json_object_get(object, "source"));
	const char *name;
	json_t *value;

	*item = (struct feedback_item){.incidents = 1};
	item->kind = kind ? feedback_kind_find(kind) : FEEDBACK_KIND_COUNT;
	item->source = source ? feedback_source_find(source) : FEEDBACK_SOURCE_COUNT;
	*wrong = item->kind == FEEDBACK_KIND_COUNT ? "kind" : "source";
	if (item->kind == FEEDBACK_KIND_COUNT || item->source == FEEDBACK_SOURCE_COUNT)
		return -EINVAL;
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		*wrong = name;
		if (strcmp(name, "kind") != 0 && strcmp(name, "source") != 0 &&
		    !take_text(name, value, item) && !take_number(name, value, item))
			return -EINVAL;
	}
	return 0;
}
