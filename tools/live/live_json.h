/* SPDX-License-Identifier: BSD-3-Clause */
/* Members of answers, by path; of whatever is not there: nothing, zero, "". */
#ifndef POSTERN_TOOLS_LIVE_JSON_H
#define POSTERN_TOOLS_LIVE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* "a.b.c"; NULL: there is none. */
static inline json_t *at(const json_t *object, const char *path)
{
	char name[64];

	while (object && *path) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		object = json_object_get(object, name);
		path += len + (path[len] == '.');
	}
	return (json_t *)(uintptr_t)object;
}

static inline const char *text_at(const json_t *object, const char *path)
{
	const char *text = json_string_value(at(object, path));

	return text ? text : "";
}

static inline uint64_t count_at(const json_t *object, const char *path)
{
	return (uint64_t)json_integer_value(at(object, path));
}

static inline double number_at(const json_t *object, const char *path)
{
	return json_number_value(at(object, path));
}

static inline bool is_at(const json_t *object, const char *path)
{
	return json_is_true(at(object, path));
}

#endif
