/* SPDX-License-Identifier: BSD-3-Clause */
/* What the client says: whose mail, to whom; each command is refused alone. */
#include "dataplane/smtp/smtp_sink.h"

#include <string.h>

#include "dataplane/policy/limit.h"
#include "dataplane/policy/lists.h"
#include "dataplane/smtp/smtp_watch.h"

static bool refuse_for(struct smtp_ctx *c, enum reason reason, const char *object,
		       const struct smtp_command *cmd)
{
	return smtp_refuse(c,
			   &(struct refusal){.verdict = VERDICT_REJECT,
					     .reason = reason,
					     .object = object,
					     .detail = cmd->address},
			   cmd->at);
}

static bool refuse_by_limit(struct smtp_ctx *c, enum tenant_limit limit, const char *object,
			    const struct smtp_command *cmd)
{
	return limit_exceeded(c->w, c->f, limit) && refuse_for(c, limit_reason(limit), object, cmd);
}

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

/* A refused MAIL, of which the server never hears, opens nothing. In a capture it may have. */
static bool mail_unmake(struct smtp_ctx *c)
{
	if (!c->w->options.edits)
		return true;
	if (c->s->nested)
		smtp_mail_drop(c, &c->s->nested);
	else
		smtp_mail_drop(c, &c->s->mail);
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
	smtp_mail_drop(c, &c->s->nested);
	if (c->s->mail)
		c->s->nested = mail;
	else
		c->s->mail = mail;
	smtp_scan_command(c, RULE_BUFFER_SMTP_MAIL_FROM, cmd->address, &finding);
	if (smtp_refuse_by_rule(c, &finding, "sender", cmd->at, false))
		return true;
	if (!(c->f->flags & FLOW_OUTBOUND))
		return false;
	if (policy->slots[tenant].state == TENANT_SUSPENDED)
		return refuse_for(c, suspended_reason(&policy->slots[tenant]), "message", cmd);
	if ((policy->slots[tenant].flags & TENANT_RESTRICTED) &&
	    smtp_check(c, REASON_RESTRICTED_INDUSTRY, "message", cmd->address, cmd->at, false))
		return true;
	if (smtp_check_sender(c, cmd))
		return true;
	return refuse_by_limit(c, LIMIT_MESSAGES, "message", cmd);
}

/* By default the mail goes on: a trap that is refused is one that is known. */
static bool refuse_trap(struct smtp_ctx *c, const struct smtp_recipient *to,
			const struct smtp_command *cmd)
{
	static const enum reason reasons[] = {
		[LIST_TRAP_PRISTINE] = REASON_SPAM_TRAP,
		[LIST_TRAP_OLD] = REASON_SPAM_TRAP_RECYCLED,
	};
	enum list_trap trap = list_trap(c->w->policy, &to->form);

	return trap != LIST_TRAP_NONE &&
	       smtp_check(c, reasons[trap], "recipient", cmd->address, cmd->at, false);
}

/* True: the recipient is refused, alone. */
static bool judge_rcpt(struct smtp_ctx *c, const struct mail *mail, const struct smtp_recipient *to,
		       const struct smtp_command *cmd)
{
	const struct policy *policy = c->w->policy;
	uint32_t tenant = c->f->tenant;
	uint32_t most = policy->slots[tenant].recipients_per_message;
	bool is_outbound = c->f->flags & FLOW_OUTBOUND;
	struct list_question opted_out = {0};
	struct finding finding = {0};

	/* The lists are on their way from memory while rules run. */
	if (is_outbound && check_is_on(c->w, REASON_OPT_OUT))
		opted_out = list_ask_opted_out(policy, tenant, &to->form);
	smtp_scan_command(c, RULE_BUFFER_SMTP_RCPT_TO, cmd->address, &finding);
	if (smtp_refuse_by_rule(c, &finding, "recipient", cmd->at, false))
		return true;
	if (!is_outbound)
		return false;
	if (refuse_trap(c, to, cmd))
		return true;
	if (list_answer(policy, &opted_out) &&
	    smtp_check(c, REASON_OPT_OUT, "recipient", cmd->address, cmd->at, false))
		return true;
	if (most && mail && mail->rcpts - mail->rcpts_refused > most)
		return refuse_for(c, REASON_LIMIT_RECIPIENTS_MESSAGE, "recipient", cmd);
	return smtp_watch_refuses_first(c, to, cmd) ||
	       refuse_by_limit(c, LIMIT_RECIPIENTS, "recipient", cmd) ||
	       smtp_watch_refuses_last(c, to, cmd);
}

static bool on_rcpt_to(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	struct mail *mail = smtp_mail_now(c->s);
	const struct smtp_recipient *to;
	struct smtp_recipient room;
	bool refused;

	c->w->counters->smtp.rcpt_attempted++;
	c->w->tenants[c->f->tenant].recipients++;
	tell_address(c, FIELD_KEY_ADDRESS_RCPT_TO, cmd);
	if (mail)
		mail_rcpt(mail, cmd->address);
	to = smtp_recipient_read(c, cmd->address, &room);
	refused = judge_rcpt(c, mail, to, cmd);
	if (!refused && (c->f->flags & FLOW_OUTBOUND))
		smtp_watch_rcpt(c, mail, to);
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
	return smtp_refuse_by_rule(c, &s->finding, "connection", cmd->at, false) ||
	       smtp_check_helo(c, cmd);
}

bool smtp_on_command(void *ctx, const struct smtp_command *cmd)
{
	struct smtp_ctx *c = ctx;

	smtp_session_count(c);
	smtp_rules_take(c);
	count_name(c->w->counters->smtp.commands, cmd->name);
	if (!may_decide(c->w))
		return c->w->at.ghost;
	switch (cmd->verb) {
	case SMTP_HELO:
	case SMTP_EHLO:
		return on_helo(c, cmd);
	case SMTP_MAIL:
		if (on_mail_from(c, cmd))
			return mail_unmake(c);
		c->s->mails++;
		if (smtp_mail_now(c->s))
			smtp_mail_now(c->s)->number = c->s->mails;
		return false;
	case SMTP_RCPT:
		return on_rcpt_to(c, cmd);
	case SMTP_DATA:
	case SMTP_BDAT:
		if (smtp_mail_now(c->s))
			smtp_mail_now(c->s)->data_asked = true;
		return false;
	case SMTP_VRFY:
	case SMTP_EXPN:
		return smtp_watch_verify(c, cmd);
	default:
		return false;
	}
}
