/* SPDX-License-Identifier: BSD-3-Clause */
/* SMTP sessions: the parser is fed, its sink is smtp_sink.h. */
#include "dataplane/sip/heard.h"
#include "dataplane/smtp/smtp_sink.h"
#include "dataplane/smtp/smtp_watch.h"

#include <string.h>

#include "dataplane/proto/tls_hello.h"
#include "dataplane/tcp/editor.h"

size_t smtp_session_size(void)
{
	return sizeof(struct smtp_session);
}

static void on_starttls(void *ctx, uint64_t client_at, uint64_t server_at)
{
	struct smtp_ctx *c = ctx;

	c->w->counters->smtp.starttls++;
	worker_note(c->w, c->f->tenant, REASON_SMTP_ENCRYPTED);
	c->s->tls = true;
	flow_encrypted(c->w, c->f);
}

static void on_auth(void *ctx, struct bytes mechanism)
{
	struct smtp_ctx *c = ctx;
	struct refusal r = {.reason = REASON_AUTH_FAILURES, .object = "connection"};

	c->w->counters->smtp.auth++;
	if ((c->f->flags & FLOW_OUTBOUND) && heard_logins_failed(c->w, c->f->tenant) &&
	    heard_logins_told(c->w, c->f->tenant))
		check_tell(c->w, c->f->tenant, &r);
}

static void on_lost(void *ctx, enum smtp_lost why, enum smtp_direction direction, uint64_t at)
{
	static const enum reason reasons[] = {
		[SMTP_LOST_NOT_SMTP] = REASON_SMTP_LOST,
		[SMTP_LOST_LINE] = REASON_SMTP_LINE_TOO_LONG,
		[SMTP_LOST_BUDGET] = REASON_PARSER_BUDGET,
		[SMTP_LOST_DESYNC] = REASON_SMTP_LOST,
	};
	struct smtp_ctx *c = ctx;

	if (why == SMTP_LOST_NOT_SMTP)
		flow_give_up(c->w, c->f, REASON_SMTP_LOST);
	else
		worker_note(c->w, c->f->tenant, reasons[why]);
}

static const struct smtp_sink sink = {
	.command = smtp_on_command,
	.reply = smtp_on_reply,
	.due = smtp_on_due,
	.message_begin = smtp_on_message_begin,
	.body = smtp_on_body,
	.body_gap = smtp_on_body_gap,
	.message_end = smtp_on_message_end,
	.message_result = smtp_on_message_result,
	.transaction_abort = smtp_on_transaction_abort,
	.starttls = on_starttls,
	.auth = on_auth,
	.lost = on_lost,
};

static struct smtp_session *session_open(struct worker *w, struct flow *f)
{
	const struct tcp_half *server = &f->half[!f->client];
	struct smtp_session *s = f->session;

	if (s)
		return s;
	s = pool_get(block_pool_for(&w->sessions, f->tenant));
	if (!s) {
		flow_give_up(w, f, REASON_PARSER_BUDGET);
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	smtp_init(&s->parser, (f->flags & FLOW_MIDSTREAM ? SMTP_MIDSTREAM : 0u) |
				      (w->options.keep_ghosts ? SMTP_KEEP_GHOSTS : SMTP_TWO_WAY) |
				      (w->options.edits ? SMTP_ANSWER_WITHHELD : 0u));
	s->unsure = f->flags & FLOW_MIDSTREAM;
	s->server_begin = server->flags & HALF_SYN ? server->isn + 1 : server->next;
	f->session = s;
	smtp_session_begin(&(struct smtp_ctx){.w = w, .f = f, .s = s});
	return s;
}

static struct smtp_env env_of(struct worker *w, struct flow *f, struct smtp_ctx *c)
{
	*c = (struct smtp_ctx){.w = w, .f = f, .s = f->session};
	return (struct smtp_env){block_pool_for(&w->lines, f->tenant), &sink, c};
}

/* The last thing that can be read of a session that goes on encrypted. */
static void take_server_name(struct smtp_session *s, const uint8_t *p, size_t len)
{
	struct bytes name = tls_server_name(bytes_of(p, len));

	s->sni_len = (uint8_t)RTE_MIN(name.len, sizeof(s->sni));
	if (s->sni_len)
		memcpy(s->sni, name.p, s->sni_len);
}

struct bytes smtp_inspect_server_name(const struct flow *f)
{
	const struct smtp_session *s = f->session;

