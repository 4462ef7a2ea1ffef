/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rules_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/base/json_file.h"

#define VERSION 1
#define NAME    "rules.json"

static int read_root(struct rules_state *s, const json_t *root, char *error)
{
	const char *text = json_string_value(json_object_get(root, "text"));
	const char *source = json_string_value(json_object_get(root, "source"));
	json_t *history = json_object_get(root, "history");

	if (json_integer_value(json_object_get(root, "version")) != VERSION) {
		snprintf(error, STATE_ERROR, "not of version %d", VERSION);
		return -EINVAL;
	}
	if (!text || strlen(text) >= sizeof(s->text) || !source || !json_is_array(history) ||
	    rule_overrides_parse(json_object_get(root, "overrides"), &s->overrides) != 0) {
		snprintf(error, STATE_ERROR, "not what posternd writes");
		return -EINVAL;
	}
	strcpy(s->text, text);
	s->pushed = strcmp(source, "pushed") == 0;
	json_array_extend(s->history, history);
	return 0;
}

static int read_file(struct rules_state *s, char *error)
{
	json_t *root;
	int rc = json_file_read(s->dir, NAME, &root, error, STATE_ERROR);

	if (root)
		rc = read_root(s, root, error);
	json_decref(root);
	return rc;
}

int rules_state_open(const char *dir, struct rules_state *s, char error[STATE_ERROR])
{
	char why[STATE_ERROR] = "no memory";
	int rc;

	*s = (struct rules_state){.dir = -1, .history = json_array()};
	if (snprintf(s->path, sizeof(s->path), "%s/rules", dir) >= (int)sizeof(s->path)) {
		snprintf(error, STATE_ERROR, "%s", strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	if (mkdir(s->path, 0700) == 0 || errno == EEXIST)
		s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = s->dir < 0 ? -errno : s->history ? 0 : -ENOMEM;
	if (rc)
		snprintf(why, sizeof(why), "%s", strerror(-rc));
	else
		rc = read_file(s, why);
	if (!rc)
		return 0;
	snprintf(error, STATE_ERROR, "%.200s/" NAME ": %.250s", s->path, why);
	rules_state_close(s);
	return rc;
}

void rules_state_close(struct rules_state *s)
{
	if (s->dir >= 0)
		close(s->dir);
	rule_overrides_fini(&s->overrides);
	json_decref(s->history);
	*s = (struct rules_state){.dir = -1};
}

void rules_state_note(struct rules_state *s, json_t *entry)
{
	json_array_append_new(s->history, entry);
	while (json_array_size(s->history) > RULES_HISTORY)
		json_array_remove(s->history, 0);
	s->dirty = true;
}

static const char *text_of(const json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "text"));

	return text ? text : "";
}

const json_t *rules_state_find(const struct rules_state *s, uint64_t generation)
{
	for (size_t i = json_array_size(s->history); i-- > 0;) {
		const json_t *entry = json_array_get(s->history, i);
		json_int_t of = json_integer_value(json_object_get(entry, "generation"));

		if (generation ? (uint64_t)of == generation
			       : *text_of(entry) && strcmp(text_of(entry), s->text) != 0)
			return entry;
	}
	return NULL;
}

/* The newest first: what is in force. */
static void trim(const struct rules_state *s)
{
	const char *wanted[RULES_HISTORY + 1] = {s->text};
	size_t n = 1;

	for (size_t i = json_array_size(s->history); i-- > 0 && n <= RULES_HISTORY;)
		wanted[n++] = text_of(json_array_get(s->history, i));
	rules_text_trim(s->path, wanted, n, RULES_TEXTS_KEPT);
}

int rules_state_flush(struct rules_state *s)
{
	json_t *overrides, *root;
	int rc = -ENOMEM;

	if (!s->dirty)
		return 0;
	overrides = rule_overrides_json(&s->overrides);
	root = json_pack("{s:i, s:s, s:s, s:o, s:O}", "version", VERSION, "source",
			 s->pushed ? "pushed" : "configuration", "text", s->text, "overrides",
			 overrides, "history", s->history);
	if (root)
		rc = json_file_replace(s->dir, NAME, root);
	json_decref(root);
	s->dirty = rc != 0;
	/* Nothing that the file on the disk may name goes before it is there. */
	if (!rc)
		trim(s);
	return rc;
}
