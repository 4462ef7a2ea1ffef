/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/setting.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/suggest.h"
#include "control/config/setting_scalar.h"

#define PATH_SIZE 256

static void path_append(const config_setting_t *where, char *path, size_t size)
{
	const config_setting_t *parent = config_setting_parent(where);
	size_t used;

	if (!parent)
		return;
	path_append(parent, path, size);
	used = strlen(path);
	if (config_setting_name(where))
		snprintf(path + used, size - used, "%s%s", used ? "." : "",
			 config_setting_name(where));
	else
		snprintf(path + used, size - used, "[%d]", config_setting_index(where));
}

void setting_path(const config_setting_t *where, char *path, size_t size)
{
	path[0] = '\0';
	path_append(where, path, size);
}

const char *setting_include_path(const config_t *config, const char *first, const char *file,
				 char *buffer, size_t size)
{
	const char *dir = config_get_include_dir(config);

	if (!file || file[0] == '/' || !first || strcmp(file, first) == 0)
		return file;
	if (!dir || strcmp(dir, ".") == 0)
		return file;
	snprintf(buffer, size, "%s/%s", dir, file);
	return buffer;
}

const char *setting_file(const config_setting_t *where, char *buffer, size_t size)
{
	const char *first = config_setting_get_hook(config_root_setting(where->config));

	return setting_include_path(where->config, first, config_setting_source_file(where), buffer,
				    size);
}

static void report(struct diag *diag, enum diag_level level, const config_setting_t *where,
		   const char *text)
{
	char path[PATH_SIZE] = "", buffer[PATH_MAX];
	const char *file = NULL;
	unsigned line = 0;

	if (where) {
		setting_path(where, path, sizeof(path));
		file = setting_file(where, buffer, sizeof(buffer));
		line = config_setting_source_line(where);
	}
	(level == DIAG_ERROR ? diag_error : diag_warning)(diag, file, line, "%s%s%s", path,
							  path[0] ? ": " : "", text);
}

void setting_error(struct diag *diag, const config_setting_t *where, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report(diag, DIAG_ERROR, where, text);
}

void setting_warning(struct diag *diag, const config_setting_t *where, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	report(diag, DIAG_WARNING, where, text);
}

static const struct setting *find(const struct setting *schema, const char *name)
{
	for (; schema->name; schema++)
		if (strcmp(schema->name, name) == 0)
			return schema;
	return NULL;
}

static void report_unknown(struct diag *diag, const config_setting_t *where,
			   const struct setting *schema)
{
	const char *name = config_setting_name(where), *nearest = NULL;
	unsigned least = suggest_limit(name) + 1;

	for (; schema->name; schema++) {
		unsigned distance = suggest_distance(name, schema->name);

		if (distance < least) {
			least = distance;
			nearest = schema->name;
		}
	}
	if (nearest)
		setting_error(diag, where, "no such setting; did you mean \"%s\"?", nearest);
	else
		setting_error(diag, where, "no such setting");
}

static void refuse_unknown(struct diag *diag, const config_setting_t *group,
			   const struct setting *schema)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member = config_setting_get_elem(group, i);

		if (!find(schema, config_setting_name(member)))
			report_unknown(diag, member, schema);
	}
}

static int read_groups(struct diag *diag, const config_setting_t *value,
		       const struct setting *setting, struct setting_groups *groups)
{
	size_t count = config_setting_length(value);

	groups->items = calloc(count ? count : 1, setting->size);
	if (!groups->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *group = config_setting_get_elem(value, i);
		void *item = (char *)groups->items + groups->count * setting->size;
		int err;

		if (!config_setting_is_group(group)) {
			setting_error(diag, group, "expected a group: { ... }");
			continue;
		}
		groups->count++;
		memcpy(item, &group, sizeof(group));
		err = settings_read(diag, group, setting->members, item);
		if (err)
			return err;
	}
	return 0;
}

static int read_texts(struct diag *diag, const config_setting_t *value,
		      const struct setting *setting, struct setting_texts *texts)
{
	size_t count = config_setting_length(value);

	texts->items = calloc(count ? count : 1, sizeof(*texts->items));
	if (!texts->items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct setting_text *t = &texts->items[texts->count];

		t->where = config_setting_get_elem(value, i);
		if (setting_read_text(diag, t->where, setting, &t->text))
			texts->count++;
	}
	return 0;
}

static bool is_sequence(const config_setting_t *value)
{
	return config_setting_is_array(value) || config_setting_is_list(value);
}

static int read_one(struct diag *diag, const config_setting_t *value, const struct setting *setting,
		    void *into)
{
	void *target = (char *)into + setting->offset;

	switch (setting->type) {
	case SETTING_GROUP:
		if (config_setting_is_group(value))
			return settings_read(diag, value, setting->members, into);
		setting_error(diag, value, "expected a group: { ... }");
		return settings_read(diag, NULL, setting->members, into);
	case SETTING_NAMED:
		if (config_setting_is_group(value))
			return read_groups(diag, value, setting, target);
		setting_error(diag, value, "expected a group of groups: { NAME: { ... }; ... }");
		return 0;
	case SETTING_GROUPS:
		if (config_setting_is_list(value))
			return read_groups(diag, value, setting, target);
		setting_error(diag, value, "expected a list of groups: ( { ... }, ... )");
		return 0;
	case SETTING_TEXTS:
		if (is_sequence(value))
			return read_texts(diag, value, setting, target);
		setting_error(diag, value, "expected a list of strings: [ \"...\", ... ]");
		return 0;
	default:
		setting_read_scalar(diag, value, setting, target);
		return 0;
	}
}

static int read_absent(struct diag *diag, const config_setting_t *group,
		       const struct setting *setting, void *into)
{
	if (setting->required) {
		setting_error(diag, group, "needs the setting \"%s\"", setting->name);
		return 0;
	}
	if (setting->type == SETTING_GROUP)
		return settings_read(diag, NULL, setting->members, into);
	if (setting->fallback)
		setting_read_default(setting, (char *)into + setting->offset);
	return 0;
}

int settings_read(struct diag *diag, const config_setting_t *group, const struct setting *schema,
		  void *into)
{
	int err = 0;

	if (group)
		refuse_unknown(diag, group, schema);
	for (const struct setting *s = schema; s->name && !err; s++) {
		const config_setting_t *value = group ? config_setting_get_member(group, s->name)
						      : NULL;

		err = value ? read_one(diag, value, s, into) : read_absent(diag, group, s, into);
	}
	return err;
}

void settings_free(const struct setting *schema, void *into)
{
	for (; schema->name; schema++) {
		void *target = (char *)into + schema->offset;

		if (schema->type == SETTING_GROUP)
			settings_free(schema->members, into);
		if (schema->type == SETTING_TEXTS) {
			struct setting_texts *texts = target;

			free(texts->items);
			*texts = (struct setting_texts){0};
		}
		if (schema->type == SETTING_GROUPS || schema->type == SETTING_NAMED) {
			struct setting_groups *groups = target;

			for (size_t i = 0; i < groups->count; i++)
				settings_free(schema->members,
					      (char *)groups->items + i * schema->size);
			free(groups->items);
			*groups = (struct setting_groups){0};
		}
	}
}
