/* SPDX-License-Identifier: BSD-3-Clause */
/* Opt-out and do-not-call lists: files of one address or number a line. */
#ifndef POSTERN_LIST_FILE_H
#define POSTERN_LIST_FILE_H

#include "bpf/list.h"
#include "control/config/diag.h"
#include "control/lists/hashset_build.h"

/* The hash of one entry of a list of `kind`, or 0: it can't be one; `expected` says what can. */
uint64_t list_entry(const uint64_t key[2], enum list_kind kind, uint32_t owner, const char *text,
		    const char **expected);

/*
 * Adds the entries of the file at `path` to `list`; bad lines go to `diag`, and the rest is
 * read all the same. 0, or -errno: it can't be opened, or no memory.
 */
int list_file_read(const char *path, const uint64_t key[2], enum list_kind kind, uint32_t owner,
		   struct hash_list *list, struct diag *diag);

#endif
