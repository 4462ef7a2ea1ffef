/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of a log taken apart; part of control/feedback/feedback_log.h. Pure. */
#ifndef POSTERN_CONTROL_FEEDBACK_LINE_H
#define POSTERN_CONTROL_FEEDBACK_LINE_H

#include "dataplane/proto/bytes.h"

struct feedback_line {
	int64_t time; /* s since 1970; 0: unknown */
	struct bytes host, instance, program, queue;
	struct bytes rest; /* behind "QUEUE: " */
};

/* false: not a line of Postfix's about a queue file. *postfix: it is one of Postfix's. */
bool feedback_line_read(struct bytes line, int64_t now, struct feedback_line *out, bool *postfix);

/*
 * Takes the next "name=value" off *rest: `<…>` is a value with what is in it, others end before
 * ", ". false: there is none.
 */
bool feedback_line_pair(struct bytes *rest, struct bytes *name, struct bytes *value);

#endif
