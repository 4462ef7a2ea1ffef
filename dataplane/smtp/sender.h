/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Senders' domains, told to control, which looks them up (policy.tell_domains): an EVENT_DOMAIN
 * for each, at most once in ten minutes by a worker, and no more than eight a second of a tenant.
 * What was forgotten is told again; nothing is decided by it. Live gates only. On the worker.
 */
#ifndef POSTERN_SENDER_H
#define POSTERN_SENDER_H

#include "dataplane/proto/bytes.h"
#include "dataplane/worker.h"

/* `domain`: a normal form (bpf/list.h), or empty: nothing. */
void sender_tell(struct worker *w, uint32_t tenant, struct bytes domain);

#endif
