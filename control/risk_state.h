/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scores on the disk, so that a restart forgets none: DIR/risk.jsonl, a line a tenant, replaced as
 * a whole. It is written in pieces, for 100,000 lines take longer than a loop may stand still.
 * One thread.
 */
#ifndef POSTERN_CONTROL_RISK_STATE_H
#define POSTERN_CONTROL_RISK_STATE_H

#include <stdio.h>

#include "control/risk.h"

struct risk_save {
	int dir;
	FILE *out; /* NULL: none is being written */
};

/* Into a file beside the one that is there. 0 or -errno. */
int risk_save_begin(int dir, struct risk_save *save);
/* A tenant of nothing leaves no line. Failures show at the end. */
void risk_save_put(struct risk_save *save, uint32_t id, const struct risk_tenant *tenant);
/* On the disk, in the place of the one before. 0, or -errno and the old one is still there. */
int risk_save_end(struct risk_save *save);
void risk_save_cancel(struct risk_save *save);

struct risk_kept {
	uint32_t id;
	struct risk_tenant tenant;
};

/*
 * What was saved, ascending by id, the caller's to free(); *bad lines that made no sense are left
 * out. 0 (also where there is no file), -ENOMEM, -errno.
 */
int risk_kept_read(int dir, struct risk_kept **kept, size_t *count, size_t *bad);
/* NULL: nothing of that tenant. */
const struct risk_tenant *risk_kept_find(const struct risk_kept *kept, size_t count, uint32_t id);

#endif
