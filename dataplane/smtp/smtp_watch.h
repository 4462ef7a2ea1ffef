/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much mail, to whom, and what servers answer: the checks of it (policy.mailbomb and those
 * after it), over the memory of mail_watch.h. The sink calls them at its events; on the worker, for
 * the packet in w->at.
 */
#ifndef POSTERN_SMTP_WATCH_H
#define POSTERN_SMTP_WATCH_H

#include "dataplane/policy/lists.h"
#include "dataplane/policy/sketch_place.h"
#include "dataplane/smtp/smtp_sink.h"

/* A recipient in the forms in which it is asked for. */
struct smtp_recipient {
	struct list_form form;
	uint64_t hash, domain; /* keyed; 0: no address */
	uint8_t looks; /* smtp_watch.c: what is looked at; of that, where the memory has it */
	struct sketch_place mails, known, in_domain, known_domain;
};

/*
 * Recipients whose commands come next in the client's bytes in hand (RFC 2920), read while those
 * before them are decided on: nothing is decided or counted yet, but what their checks look at is
 * on its way. As long as the bytes stay where they are.
 */
#define SMTP_AHEAD 8 /* with the one in hand */

struct smtp_ahead {
	struct sketch_rows tenant; /* of all of them */
	bool has_tenant;
	uint8_t first, count; /* that which is in hand, and how many with it */
	const uint8_t *next;  /* behind the last line that was read */
	struct bytes address[SMTP_AHEAD];
	struct smtp_recipient to[SMTP_AHEAD];
};

/* Before anything of the client's is fed. */
static inline void smtp_ahead_init(struct smtp_ahead *ahead)
{
	ahead->has_tenant = false;
	ahead->first = ahead->count = 0;
}

/* The command's address, in `room` or among those read ahead; of mail that no tenant sends:
 * nobody's. Until the next one. */
const struct smtp_recipient *smtp_recipient_read(struct smtp_ctx *c, struct bytes address,
						 struct smtp_recipient *room);

/* Before anything is taken of limits, and after. True: it is refused. */
bool smtp_watch_refuses_first(struct smtp_ctx *c, const struct smtp_recipient *to,
			      const struct smtp_command *cmd);
bool smtp_watch_refuses_last(struct smtp_ctx *c, const struct smtp_recipient *to,
			     const struct smtp_command *cmd);
/* It goes on to the server. `mail` NULL: no memory was left for it. */
void smtp_watch_rcpt(struct smtp_ctx *c, struct mail *mail, const struct smtp_recipient *to);

/* VRFY and EXPN; true: it is refused. */
bool smtp_watch_verify(struct smtp_ctx *c, const struct smtp_command *cmd);

/* The server's answer to a RCPT. `hard`: nobody has that address. */
void smtp_watch_answer(struct smtp_ctx *c, const struct smtp_reply *reply, bool hard);
/* To anything: servers that relay nothing. */
void smtp_watch_reply(struct smtp_ctx *c, const struct smtp_reply *reply);

/* A transaction ended without a message: what it was for, then? */
void smtp_watch_abort(struct smtp_ctx *c, const struct mail *mail, const struct smtp_abort *abort);

/* A message has come to its end. True: it is refused. */
bool smtp_watch_refuses_message(struct smtp_ctx *c, const struct mail *mail, struct smtp_span end);

#endif
