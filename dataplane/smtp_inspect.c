/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gate makes of an SMTP session: counts, rules, limits, lists, refusals. */
#include "dataplane/proto/smtp.h"

#include <stdio.h>

#include "dataplane/bounce.h"
#include "dataplane/editor.h"
#include "dataplane/lists.h"
#include "dataplane/mail.h"
#include "dataplane/proto/tls_hello.h"

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
	bool in_transaction; /* MAIL was sent, and not refused so far */
	uint32_t view;       /* worker.view: of the rules that txn is about */
	uint8_t sni_len;
	uint32_t server_begin; /* sequence number of the server's first byte */
	char helo[HELO_MAX];
	char sni[SNI_MAX];
};

size_t smtp_session_size(void)
{
	return sizeof(struct smtp_session);
}

/* The parser's ctx. */
struct smtp_ctx {
	struct worker *w;
	struct flow *f;
	struct smtp_session *s;
};

static void session_count(struct smtp_ctx *c)
{
	c->w->counters->smtp.sessions += !c->s->counted;
	c->s->counted = true;
}

/* The one that the commands in hand are about. */
static struct mail *mail_now(const struct smtp_session *s)
{
	return s->nested ? s->nested : s->mail;
}

/* The mail's rules while one is open, else the session's. */
static struct match_txn *txn_now(struct smtp_session *s)
{
	struct mail *mail = mail_now(s);

	return mail ? &mail->txn : &s->txn;
}

/* What the session said before its first mail, to new rules. What they hit was said long ago. */
static void session_begin(struct smtp_ctx *c)
{
	struct smtp_session *s = c->s;
	struct match_flow flow;

	s->view = c->w->view;
	if (!c->w->matcher)
		return;
	flow = match_flow_of(c->w, c->f, true);
	match_begin(c->w->matcher, &s->txn, &flow, NULL);
	if (s->helo_len)
		match_block(c->w->matcher, &s->txn, RULE_BUFFER_SMTP_HELO, s->helo, s->helo_len);
	c->w->matcher->nhits = 0;
}

/* A mail ends with the rules that it began with; whatever begins takes the newest. */
static void rules_take(struct smtp_ctx *c)
{
	const struct mail *mail = mail_now(c->s);

	c->w->matcher = mail ? mail->matcher : c->w->newest;
	if (!mail && c->s->view != c->w->view)
		session_begin(c);
}

static void scan(struct smtp_ctx *c, enum rule_buffer buffer, struct bytes data,
		 struct finding *finding)
{
	if (!c->w->matcher)
		return;
	match_block(c->w->matcher, txn_now(c->s), buffer, data.p, data.len);
	if (c->w->matcher->nhits)
		findings_take(c->w, finding, data);
}

/* A command is refused alone: what an earlier one of its kind hit, this one hits again. */
static void scan_command(struct smtp_ctx *c, enum rule_buffer buffer, struct bytes data,
			 struct finding *finding)
{
	match_renew(txn_now(c->s));
	scan(c, buffer, data, finding);
}

/* Refusals ---------------------------------------------------------------- */

/* What the gate took for the session's last word is. */
static void session_over(struct smtp_ctx *c, enum reason reason)
{
	c->f->flags |= FLOW_REFUSED;
	c->f->reason = (uint8_t)reason;
	c->w->at.ghost = true;
}

static uint32_t seq_of(const struct worker *w, uint64_t offset)
{
	return packet_meta(w->burst.pkt[w->at.slot])->seq + (uint32_t)(offset - w->at.offset);
}

/* The peers hear of it, and go on. False: there is no room for that. */
static bool refuse_live(struct smtp_ctx *c, const struct refusal *r, struct smtp_span at,
			const char *reply, bool over)
{
	struct editor_refusal refusal = {
		.begin = seq_of(c->w, at.begin),
		.end = seq_of(c->w, at.end),
		.text = r->verdict == VERDICT_REJECT ? reply : NULL,
		.text_len = r->verdict == VERDICT_REJECT ? strlen(reply) : 0,
		.line = true,
		.over = over,
		.reason = r->reason,
	};
	enum editor_result result = editor_refuse(c->w, c->f, &refusal);

	if (result == EDITOR_NONE)
		return false;
	slot_decide(c->w, c->w->at.slot, r->verdict, r->reason);
	if (result == EDITOR_OVER)
		session_over(c, r->reason);
	return true;
}

