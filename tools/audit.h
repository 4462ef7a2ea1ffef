/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern audit`: the log of who changed what, exported and verified. */
#ifndef POSTERN_TOOLS_AUDIT_H
#define POSTERN_TOOLS_AUDIT_H

#include <jansson.h>

#include "control/store/audit_chain.h"

/* Exit status: 0; 1: it could not be done, or the log is not whole; 2: not a way to call it. */
int audit_main(int argc, char **argv);

/*
 * The next entry as posternd tells it ({"seq", "hash", "text"}). Why it is not the next, NULL: it
 * is. `*seq` is the entry's number, where it has one.
 */
const char *audit_follow(struct audit_walk *walk, const json_t *entry, uint64_t *seq);

/* A file of `postern audit export --json` without a tenant and times, from the first entry. */
int audit_verify_file(const char *path, const char *anchor);

/* Says how it ended. `anchor` (may be NULL): SEQ:HASH, as events of type audit_anchor have it. */
int audit_verdict(const struct audit_walk *walk, const char *anchor, bool anchored);

#endif
