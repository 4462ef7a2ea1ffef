/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules on their way to a push: a request holds 64 KiB, so a client sends files in pieces, and its
 * connection keeps them until it pushes or goes. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RULES_STAGE_H
#define POSTERN_CONTROL_RULES_STAGE_H

#include <sys/queue.h>

#include "control/rules/rules_text.h"

#define RULES_STAGED_MAX (UINT64_C(128) << 20) /* bytes of all clients */

struct client;

struct rules_staged {
	TAILQ_ENTRY(rules_staged) entry;
	const struct client *client;
	struct rules_text text;
};

TAILQ_HEAD(rules_stage, rules_staged);

/* As rules_text_add(); -EBUSY: other clients have taken the room. */
int rules_stage_add(struct rules_stage *stage, const struct client *client, const char *name,
		    bool data, const char *bytes, size_t len);

/* What the client has staged; NULL: nothing. */
const struct rules_text *rules_stage_of(const struct rules_stage *stage,
					const struct client *client);

void rules_stage_forget(struct rules_stage *stage, const struct client *client);
void rules_stage_fini(struct rules_stage *stage);

#endif