/*
 * Says it to the client and withholds the bytes; when the session is over with it, also what
 * the packet has behind them. True when it is carried out.
 */
static bool refuse(struct smtp_ctx *c, const struct refusal *r, struct smtp_span at)
{
	char text[256];
	const char *reply = refusal_smtp_text(c->w, r, text);
	/* RFC 5321 3.8: who says 421 closes. */
	bool closes = r->verdict == VERDICT_REJECT && strncmp(reply, "421", 3) == 0;
	bool over = closes || r->ends_session;

	if (!refusal_declare(c->w, r, reply))
		return false;
	if (c->w->options.edits && refuse_live(c, r, at, reply, over))
		return true;
	/* Peers that do not hear the gate, or could not be kept in step after it. */
	over |= c->w->options.edits;
	cut_stream(c->w, at.begin, over ? UINT64_MAX : at.end, r->verdict, r->reason);
	if (r->verdict == VERDICT_REJECT)
		reply_smtp(c->w, c->f, reply);
	if (over)
		session_over(c, r->reason);
	return true;
}

static bool refuse_by_rule(struct smtp_ctx *c, struct finding *finding, const char *object,
			   struct smtp_span at, bool ends_session)
{
	struct refusal r = {
		.verdict = finding->verdict,
		.reason = REASON_RULE,
		.rule = finding->rule,
		.object = object,
		.ends_session = ends_session,
	};

	if (finding->verdict < VERDICT_DROP)
		return false;
	finding->verdict = VERDICT_PASS;
	return refuse(c, &r, at);
}

static bool refuse_by_limit(struct smtp_ctx *c, enum tenant_limit limit, enum reason reason,
			    const char *object, const struct smtp_command *cmd)
{
	if (!limit_exceeded(c->w, c->f, limit))
		return false;
	return refuse(c,
		      &(struct refusal){.verdict = VERDICT_REJECT,
					.reason = reason,
					.object = object,
					.detail = cmd->address},
		      cmd->at);
}

static bool refuse_for(struct smtp_ctx *c, enum reason reason, const char *object,
		       const struct smtp_command *cmd)
{
	return refuse(c,
		      &(struct refusal){.verdict = VERDICT_REJECT,
					.reason = reason,
					.object = object,
					.detail = cmd->address},
		      cmd->at);
}

/* Commands ---------------------------------------------------------------- */

static void tell_address(struct smtp_ctx *c, enum field_key key, const struct smtp_command *cmd)
{
	struct event_builder e;

	/* RCPT outside of a transaction names nobody. */
	if (!c->w->options.addresses || !cmd->has_address || !c->s->in_transaction)
		return;
	e = event_start(c->w, EVENT_ADDRESS);
	event_put_bytes(&e, key, cmd->address);
	event_send(c->w, &e);
}

static void mail_drop(struct smtp_ctx *c, struct mail **mail)
{
	if (*mail)
		mail_free(c->w, c->f, *mail);
	*mail = NULL;
}

/* A refused MAIL, of which the server never hears, opens nothing. In a capture it may have. */
static bool mail_unmake(struct smtp_ctx *c)
{
	if (!c->w->options.edits)
		return true;
	if (c->s->nested)
		mail_drop(c, &c->s->nested);
	else
		mail_drop(c, &c->s->mail);
	c->s->in_transaction = c->s->mail != NULL;
	return true;
}

