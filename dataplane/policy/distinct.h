/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many different callees and recipients' domains a tenant has: a ratio of its calls or mails
 * says something about it only when there are several (control/risk/risk.h). Worker.
 */
#ifndef POSTERN_DISTINCT_H
#define POSTERN_DISTINCT_H

#include "dataplane/proto/sip.h"
#include "dataplane/worker.h"

/* Of a call attempt: who is called, by number, or else by the whole URI. */
void distinct_callee(struct worker *w, uint32_t tenant, struct bytes callee);

/* The hash of what is told apart, keyed. */
uint64_t distinct_hash(const struct worker *w, struct bytes thing);

#endif
