/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mailbox taken apart into its messages (mbox, RFC 4155), or one message as it is: which of the
 * two, its first five bytes say. In spans of any size; nothing is allocated; any thread.
 *
 * A message begins with a line "From …" that has a time in it, at the beginning or after an empty
 * line: "From our team" in a text is none. Of a text's ">From " one ">" goes, as their writers put
 * it there.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_MBOX_H
#define POSTERN_CONTROL_FEEDBACK_MBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/proto/bytes.h"

#define MBOX_HEAD 512 /* bytes of a line that are looked at */

struct mbox {
	enum { MBOX_UNKNOWN, MBOX_MAIL, MBOX_MANY } kind;
	bool open;      /* in a message */
	bool after_gap; /* the line before was empty */
	bool in_line;   /* what comes is the rest of a line that has been looked at */
	bool skips;     /* and is of no message: a separator's */
	uint64_t line;  /* that is read, from 1 */
	uint64_t messages;
	size_t held; /* bytes of a line that may be a separator */
	uint8_t head[MBOX_HEAD];
};

struct mbox_sink {
	void (*begin)(void *ctx, uint64_t line); /* of the separator; 1 for a message alone */
	void (*data)(void *ctx, struct bytes data);
	void (*end)(void *ctx);
	void *ctx;
};

void mbox_init(struct mbox *m);
void mbox_feed(struct mbox *m, struct bytes data, const struct mbox_sink *sink);
/* An empty input is one message with nothing in it. */
void mbox_finish(struct mbox *m, const struct mbox_sink *sink);

#endif
