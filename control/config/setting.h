/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration's schema: what settings there are, of what type, between
 * which bounds, with which default, and what they mean. One table a group is
 * the single source for reading, checking and documenting it.
 *
 * Reading collects every error with file, line, the setting's path and what was
 * expected. One thread.
 */
#ifndef POSTERN_SETTING_H
#define POSTERN_SETTING_H

#include <libconfig.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/config/diag.h"
#include "control/config/value.h"

enum setting_type {                      /* what it is read into */
		    SETTING_COUNT,       /* uint32_t */
		    SETTING_COUNT_LIMIT, /* struct rate: a count, or "unlimited" */
		    SETTING_NUMBER,      /* double: whole or with a fraction */
		    SETTING_BOOL,        /* bool */
		    SETTING_TEXT,        /* const char *, the file's */
		    SETTING_CHOICE,      /* int: which of `choices` */
		    SETTING_CHOICES,     /* uint64_t: bit per one of `choices`, and SETTING_GIVEN */
		    SETTING_DURATION,    /* uint64_t, ns */
		    SETTING_SIZE,        /* uint64_t, bytes */
		    SETTING_RATE,        /* struct rate */
		    SETTING_TEXTS,       /* struct setting_texts */
		    SETTING_PORTS,       /* struct setting_ports */
		    SETTING_GROUP,       /* `members`, into the same struct */
		    SETTING_GROUPS,      /* struct setting_groups: a list of groups of `members` */
		    SETTING_NAMED, /* the same, from a group of groups with names of the user's
				      choice */
};

#define SETTING_GIVEN     (UINT64_C(1) << 63)
#define SETTING_PORTS_MAX 128

struct setting_text {
	const char *text;
	const config_setting_t *where;
};

struct setting_texts {
	struct setting_text *items;
	size_t count;
};

struct setting_ports {
	const config_setting_t *where; /* NULL: the default's */
	unsigned count;
	uint16_t ports[SETTING_PORTS_MAX];
};

/* Items are `size` bytes each and begin with a `const config_setting_t *`: their place. */
struct setting_groups {
	void *items;
	size_t count;
};

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset; /* in the struct it is read into */
	bool required;
	int64_t min, max;           /* of counts; of durations in ns; of sizes in bytes */
	const char *fallback;       /* when it isn't written, as one would write it; NULL: zero */
	const char *const *choices; /* NULL-terminated */
	const char *(*check)(const char *text); /* of texts: NULL, or what was expected */
	const struct setting *members;          /* NULL name ends */
	size_t size;
	const char *help; /* one line of Markdown */
};

/* Reads `group` (NULL: only defaults) into `into`, which is zeroed. -ENOMEM or 0; errors go to
 * diag. */
int settings_read(struct diag *diag, const config_setting_t *group, const struct setting *schema,
		  void *into);

/* Frees what settings_read() allocated. */
void settings_free(const struct setting *schema, void *into);

/* An error at `where` (NULL: a default's), with its path before the text. */
void setting_error(struct diag *diag, const config_setting_t *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void setting_warning(struct diag *diag, const config_setting_t *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* "tenants[2].prefixes[0]" into `path`, cut at its end; of its parent when it has no place of its
 * own. */
void setting_path(const config_setting_t *where, char *path, size_t size);

/*
 * The path of a file that libconfig names: an included one is named as "@include" has it,
 * relative to the directory of `first`, the file that was opened. NULL for NULL.
 */
const char *setting_include_path(const config_t *config, const char *first, const char *file,
				 char *buffer, size_t size);

/* The same for the file that `where` is in; `first` is the root setting's hook. */
const char *setting_file(const config_setting_t *where, char *buffer, size_t size);

/* The reference of all settings as Markdown. */
void settings_document(FILE *out, const struct setting *schema, const char *path);

#endif
