/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/setting_json.h"

#include <errno.h>

static json_t *texts_json(const struct setting_texts *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(array, json_string(texts->items[i].text));
	return array;
}

/* NULL: of a type that has no place here, or no memory. */
static json_t *value_json(const struct setting *setting, const void *value)
{
	const char *text;

	switch (setting->type) {
	case SETTING_COUNT:
		return json_integer(*(const uint32_t *)value);
	case SETTING_NUMBER:
		return json_real(*(const double *)value);
	case SETTING_DURATION:
	case SETTING_SIZE:
		return json_integer((json_int_t) * (const uint64_t *)value);
	case SETTING_BOOL:
		return json_boolean(*(const bool *)value);
	case SETTING_TEXT:
		text = *(const char *const *)value;
		return json_string(text ? text : "");
	case SETTING_CHOICE:
		return json_string(setting->choices[*(const int *)value]);
	case SETTING_TEXTS:
		return texts_json(value);
	default:
		return NULL;
	}
}

int settings_json(json_t *object, const char *path, const struct setting *schema, const void *from)
{
	char deeper[256];
	int rc = 0;

	for (const struct setting *s = schema; s->name && !rc; s++) {
		json_t *value;

		snprintf(deeper, sizeof(deeper), "%s.%s", path, s->name);
		if (s->type == SETTING_GROUP) {
			rc = settings_json(object, deeper, s->members, from);
			continue;
		}
		value = value_json(s, (const char *)from + s->offset);
		if (value && json_object_set_new(object, deeper, value) != 0)
			rc = -ENOMEM;
	}
	return rc;
}
