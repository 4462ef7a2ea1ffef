/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What people do with lists, over a store, and what is said of it in JSON: the same by posternd and
 * by the command without it. Allocates; one thread.
 */
#ifndef POSTERN_CONTROL_LIST_WORK_H
#define POSTERN_CONTROL_LIST_WORK_H

#include <jansson.h>

#include "control/lists/list_import.h"
#include "control/lists/list_store.h"

#define LIST_PROBLEMS 20 /* bad lines that are told one by one */

/* Which list, of whom. */
struct list_target {
	const struct list_kind_info *info;
	uint32_t owner;   /* 0: everybody's */
	const char *name; /* of the tenant; NULL: everybody's */
};

/* When what comes now, or came at `since` (s since 1970; 0: now), holds from: 0: at once. */
uint64_t list_effective(const struct list_kind_info *info, uint64_t now, uint64_t since,
			uint64_t grace);

struct list_import_job {
	struct list_target target;
	int fd;             /* the file, from where it stands */
	const char *name;   /* its */
	const char *column; /* NULL: an entry a line */
	bool skip_bad, replaces;
	uint64_t from;                                                 /* list_effective() */
	void (*progress)(void *ctx, const struct list_import *import); /* NULL */
	void *ctx;
};

/*
 * Reads the file and merges it. The report: {"ok", "tenant", "kind", "file", "lines", "read",
 * "bad", "new", "entries", "from", "bytes", "took_s", "problems": [{"file", "line", "severity",
 * "message"}]}; "ok" false: nothing has changed, and "message" says why. NULL: no memory.
 */
json_t *list_work_import(struct list_store *store, const struct list_import_job *job);

/*
 * Adds or removes entries (an array of strings), all or none. The result: {"tenant", "kind",
 * "changed", "entries", "from"}; NULL with words in `error`: nothing has changed.
 */
json_t *list_work_patch(struct list_store *store, const struct list_target *target,
			const json_t *entries, bool removes, uint64_t from,
			char error[LIST_STORE_ERROR]);

/* [{"entry", "standing": "listed" | "pending" | "absent", "from"}]; NULL with words in `error`. */
json_t *list_work_check(const struct list_store *store, const struct list_target *target,
			const json_t *entries, char error[LIST_STORE_ERROR]);

/*
 * {"lists": [{"tenant", "id", "kind", "entries", "pending", "bytes", "added"}], "base", "delta":
 * {"generation", "entries", "bytes", "created"}}; `name` gives a tenant's name or NULL. `owner`
 * UINT32_MAX: of everybody. NULL: no memory.
 */
json_t *list_work_show(const struct list_store *store, uint32_t owner,
		       const char *(*name)(void *ctx, uint32_t id), void *ctx);

#endif
