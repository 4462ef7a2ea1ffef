/* SPDX-License-Identifier: BSD-3-Clause */
/* A record of EVENT_EVIDENCE as a line of JSON, for replays: what posternd would keep. Any thread.
 */
#ifndef POSTERN_CONTROL_EVIDENCE_LINE_H
#define POSTERN_CONTROL_EVIDENCE_LINE_H

#include <stdio.h>

#include "bpf/event.h"
#include "control/daemon/tenant_name.h"

/* 0; -EIO: the stream refused; -ENOMEM. Recipients are not in it: posternd keeps their hashes. */
int evidence_line_write(FILE *file, const struct event_head *head,
			const struct tenant_names *names);

#endif