static bool on_mail_from(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	const struct policy *policy = c->w->policy;
	uint32_t tenant = c->f->tenant;
	struct finding finding = {0};
	struct mail *mail;

	c->s->in_transaction = true;
	tell_address(c, FIELD_KEY_ADDRESS_MAIL_FROM, cmd);
	mail = mail_new(c->w, c->f, cmd->address, &c->s->txn);
	if (!mail)
		worker_note(c->w, tenant, REASON_PARSER_BUDGET);
	mail_drop(c, &c->s->nested);
	if (c->s->mail)
		c->s->nested = mail;
	else
		c->s->mail = mail;
	scan_command(c, RULE_BUFFER_SMTP_MAIL_FROM, cmd->address, &finding);
	if (refuse_by_rule(c, &finding, "sender", cmd->at, false))
		return true;
	if (!(c->f->flags & FLOW_OUTBOUND))
		return false;
	if (policy->slots[tenant].state == TENANT_SUSPENDED)
		return refuse_for(c, REASON_TENANT_SUSPENDED, "message", cmd);
	if (!list_may_send_from(policy, tenant, cmd->address))
		return refuse_for(c, REASON_DOMAIN_CONSENT, "sender", cmd);
	return refuse_by_limit(c, LIMIT_MESSAGES, REASON_LIMIT_MESSAGES, "message", cmd);
}

/* True: the recipient is refused, alone. */
static bool judge_rcpt(struct smtp_ctx *c, const struct mail *mail, const struct smtp_command *cmd)
{
	const struct policy *policy = c->w->policy;
	uint32_t tenant = c->f->tenant;
	uint32_t most = policy->slots[tenant].recipients_per_message;
	struct finding finding = {0};

	scan_command(c, RULE_BUFFER_SMTP_RCPT_TO, cmd->address, &finding);
	if (refuse_by_rule(c, &finding, "recipient", cmd->at, false))
		return true;
	if (!(c->f->flags & FLOW_OUTBOUND))
		return false;
	if (list_opted_out(policy, tenant, cmd->address))
		return refuse_for(c, REASON_OPT_OUT, "recipient", cmd);
	if (most && mail && mail->rcpts - mail->rcpts_refused > most)
		return refuse_for(c, REASON_LIMIT_RECIPIENTS_MESSAGE, "recipient", cmd);
	return refuse_by_limit(c, LIMIT_RECIPIENTS, REASON_LIMIT_RECIPIENTS, "recipient", cmd);
}

static bool on_rcpt_to(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	struct mail *mail = mail_now(c->s);
	bool refused;

	c->w->counters->smtp.rcpt_attempted++;
	c->w->tenants[c->f->tenant].recipients++;
	tell_address(c, FIELD_KEY_ADDRESS_RCPT_TO, cmd);
	if (mail)
		mail_rcpt(mail, cmd->address);
	refused = judge_rcpt(c, mail, cmd);
	if (mail)
		mail->rcpts_refused += refused;
	return refused;
}

static bool on_helo(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	struct smtp_session *s = c->s;

	/* Without a domain it is refused and changes nothing (RFC 5321 4.1.1.1, 4.1.4). */
	if (!cmd->argument.len)
		return false;
	s->helo_len = (uint8_t)RTE_MIN(cmd->argument.len, (size_t)HELO_MAX);
	memcpy(s->helo, cmd->argument.p, s->helo_len);
	if (c->w->matcher) {
		match_renew(&s->txn);
		match_block(c->w->matcher, &s->txn, RULE_BUFFER_SMTP_HELO, cmd->argument.p,
			    cmd->argument.len);
		findings_take(c->w, &s->finding, cmd->argument);
	}
	return refuse_by_rule(c, &s->finding, "connection", cmd->at, false);
}

static bool on_command(void *ctx, const struct smtp_command *cmd)
{
	struct smtp_ctx *c = ctx;

	session_count(c);
	rules_take(c);
	count_name(c->w->counters->smtp.commands, cmd->name);
	if (!may_decide(c->w))
		return c->w->at.ghost;
	switch (cmd->verb) {
	case SMTP_HELO:
	case SMTP_EHLO:
		return on_helo(c, cmd);
	case SMTP_MAIL:
		return on_mail_from(c, cmd) && mail_unmake(c);
	case SMTP_RCPT:
		return on_rcpt_to(c, cmd);
	default:
		return false;
	}
}

/* Replies ----------------------------------------------------------------- */

