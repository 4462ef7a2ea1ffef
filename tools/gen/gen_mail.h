/* SPDX-License-Identifier: BSD-3-Clause */
/* SMTP sessions: from the banner to QUIT, one or several messages. */
#ifndef POSTERN_GEN_MAIL_H
#define POSTERN_GEN_MAIL_H

#include "tools/gen/gen_world.h"

/* Shares are in millionths of sessions, messages or recipients. */
struct gen_mail_options {
	uint64_t size;        /* mean bytes of a message */
	uint32_t recipients;  /* mean, of a message */
	uint32_t per_session; /* messages, at most; sessions end when there are no more */
	uint32_t tls;         /* of sessions: STARTTLS */
	uint32_t idle;        /* of sessions: silent after EHLO, and never closed */
	uint32_t pipelining;  /* of sessions */
	uint32_t bdat;        /* of sessions: CHUNKING instead of DATA */
	uint32_t attachments; /* of messages */
	uint32_t html;        /* of messages */
	uint32_t spam;        /* of messages */
	uint32_t refused;     /* of messages: 554 after their end */
	uint32_t bounced;     /* of recipients but the first: 550 */
	uint32_t opt_out;     /* of recipients: optoutN@example.org */
};

/* A session of `messages` messages that begins at this time, into an empty flow. */
void mail_session(struct gen_flow *flow, const struct gen_world *world,
		  const struct gen_mail_options *options, struct gen_random *random,
		  uint64_t start_ns, uint32_t messages);

#endif
