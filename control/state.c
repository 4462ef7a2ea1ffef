/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/json_file.h"

#define VERSION 1

struct state {
	int dir;    /* of the file */
	bool dirty; /* the disk has less */
	uint64_t generation;
	struct override *items;
	size_t count, room;
};

/* The first override of this tenant or a later one. */
static size_t place_of(const struct state *s, uint32_t tenant)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->items[middle].tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int state_dir(const struct state *s)
{
	return s->dir;
}

const struct override *state_find(const struct state *s, uint32_t tenant)
{
	size_t at = place_of(s, tenant);

	return at < s->count && s->items[at].tenant == tenant ? &s->items[at] : NULL;
}

const struct override *state_all(const struct state *s, size_t *count)
{
	*count = s->count;
	return s->items;
}

static int put(struct state *s, const struct override *override)
{
	size_t at = place_of(s, override->tenant);
	bool there = at < s->count && s->items[at].tenant == override->tenant;

	if (there && !override_is_empty(override)) {
		s->items[at] = *override;
		return 0;
	}
	if (there) {
		s->count--;
		memmove(&s->items[at], &s->items[at + 1], (s->count - at) * sizeof(*s->items));
		return 0;
	}
	if (override_is_empty(override))
		return 0;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct override *more = reallocarray(s->items, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->items = more;
		s->room = room;
	}
	memmove(&s->items[at + 1], &s->items[at], (s->count - at) * sizeof(*s->items));
	s->items[at] = *override;
	s->count++;
	return 0;
}

/* Reading */

static int read_tenants(struct state *s, const json_t *root, char *error)
{
	const json_t *tenants = json_object_get(root, "tenants");
	struct override override;
	json_t *item;
	size_t i;

	if (json_integer_value(json_object_get(root, "version")) != VERSION) {
		snprintf(error, STATE_ERROR, "not a state of version %d", VERSION);
		return -EINVAL;
	}
	if (!json_is_array(tenants)) {
		snprintf(error, STATE_ERROR, "no \"tenants\" in it");
		return -EINVAL;
	}
	s->generation = (uint64_t)json_integer_value(json_object_get(root, "generation"));
	json_array_foreach(tenants, i, item)
	{
		int rc = override_parse(item, &override, error, STATE_ERROR);

		if (!rc)
			rc = put(s, &override);
		if (rc)
			return rc;
	}
	return 0;
}

static int read_file(struct state *s, char *error)
{
	json_t *root;
	int rc = json_file_read(s->dir, "state.json", &root, error, STATE_ERROR);

	if (root)
		rc = read_tenants(s, root, error);
	json_decref(root);
	return rc;
}

static int open_in(struct state *s, const char *dir, char *error)
{
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0) {
		snprintf(error, STATE_ERROR, "%s", strerror(errno));
		return -errno;
	}
	return read_file(s, error);
}

int state_open(const char *dir, struct state **statep, char error[STATE_ERROR])
{
	struct state *s = calloc(1, sizeof(*s));
	char why[STATE_ERROR] = "no memory";
	int rc = -ENOMEM;

	if (s) {
		s->dir = -1;
		rc = open_in(s, dir, why);
	}
	if (rc == 0) {
		*statep = s;
		return 0;
	}
	snprintf(error, STATE_ERROR, "%.200s%s: %.250s", dir, rc == -EINVAL ? "/state.json" : "",
		 why);
	state_close(s);
	return rc;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	if (s->dir >= 0)
		close(s->dir);
	free(s->items);
	free(s);
}

/* Writing */

static json_t *state_json(const struct state *s)
{
	json_t *tenants = json_array();
	int failed = !tenants;

	for (size_t i = 0; i < s->count && !failed; i++)
		failed = json_array_append_new(tenants, override_json(&s->items[i]));
	if (failed) {
		json_decref(tenants);
		return NULL;
	}
	return json_pack("{s:i, s:I, s:o}", "version", VERSION, "generation",
			 (json_int_t)s->generation, "tenants", tenants);
}

int state_flush(struct state *s)
{
	json_t *root;
	int rc;

	if (!s->dirty)
		return 0;
	root = state_json(s);
	rc = root ? json_file_replace(s->dir, "state.json", root) : -ENOMEM;
	json_decref(root);
	s->dirty = rc != 0;
	return rc;
}

int state_store(struct state *s, const struct override *override)
{
	int rc = put(s, override);

	if (rc)
		return rc;
	s->dirty = true;
	return state_flush(s);
}

uint64_t state_generation(struct state *s)
{
	s->generation++;
	s->dirty = true;
	state_flush(s);
	return s->generation;
}