static void on_rcpt_reply(struct smtp_ctx *c, const struct smtp_reply *r)
{
	if (r->withheld)
		return;
	if (r->code / 10 == 25)
		c->w->counters->smtp.rcpt_accepted++;
	else if (bounce_is_hard(r->code, r->enhanced.class, r->enhanced.subject, r->enhanced.detail,
				r->text))
		c->w->counters->smtp.rcpt_hard_bounced++;
}

static void scan_reply(struct smtp_ctx *c, const struct smtp_reply *r)
{
	struct finding finding = {0};
	char code[8];

	if (!c->w->matcher)
		return;
	snprintf(code, sizeof(code), "%u", r->code);
	scan(c, RULE_BUFFER_SMTP_REPLY_CODE, bytes_of(code, 3), &finding);
	scan(c, RULE_BUFFER_SMTP_REPLY_TEXT, r->text, &finding);
	/* What is said in the reply's place is the last word. */
	if (may_decide(c->w))
		refuse_by_rule(c, &finding, "connection", r->at, true);
}

/* The server refused MAIL: what it would have opened is nothing, with whatever followed it. */
static void mail_refused(struct smtp_ctx *c)
{
	struct event_builder e;

	if (c->s->in_transaction && c->w->options.addresses) {
		e = event_start(c->w, EVENT_ADDRESS);
		event_put_bool(&e, FIELD_KEY_ADDRESS_VOID, true);
		event_send(c->w, &e);
	}
	if (c->s->nested) {
		mail_drop(c, &c->s->nested);
		return;
	}
	mail_drop(c, &c->s->mail);
	c->s->in_transaction = false;
}

static void mail_taken(struct smtp_ctx *c)
{
	if (!c->s->nested)
		return;
	mail_drop(c, &c->s->mail);
	c->s->mail = c->s->nested;
	c->s->nested = NULL;
}

/* The server's first word is replaced by the gate's refusal. */
static bool refuse_greeting(struct smtp_ctx *c, struct smtp_span at)
{
	struct refusal refusal = {
		.verdict = VERDICT_REJECT,
		.reason = c->f->reason,
		.object = "connection",
		.ends_session = true,
	};

	c->f->flags &= (uint16_t)~FLOW_REFUSE_GREETING;
	return refuse(c, &refusal, at);
}

static void on_reply(void *ctx, const struct smtp_reply *r)
{
	struct smtp_ctx *c = ctx;

	session_count(c);
	rules_take(c);
	c->w->counters->smtp.replies[r->code]++;
	if (r->verb == SMTP_RCPT)
		on_rcpt_reply(c, r);
	if (r->verb == SMTP_MAIL && r->code >= 400)
		mail_refused(c);
	else if (r->verb == SMTP_MAIL)
		mail_taken(c);
	scan_reply(c, r);
	if ((c->f->flags & FLOW_REFUSE_GREETING) && may_decide(c->w))
		refuse_greeting(c, r->at);
}

static void on_due(void *ctx, uint64_t at)
{
	struct smtp_ctx *c = ctx;

	if (!c->w->at.ending)
		editor_due(c->w, c->f, c->s->server_begin + (uint32_t)at);
}

/* Messages ---------------------------------------------------------------- */

static void on_message_begin(void *ctx, uint64_t at, bool ghost)
{
	struct smtp_ctx *c = ctx;

	rules_take(c);
	c->w->counters->smtp.messages_attempted++;
	c->w->tenants[c->f->tenant].messages++;
	/* Midstream: data without an envelope. */
	if (!c->s->mail)
		c->s->mail = mail_new(c->w, c->f, bytes_of("", 0), &c->s->txn);
}

static void on_body(void *ctx, struct bytes span, uint64_t at)
{
	struct smtp_ctx *c = ctx;

	rules_take(c);
	if (c->s->mail)
		mail_body(c->w, c->s->mail, span);
}

static void on_body_gap(void *ctx, struct smtp_span at)
{
	struct smtp_ctx *c = ctx;

	worker_note(c->w, c->f->tenant, REASON_TCP_GAP);
	if (c->s->mail)
		mail_gap(c->s->mail);
}

