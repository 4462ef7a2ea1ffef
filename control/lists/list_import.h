/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From files of people to hashes: an entry a line (as control/base/text_file.h), or a column of CSV
 * (RFC 4180; the delimiter is the header's: comma, semicolon or tab), gzip'ed or not. Bytes come in
 * any pieces. One thread; allocates.
 */
#ifndef POSTERN_CONTROL_LIST_IMPORT_H
#define POSTERN_CONTROL_LIST_IMPORT_H

#include "control/config/diag.h"
#include "control/lists/hashset_build.h"
#include "control/lists/list_kind.h"

#define LIST_LINE_MAX   1024  /* bytes */
#define LIST_RECORD_MAX 65536 /* of CSV */

struct list_import {
	/* The caller's */
	const struct list_kind_info *info;
	const uint64_t *key;
	uint32_t owner;
	const char *name;   /* of the file, for messages */
	const char *column; /* NULL: an entry a line */
	struct diag *diag;  /* gets bad lines */
	void (*progress)(void *ctx, const struct list_import *import); /* NULL */
	void *ctx;
	/* What came of it */
	struct hash_list hashes;
	uint64_t bytes; /* read, as they are in the file */
	uint64_t lines, bad;
	/* Its own */
	char *held; /* the beginning of a line or record */
	size_t held_len, held_room;
	unsigned column_index;
	char delimiter;
	bool has_header, quoted, too_long, broken;
};

/* 0; -ENOMEM; -EINVAL: CSV without the column (said in diag): no use in going on. */
int list_import_feed(struct list_import *import, const char *data, size_t len);
/* The last line may have no end. Then free it. */
int list_import_end(struct list_import *import);
void list_import_fini(struct list_import *import);

/* All of a file, from where it stands; gzip'ed or not. The same, or -errno. Keeps nothing of fd. */
int list_import_file(struct list_import *import, int fd);

#endif
