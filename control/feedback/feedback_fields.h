/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks of header fields that are a part's body: a delivery report's (RFC 3464 2.1), a copy of a
 * mail's header. Incremental, bounded: what is beyond is cut. Pure; any thread.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_FIELDS_H
#define POSTERN_CONTROL_FEEDBACK_FIELDS_H

#include "dataplane/proto/bytes.h"

#define FIELDS_FIELD 4096 /* bytes of one, unfolded */

struct feedback_fields {
	size_t len;      /* of the field so far */
	size_t line_len; /* of the line so far, uncut */
	bool skip;       /* the line is no field and continues none */
	uint8_t field[FIELDS_FIELD];
};

struct feedback_fields_sink {
	void (*field)(void *ctx, struct bytes name, struct bytes value);
	void (*block_end)(void *ctx); /* an empty line, or several */
	void *ctx;
};

void feedback_fields_init(struct feedback_fields *f);
void feedback_fields_feed(struct feedback_fields *f, struct bytes data,
			  const struct feedback_fields_sink *sink);
/* The end of the part is the end of its last block. */
void feedback_fields_finish(struct feedback_fields *f, const struct feedback_fields_sink *sink);

#endif
