/* SPDX-License-Identifier: BSD-3-Clause */
/* An RFC 5322 message: headers, text, HTML beside it, an attachment. */
#ifndef POSTERN_GEN_MESSAGE_H
#define POSTERN_GEN_MESSAGE_H

#include "tools/gen/gen_flow.h"
#include "tools/gen/gen_random.h"

#include <stdbool.h>

enum { GEN_MAILBOX = 96 };

struct gen_message {
	char from[GEN_MAILBOX]; /* addresses, without brackets */
	const char (*to)[GEN_MAILBOX];
	uint32_t to_count;
	const char *domain; /* of the sender */
	uint64_t date_ns;
	size_t size; /* bytes that it should have, about */
	bool spam;
	bool html;
	bool attachment;
};

/* Lines end in CRLF; nothing is dot-stuffed. */
void message_build(struct gen_buffer *out, struct gen_random *random,
		   const struct gen_message *message);
/* As DATA carries it (RFC 5321 4.5.2), with the final CRLF.CRLF. */
void message_stuff(struct gen_buffer *out, const struct gen_buffer *message);

#endif
