/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much mail, to whom, and what servers answer: the checks of it (policy.mailbomb and those
 * after it), over the memory of mail_watch.h. The sink calls them at its events; on the worker, for
 * the packet in w->at.
 */
#ifndef POSTERN_SMTP_WATCH_H
#define POSTERN_SMTP_WATCH_H

#include "dataplane/lists.h"
#include "dataplane/smtp_sink.h"

/* A recipient in the forms in which it is asked for. */
struct smtp_recipient {
	struct list_form form;
	uint64_t hash, domain; /* keyed; 0: no address */
};

/* The command's address; of mail that no tenant sends: nobody's. */
void smtp_recipient_read(struct smtp_ctx *c, struct bytes address, struct smtp_recipient *to);

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
