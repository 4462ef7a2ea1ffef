/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All settings of a configuration, by whole name: rows in a file that the compiler's child writes
 * and posternd maps, or in memory. Nothing in it changes.
 */
#ifndef POSTERN_CONTROL_SETTINGS_INDEX_H
#define POSTERN_CONTROL_SETTINGS_INDEX_H

#include <stddef.h>
#include <stdint.h>

struct config;

struct settings_row {
	uint32_t path, value; /* in `strings` */
	uint32_t file;        /* the same; "": a default, or no file */
	uint32_t line;        /* 0: a default */
};

struct settings_index {
	const struct settings_row *row; /* ascending by path, as strcmp() has it */
	size_t count;
	const char *strings;
	void *memory; /* all of it; NULL: empty */
	size_t size;
	int mapped;
};

/* Of a configuration without errors. 0 or -ENOMEM; the second writes it into an empty file. */
int settings_index_build(const struct config *config, struct settings_index *index);
int settings_index_write(const struct config *config, int fd);

/* Maps a file; the descriptor may be closed. `fd` -1: empty. 0, -EBADMSG, -errno. */
int settings_index_map(int fd, size_t size, struct settings_index *index);
void settings_index_fini(struct settings_index *index);

/* The first row at `path` or behind it; `count`: there is none. */
size_t settings_index_from(const struct settings_index *index, const char *path);
/* NULL: it has no value. */
const struct settings_row *settings_index_find(const struct settings_index *index,
					       const char *path);

static inline const char *settings_text(const struct settings_index *index, uint32_t offset)
{
	return index->strings + offset;
}

#endif
