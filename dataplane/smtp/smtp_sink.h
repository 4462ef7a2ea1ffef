/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate makes of an SMTP session: the parser's sink (proto/smtp.h), in files by what is
 * said: smtp_commands.c, smtp_replies.c, smtp_messages.c; all refuse through smtp_refuse.c.
 * For these files alone; the worker calls what is in inspect.h. On the worker, for the packet in
 * w->at.
 */
#ifndef POSTERN_SMTP_SINK_H
#define POSTERN_SMTP_SINK_H

#include "dataplane/proto/smtp.h"
#include "dataplane/smtp/mail.h"

#define HELO_MAX 64
#define SNI_MAX  64

struct smtp_session {
	struct smtp parser;
	struct match_txn txn; /* of the session: HELO, and replies to no mail in particular */
	struct finding finding;
	struct mail *mail;    /* the transaction that is open */
	struct mail *nested;  /* of a MAIL inside of it: the server is to say which one counts */
	struct mail *pending; /* messages whose replies are due, oldest first */
	uint8_t helo_len;
	bool counted, first_client_byte, tls;
	uint32_t mails; /* MAILs that went on to the server; parser.mails of them it answered */
	bool unsure;    /* something never came by: whose a reply is can't be sworn to */
	bool in_transaction; /* MAIL was sent, and not refused so far */
	uint32_t view;       /* worker.view: of the rules that txn is about */
	uint8_t sni_len;
	uint32_t server_begin; /* sequence number of the server's first byte */
	char helo[HELO_MAX];
	char sni[SNI_MAX];
};

/* The sink's ctx. */
struct smtp_ctx {
	struct worker *w;
	struct flow *f;
	struct smtp_session *s;
	struct bytes fed;         /* of the client's, what is read; empty: the server's */
	struct smtp_ahead *ahead; /* smtp_watch.c's, for the same time; NULL: none */
};

static inline void smtp_session_count(struct smtp_ctx *c)
{
	c->w->counters->smtp.sessions += !c->s->counted;
	c->s->counted = true;
}

/* The one that the commands in hand are about. */
static inline struct mail *smtp_mail_now(const struct smtp_session *s)
{
	return s->nested ? s->nested : s->mail;
}

/* The mail's rules while one is open, else the session's. */
static inline struct match_txn *smtp_txn_now(struct smtp_session *s)
{
	struct mail *mail = smtp_mail_now(s);

	return mail ? &mail->txn : &s->txn;
}

static inline void smtp_mail_drop(struct smtp_ctx *c, struct mail **mail)
{
	if (*mail)
		mail_free(c->w, c->f, *mail);
	*mail = NULL;
}

/* The first of them is gone: what was begun inside of it, and is still in flight, stands alone. */
static inline void smtp_mail_settle(struct smtp_ctx *c)
{
	if (!c->s->mail) {
		c->s->mail = c->s->nested;
		c->s->nested = NULL;
	}
}

/* The sequence number of a stream offset in the packet in hand. */
static inline uint32_t smtp_seq_of(const struct worker *w, uint64_t offset)
{
	return packet_meta(w->burst.pkt[w->at.slot])->seq + (uint32_t)(offset - w->at.offset);
}

/* Rules ------------------------------------------------------------------ */

/* A session begins, or new rules came: what it said before its first mail is shown to them. */
void smtp_session_begin(struct smtp_ctx *c);
/* A mail ends with the rules that it began with; whatever begins takes the newest. */
void smtp_rules_take(struct smtp_ctx *c);
/* Against the open mail's rules, else the session's; the finding is raised by what they hit. */
void smtp_scan(struct smtp_ctx *c, enum rule_buffer buffer, struct bytes data,
	       struct finding *finding);
/* For a command, which is refused alone: what an earlier one of its kind hit, this one hits again.
 */
void smtp_scan_command(struct smtp_ctx *c, enum rule_buffer buffer, struct bytes data,
		       struct finding *finding);

/* Refusals --------------------------------------------------------------- */

/*
 * Says it to the client and withholds the bytes; when the session is over with it, also what
 * the packet has behind them. True when it is carried out.
 */
bool smtp_refuse(struct smtp_ctx *c, const struct refusal *r, struct smtp_span at);
/* The same, if a rule found that it is to be; the finding is spent. */
bool smtp_refuse_by_rule(struct smtp_ctx *c, struct finding *finding, const char *object,
			 struct smtp_span at, bool ends_session);
/*
 * A check (bpf/check.h) found something of its reason in what the tenant sends: it is told,
 * counted, refused, or nothing, as the policy says. True: it is refused.
 */
bool smtp_check(struct smtp_ctx *c, enum reason reason, const char *object, struct bytes detail,
		struct smtp_span at, bool ends_session);
/* What the mail's header says of itself, at its end; its sender's domain; its EHLO's name. */
bool smtp_judge_headers(struct smtp_ctx *c, const struct mail *mail, struct smtp_span at);
bool smtp_check_sender(struct smtp_ctx *c, const struct smtp_command *cmd);
bool smtp_check_helo(struct smtp_ctx *c, const struct smtp_command *cmd);
/* The server's first word is replaced by the gate's refusal. */
bool smtp_refuse_greeting(struct smtp_ctx *c, struct smtp_span at);

/* The sink --------------------------------------------------------------- */

bool smtp_on_command(void *ctx, const struct smtp_command *cmd);

void smtp_on_reply(void *ctx, const struct smtp_reply *r);
void smtp_on_due(void *ctx, uint64_t at);

void smtp_on_message_begin(void *ctx, uint64_t at, bool ghost);
void smtp_on_body(void *ctx, struct bytes span, uint64_t at);
void smtp_on_body_gap(void *ctx, struct smtp_span at);
bool smtp_on_message_end(void *ctx, const struct smtp_end *end);
void smtp_on_message_result(void *ctx, const struct smtp_result *r);
void smtp_on_transaction_abort(void *ctx, const struct smtp_abort *abort);

#endif