	return s ? bytes_of(s->sni, s->sni_len) : bytes_of(NULL, 0);
}

size_t smtp_inspect(struct worker *w, struct flow *f, bool to_server, const uint8_t *p, size_t len)
{
	struct smtp_session *s = session_open(w, f);
	struct smtp_ahead ahead;
	struct smtp_ctx c;
	struct smtp_env env;
	size_t took;

	if (!s)
		return len;
	if (to_server && !s->first_client_byte) {
		s->first_client_byte = true;
		/* RFC 8314 3.3, or a client that won't wait: TLS from the first byte. */
		if (!s->counted && tls_is_hello(bytes_of(p, len))) {
			take_server_name(s, p, len);
			w->counters->smtp.implicit_tls++;
			flow_encrypted(w, f);
			flow_give_up(w, f, REASON_SMTP_ENCRYPTED);
			return len;
		}
	}
	env = env_of(w, f, &c);
	w->at.offset = (to_server ? s->parser.client_at : s->parser.server_at) - w->at.fed;
	if (!to_server && !w->at.ending)
		s->server_begin = smtp_seq_of(w, 0);
	/* Nothing of the greeting has left yet. */
	if ((f->flags & FLOW_REFUSE_GREETING) && w->options.edits && !to_server && may_decide(w) &&
	    smtp_refuse_greeting(&c, (struct smtp_span){w->at.offset, w->at.offset}))
		return len;
	if (to_server) {
		smtp_ahead_init(&ahead);
		c.fed = bytes_of(p, len);
		c.ahead = &ahead;
	}
	took = smtp_feed(&s->parser, to_server ? SMTP_FROM_CLIENT : SMTP_FROM_SERVER, p, len, &env);
	w->matcher = w->newest;
	if (w->options.edits && to_server && !w->at.ending && !(f->flags & FLOW_REFUSED))
		editor_hold(w, f, smtp_seq_of(w, smtp_undecided(&s->parser)),
			    smtp_seq_of(w, s->parser.client_at));
	if (smtp_is_tls(&s->parser)) {
		f->flags |= FLOW_UNINSPECTED;
		if (to_server)
			take_server_name(s, p, len);
	}
	return took;
}

void smtp_inspect_gap(struct worker *w, struct flow *f, bool to_server, uint32_t bytes)
{
	struct smtp_session *s = session_open(w, f);
	struct smtp_ctx c;
	struct smtp_env env;

	if (!s)
		return;
	s->unsure = true;
	env = env_of(w, f, &c);
	smtp_gap(&s->parser, to_server ? SMTP_FROM_CLIENT : SMTP_FROM_SERVER, bytes, &env);
	w->matcher = w->newest;
}

void smtp_inspect_client_is_later(struct flow *f)
{
	struct smtp_session *s = f->session;

	if (s)
		smtp_client_is_later(&s->parser);
}

bool smtp_inspect_waiting(const struct flow *f)
{
	const struct smtp_session *s = f->session;

	return s && smtp_waiting(&s->parser);
}

void smtp_inspect_release(struct worker *w, struct flow *f)
{
	struct smtp_ctx c;
	struct smtp_env env = env_of(w, f, &c);

	smtp_release(&c.s->parser, &env);
	w->matcher = w->newest;
}

void smtp_inspect_end(struct worker *w, struct flow *f)
{
	struct smtp_session *s = f->session;
	struct smtp_ctx c;
	struct smtp_env env;

	if (!s)
		return;
	env = env_of(w, f, &c);
	smtp_fini(&s->parser, &env);
	smtp_mail_drop(&c, &s->mail);
	smtp_mail_drop(&c, &s->nested);
	while (s->pending) {
		struct mail *mail = s->pending;

		s->pending = mail->next;
		mail_free(w, f, mail);
	}
	w->matcher = w->newest;
}
