/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/settings_index.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/config/config.h"
#include "control/config/setting_flat.h"

struct head {
	uint64_t rows, strings;
};

struct maker {
	struct settings_row *rows;
	size_t count, room;
	char *strings;
	size_t used, strings_room;
	const char *file; /* the last one named, and where */
	uint32_t file_at;
	bool failed;
};

static uint32_t put_text(struct maker *m, const char *text)
{
	const size_t len = strlen(text) + 1;
	const uint32_t at = (uint32_t)m->used;

	if (m->used + len > m->strings_room) {
		const size_t room = 2 * (m->strings_room + len) + 4096;
		char *more = room <= UINT32_MAX ? realloc(m->strings, room) : NULL;

		if (!more) {
			m->failed = true;
			return 0;
		}
		m->strings = more;
		m->strings_room = room;
	}
	memcpy(m->strings + m->used, text, len);
	m->used += len;
	return at;
}

/* libconfig names a file by one address as long as the settings are of it. */
static uint32_t put_file(struct maker *m, const config_setting_t *where)
{
	const char *file = config_setting_source_file(where);
	char buffer[PATH_MAX];

	if (!file)
		return 0;
	if (file != m->file) {
		m->file = file;
		m->file_at = put_text(m, setting_file(where, buffer, sizeof(buffer)));
	}
	return m->file_at;
}

static void add(void *ctx, const char *path, const char *value, const config_setting_t *where)
{
	struct maker *m = ctx;

	if (m->count == m->room) {
		const size_t room = m->room ? 2 * m->room : 256;
		struct settings_row *more = reallocarray(m->rows, room, sizeof(*more));

		if (!more) {
			m->failed = true;
			return;
		}
		m->rows = more;
		m->room = room;
	}
	m->rows[m->count++] = (struct settings_row){
		.path = put_text(m, path),
		.value = put_text(m, value),
		.file = where ? put_file(m, where) : 0,
		.line = where ? config_setting_source_line(where) : 0,
	};
}

static int by_path(const void *pa, const void *pb, void *strings)
{
	const struct settings_row *a = pa, *b = pb;

	return strcmp((const char *)strings + a->path, (const char *)strings + b->path);
}

static int make(const struct config *config, struct maker *m)
{
	const config_setting_t *root = config_root_setting(&config->file);
	int rc;

	put_text(m, "");
	rc = settings_flat(config_settings, root, config, add, m);
	if (!rc && m->failed)
		rc = -ENOMEM;
	if (!rc)
		qsort_r(m->rows, m->count, sizeof(*m->rows), by_path, m->strings);
	return rc;
}

static void maker_fini(struct maker *m)
{
	free(m->rows);
	free(m->strings);
}

/* Row by row behind the head, then the strings. */
static void attach(struct settings_index *index)
{
	const struct head *head = index->memory;

	index->row = (const void *)(head + 1);
	index->count = head->rows;
	index->strings = (const char *)(index->row + head->rows);
}

int settings_index_build(const struct config *config, struct settings_index *index)
{
	struct maker m = {0};
	int rc = make(config, &m);
	struct head head = {m.count, m.used};
	const size_t rows = m.count * sizeof(*m.rows);

	*index = (struct settings_index){.strings = ""};
	if (!rc) {
		index->size = sizeof(head) + rows + m.used;
		index->memory = malloc(index->size);
		rc = index->memory ? 0 : -ENOMEM;
	}
	if (!rc) {
		memcpy(index->memory, &head, sizeof(head));
		memcpy((char *)index->memory + sizeof(head), m.rows, rows);
		memcpy((char *)index->memory + sizeof(head) + rows, m.strings, m.used);
		attach(index);
	}
	maker_fini(&m);
	return rc;
}

int settings_index_write(const struct config *config, int fd)
{
	struct settings_index index;
	int rc = settings_index_build(config, &index);

	for (size_t done = 0; !rc && done < index.size;) {
		ssize_t n = write(fd, (const char *)index.memory + done, index.size - done);

		if (n <= 0 && errno != EINTR)
			rc = n ? -errno : -EIO;
		if (n > 0)
			done += (size_t)n;
	}
	settings_index_fini(&index);
	return rc;
}

static bool is_sound(const struct settings_index *index, const struct head *head)
{
	const uint64_t room = index->size - sizeof(*head);

	if (head->rows > room / sizeof(struct settings_row) || !head->strings ||
	    head->strings != room - head->rows * sizeof(struct settings_row))
		return false;
	return !((const char *)index->memory)[index->size - 1];
}

static bool rows_are_sound(const struct settings_index *index, uint64_t strings)
{
	for (size_t i = 0; i < index->count; i++)
		if (index->row[i].path >= strings || index->row[i].value >= strings ||
		    index->row[i].file >= strings)
			return false;
	return true;
}

int settings_index_map(int fd, size_t size, struct settings_index *index)
{
	const struct head *head;

	*index = (struct settings_index){.strings = ""};
	if (fd < 0)
		return 0;
	if (size < sizeof(*head))
		return -EBADMSG;
	index->memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (index->memory == MAP_FAILED) {
		index->memory = NULL;
		return -errno;
	}
	index->mapped = 1;
	index->size = size;
	head = index->memory;
	if (is_sound(index, head)) {
		attach(index);
		if (rows_are_sound(index, head->strings))
			return 0;
	}
	settings_index_fini(index);
	return -EBADMSG;
}

void settings_index_fini(struct settings_index *index)
{
	if (index->mapped)
		munmap(index->memory, index->size);
	else
		free(index->memory);
	*index = (struct settings_index){.strings = ""};
}

size_t settings_index_from(const struct settings_index *index, const char *path)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(settings_text(index, index->row[middle].path), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct settings_row *settings_index_find(const struct settings_index *index, const char *path)
{
	const size_t i = settings_index_from(index, path);

	if (i == index->count || strcmp(settings_text(index, index->row[i].path), path) != 0)
		return NULL;
	return &index->row[i];
}
