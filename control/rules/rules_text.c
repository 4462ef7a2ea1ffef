/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rules_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "control/rules/ruleset_build.h"

void rules_text_fini(struct rules_text *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->files[i].name);
		free(t->files[i].text);
	}
	free(t->files);
	*t = (struct rules_text){0};
}

static int file_new(struct rules_text *t, const char *name, bool data, struct rules_file **filep)
{
	struct rules_file *file;

	if (t->count == RULES_FILES_MAX)
		return -EFBIG;
	if (t->count == t->room) {
		size_t room = t->room ? 2 * t->room : 16;
		struct rules_file *more = reallocarray(t->files, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->files = more;
		t->room = room;
	}
	file = &t->files[t->count];
	*file = (struct rules_file){.name = strdup(name), .data = data};
	if (!file->name)
		return -ENOMEM;
	t->count++;
	*filep = file;
	return 0;
}

int rules_text_add(struct rules_text *t, const char *name, bool data, const char *bytes, size_t len)
{
	struct rules_file *file = t->count ? &t->files[t->count - 1] : NULL;
	int rc = 0;

	if (len > RULES_TEXT_MAX - t->bytes)
		return -EFBIG;
	if (!file || file->data != data || strcmp(file->name, name) != 0)
		rc = file_new(t, name, data, &file);
	if (rc)
		return rc;
	if (file->len + len + 1 > file->room) {
		size_t room = file->len + len + 1 + file->room / 2;
		char *more = realloc(file->text, room);

		if (!more)
			return -ENOMEM;
		file->text = more;
		file->room = room;
	}
	if (len)
		memcpy(file->text + file->len, bytes, len);
	file->len += len;
	file->text[file->len] = '\0';
	t->bytes += len;
	return 0;
}

struct loading {
	struct rules_text *text;
	struct rule_diags *diags;
	int rc;
};

static void on_file(void *ctx, const char *path, const char *text, size_t len)
{
	struct loading *l = ctx;
	int rc = rules_text_add(l->text, path, false, text, len);

	if (!rc)
		return;
	l->rc = rc;
	rule_diag_add(l->diags, RULE_ERROR, (struct rule_place){.file = path}, 0,
		      rc == -EFBIG ? "more than %u MiB of rules, or %u files" : "no memory",
		      RULES_TEXT_MAX >> 20, RULES_FILES_MAX);
}

int rules_text_load(struct rules_text *text, struct rule_diags *diags, const char *path)
{
	struct loading l = {text, diags, 0};
	int rc = rules_each_file(diags, path, on_file, &l);

	return rc ? rc : l.rc;
}

void rules_text_parse(const struct rules_text *t, struct rule_list *list, struct rule_diags *diags)
{
	for (size_t i = 0; i < t->count; i++)
		if (!t->files[i].data)
			rules_parse(list, diags, NULL, t->files[i].name, t->files[i].text,
				    t->files[i].len);
}

const struct rules_file *rules_text_data(const struct rules_text *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->files[i].data && strcmp(t->files[i].name, name) == 0)
			return &t->files[i];
	return NULL;
}

void rules_text_digest(const struct rules_text *t, char digest[RULES_DIGEST_SIZE])
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t hash = {0};

	if (state) {
		XXH3_128bits_reset(state);
		for (size_t i = 0; i < t->count; i++) {
			const struct rules_file *f = &t->files[i];
			uint64_t len = f->len << 1 | f->data;

			XXH3_128bits_update(state, f->name, strlen(f->name) + 1);
			XXH3_128bits_update(state, &len, sizeof(len));
			XXH3_128bits_update(state, f->text, f->len);
		}
		hash = XXH3_128bits_digest(state);
		XXH3_freeState(state);
	}
	snprintf(digest, RULES_DIGEST_SIZE, "%016llx%016llx", (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
}