/* What is to become of the message whose end has come. */
static bool judge(struct smtp_ctx *c, struct mail *mail, const struct smtp_end *end)
{
	struct refusal r = {.verdict = VERDICT_REJECT, .object = "message", .ends_session = true};

	if (mail && refuse_by_rule(c, &mail->finding, "message", end->at, true))
		return true;
	if (mail && mail->header_from_foreign)
		r.reason = REASON_DOMAIN_CONSENT;
	else if (end->kind == SMTP_END_BARE_LF &&
		 c->w->policy->on_loss[REASON_SMTP_BARE_LF_END] >= VERDICT_DROP)
		r.reason = REASON_SMTP_BARE_LF_END;
	else
		return false;
	if (r.reason == REASON_SMTP_BARE_LF_END)
		r.verdict = c->w->policy->on_loss[REASON_SMTP_BARE_LF_END];
	return refuse(c, &r, end->at);
}

/* The transaction is over but for its reply. */
static void mail_await_reply(struct smtp_ctx *c)
{
	struct mail **last = &c->s->pending;

	while (*last)
		last = &(*last)->next;
	*last = c->s->mail;
	c->s->mail = NULL;
	c->s->in_transaction = false;
}

static void smtp_event(struct smtp_ctx *c, const struct mail *mail, const char *result,
		       uint16_t code, uint32_t accepted)
{
	struct event_builder e = event_start(c->w, EVENT_SMTP);
	char digits[8];

	if (!e.head)
		return;
	event_put_str(&e, FIELD_KEY_SMTP_HELO, c->s->helo, c->s->helo_len);
	if (mail) {
		event_put_str(&e, FIELD_KEY_SMTP_MAIL_FROM, mail->from, mail->from_len);
		for (size_t i = 0; i < mail->rcpt_len; i += strlen(mail->rcpt + i) + 1)
			event_put_text(&e, FIELD_KEY_SMTP_RCPT_TO, mail->rcpt + i);
		event_put_uint(&e, FIELD_KEY_SMTP_RCPT_COUNT, mail->rcpts);
		event_put_uint(&e, FIELD_KEY_SMTP_BYTES, mail->size);
	}
	event_put_uint(&e, FIELD_KEY_SMTP_RCPT_ACCEPTED, accepted);
	if (code) {
		snprintf(digits, sizeof(digits), "%u", code);
		event_put_text(&e, FIELD_KEY_SMTP_REPLY_CODE, digits);
	}
	event_put_text(&e, FIELD_KEY_SMTP_RESULT, result);
	event_put_bool(&e, FIELD_KEY_SMTP_TLS, c->s->tls);
	event_send(c->w, &e);
}

/* Is an end with a bare LF one here? Else the message goes on: nothing is withheld for it. */
static bool is_end(struct smtp_ctx *c, const struct smtp_end *end)
{
	enum verdict verdict = c->w->policy->on_loss[REASON_SMTP_BARE_LF_END];

	if (verdict < VERDICT_DROP) {
		slot_decide(c->w, c->w->at.slot, verdict, REASON_SMTP_BARE_LF_END);
		return false;
	}
	if (!c->w->policy->shadow)
		return true;
	refuse(c,
	       &(struct refusal){
		       .verdict = verdict, .reason = REASON_SMTP_BARE_LF_END, .object = "message"},
	       end->at);
	return false;
}

static bool on_message_end(void *ctx, const struct smtp_end *end)
{
	struct smtp_ctx *c = ctx;
	struct mail *mail = c->s->mail;
	bool withheld;

	rules_take(c);
	if (end->kind == SMTP_END_BARE_LF && may_decide(c->w) && !is_end(c, end))
		return false;
	if (mail)
		mail_end(c->w, mail);
	withheld = may_decide(c->w) && end->kind != SMTP_END_UNSEEN && judge(c, mail, end);
	if (withheld || end->ghost) {
		c->w->counters->smtp.messages_refused_by_gate++;
		smtp_event(c, mail, "refused_by_gate", 0, 0);
	}
	if (withheld) {
		/* A receiver that never sees the end never delivers. */
		mail_drop(c, &c->s->mail);
		return true;
	}
	if (mail)
		mail->refused = end->ghost;
	mail_await_reply(c);
	return false;
}

