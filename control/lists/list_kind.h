/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of lists by the names that people give them. Pure. */
#ifndef POSTERN_CONTROL_LIST_KIND_H
#define POSTERN_CONTROL_LIST_KIND_H

#include <stdbool.h>

#include "bpf/list.h"

struct list_kind_info {
	const char *name;
	enum list_kind kind;
	bool tenant, global; /* who may have one */
	bool grace;          /* what comes to it holds after lists.optout_grace */
	const char *entry;   /* what an entry is, by an example */
	const char *help;
};

/* A name of NULL ends it. */
extern const struct list_kind_info list_kinds[];

/* NULL: there is none of that name. */
const struct list_kind_info *list_kind_find(const char *name);
/* Of a segment's kind; NULL: there is none. */
const struct list_kind_info *list_kind_of(unsigned kind);

/* "optout, dnc, …" */
const char *list_kind_names(void);

/*
 * The hash of one entry of `len` bytes at `text`; 0: it can't be one of that kind. A domain that
 * begins with a dot means its subdomains.
 */
uint64_t list_kind_hash(const struct list_kind_info *info, const uint64_t key[2], uint32_t owner,
			const char *text, size_t len);

#endif