static void on_message_result(void *ctx, const struct smtp_result *r)
{
	static const char *const names[] = {
		[SMTP_ACCEPTED] = "accepted",
		[SMTP_REFUSED] = "refused_by_peer",
		[SMTP_OUTCOME_UNKNOWN] = "unknown",
	};
	struct smtp_ctx *c = ctx;
	struct counters *n = c->w->counters;
	struct mail *mail = c->s->pending;

	if (mail)
		c->s->pending = mail->next;
	else
		mail = c->s->mail; /* refused before its end */
	c->w->matcher = mail ? mail->matcher : c->w->newest;
	if (!r->ghost) {
		n->smtp.messages_accepted += r->outcome == SMTP_ACCEPTED;
		n->smtp.messages_refused_by_peer += r->outcome == SMTP_REFUSED;
		if (r->outcome == SMTP_ACCEPTED) {
			n->smtp.rcpt_delivered += r->accepted;
			c->w->tenants[c->f->tenant].messages_accepted++;
		}
		smtp_event(c, mail, names[r->outcome], r->code, r->accepted);
	}
	if (mail && mail == c->s->mail)
		c->s->mail = NULL;
	if (mail)
		mail_free(c->w, c->f, mail);
}

static void on_transaction_abort(void *ctx, const struct smtp_abort *abort)
{
	struct smtp_ctx *c = ctx;

	rules_take(c);
	smtp_event(c, c->s->mail, "aborted", 0, abort->accepted);
	mail_drop(c, &c->s->mail);
	mail_drop(c, &c->s->nested);
	c->s->in_transaction = false;
}

/* The rest ---------------------------------------------------------------- */

static void on_starttls(void *ctx, uint64_t client_at, uint64_t server_at)
{
	struct smtp_ctx *c = ctx;

	c->w->counters->smtp.starttls++;
	worker_note(c->w, c->f->tenant, REASON_SMTP_ENCRYPTED);
	c->s->tls = true;
	c->f->flags |= FLOW_ENCRYPTED;
}

static void on_auth(void *ctx, struct bytes mechanism)
{
	struct smtp_ctx *c = ctx;

	c->w->counters->smtp.auth++;
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
	.command = on_command,
	.reply = on_reply,
	.due = on_due,
	.message_begin = on_message_begin,
	.body = on_body,
	.body_gap = on_body_gap,
	.message_end = on_message_end,
	.message_result = on_message_result,
	.transaction_abort = on_transaction_abort,
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
	s->server_begin = server->flags & HALF_SYN ? server->isn + 1 : server->next;
	f->session = s;
	session_begin(&(struct smtp_ctx){w, f, s});
	return s;
}

static struct smtp_env env_of(struct worker *w, struct flow *f, struct smtp_ctx *c)
{
	*c = (struct smtp_ctx){w, f, f->session};
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
			f->flags |= FLOW_ENCRYPTED;
			flow_give_up(w, f, REASON_SMTP_ENCRYPTED);
			return len;
		}
	}
	env = env_of(w, f, &c);
	w->at.offset = (to_server ? s->parser.client_at : s->parser.server_at) - w->at.fed;
	if (!to_server && !w->at.ending)
		s->server_begin = seq_of(w, 0);
	/* Nothing of the greeting has left yet. */
	if ((f->flags & FLOW_REFUSE_GREETING) && w->options.edits && !to_server && may_decide(w) &&
	    refuse_greeting(&c, (struct smtp_span){w->at.offset, w->at.offset}))
		return len;
	took = smtp_feed(&s->parser, to_server ? SMTP_FROM_CLIENT : SMTP_FROM_SERVER, p, len, &env);
	w->matcher = w->newest;
	if (w->options.edits && to_server && !w->at.ending && !(f->flags & FLOW_REFUSED))
		editor_hold(w, f, seq_of(w, smtp_undecided(&s->parser)),
			    seq_of(w, s->parser.client_at));
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
	mail_drop(&c, &s->mail);
	mail_drop(&c, &s->nested);
	while (s->pending) {
		struct mail *mail = s->pending;

		s->pending = mail->next;
		mail_free(w, f, mail);
	}
	w->matcher = w->newest;
}
