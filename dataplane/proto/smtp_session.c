/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What replies do: the session's state and its transactions.
 *
 * A pipelining client (RFC 2920, with BDAT even across messages) runs ahead of
 * the server. ST_MSG_* is where the client is, ST_TX_* where the server is.
 */
#include "dataplane/proto/smtp_internal.h"

static bool is_yes(uint16_t code)
{
	return code / 100 == 2;
}

/* Code 0: no reply will be seen, and most commands get a yes. */
static bool is_assumed_yes(uint16_t code)
{
	return code == 0 || is_yes(code);
}

static bool is_intermediate(uint16_t code)
{
	return code / 100 == 3;
}

static void transaction_reset(struct smtp *s)
{
	s->state &= ~(uint32_t)(ST_TX_OPEN | ST_TX_MESSAGE | ST_TX_RESULT);
	s->rcpts = 0;
	s->accepted = 0;
}

void smtp_session_abort(struct smtp *s, enum smtp_verb by, const struct smtp_env *env)
{
	struct smtp_abort abort = {by, s->rcpts, s->accepted, smtp_has(s, ST_TX_MESSAGE)};
	bool open = smtp_has(s, ST_TX_OPEN | ST_TX_MESSAGE) && !smtp_has(s, ST_TX_RESULT);

	transaction_reset(s);
	if (open)
		env->sink->transaction_abort(env->ctx, &abort);
}

void smtp_session_lost(struct smtp *s, enum smtp_lost why, enum smtp_direction direction,
		       uint64_t at, const struct smtp_env *env)
{
	if (why == SMTP_LOST_NOT_SMTP) {
		s->mode = MODE_LOST;
		smtp_client_drop_line(s, env);
		smtp_reply_drop(s, env);
		smtp_queue_fini(s, env->pool);
	}
	env->sink->lost(env->ctx, why, direction, at);
}

void smtp_session_tls(struct smtp *s, const struct smtp_env *env)
{
	s->mode = MODE_TLS;
	smtp_client_drop_line(s, env);
	smtp_reply_drop(s, env);
	smtp_queue_fini(s, env->pool);
}

void smtp_message_begin(struct smtp *s, uint64_t at, bool ghost, const struct smtp_env *env)
{
	s->state &= ~(uint32_t)ST_MSG_BITS;
	s->state |= ST_MSG_OPEN | (ghost ? ST_MSG_GHOST : 0);
	s->body = 0;
	s->bare_end = 0;
	env->sink->message_begin(env->ctx, at, ghost);
}

bool smtp_message_end(struct smtp *s, enum smtp_end_kind kind, struct smtp_span at,
		      const struct smtp_env *env)
{
	struct smtp_end end = {kind, at, smtp_has(s, ST_MSG_GHOST)};

	return env->sink->message_end(env->ctx, &end);
}

static void message_result(struct smtp *s, uint16_t code, bool ghost, const struct smtp_env *env)
{
	struct smtp_result result = {
		.outcome = is_yes(code)  ? SMTP_ACCEPTED
			   : code >= 400 ? SMTP_REFUSED
					 : SMTP_OUTCOME_UNKNOWN,
		.code = code,
		.rcpts = s->rcpts,
		.accepted = s->accepted,
		.ghost = ghost,
	};
	bool told = smtp_has(s, ST_TX_RESULT);

	transaction_reset(s);
	if (!told)
		env->sink->message_result(env->ctx, &result);
}

/* The gate swallowed the end: no reply, no result. */
static bool is_silent(const struct smtp *s, bool withheld)
{
	return withheld && !(s->flags & SMTP_KEEP_GHOSTS);
}

/* It has its place among the replies: the server's, or the caller's. */
static bool is_queued(const struct smtp *s, bool withheld)
{
	return !withheld || (s->flags & (SMTP_KEEP_GHOSTS | SMTP_ANSWER_WITHHELD));
}

/* The server is in the middle of a reply: nothing can be said before it has ended. */
static bool is_replying(const struct smtp *s)
{
	return s->head_len || smtp_has(s, ST_REPLY_OPEN);
}

static bool is_callers(const struct smtp *s, struct smtp_pending command)
{
	return command.withheld && (s->flags & SMTP_ANSWER_WITHHELD);
}

/* The caller answers. A message whose end was withheld leaves nothing to be aborted. */
static void callers_answer(struct smtp *s, struct smtp_pending command, uint64_t at,
			   const struct smtp_env *env)
{
	if (command.verb == SMTP_DATA_END || command.verb == SMTP_BDAT_LAST)
		transaction_reset(s);
	env->sink->due(env->ctx, at);
}

void smtp_session_due(struct smtp *s, uint64_t at, const struct smtp_env *env)
{
	while (is_callers(s, smtp_queue_peek(s)))
		callers_answer(s, smtp_queue_pop(s, env->pool), at, env);
}

void smtp_session_push(struct smtp *s, enum smtp_verb verb, bool withheld,
		       const struct smtp_env *env)
{
	/* A client that goes on had the replies that were missed. */
	while (smtp_has(s, ST_REPLY_GAP) && s->run_count)
		smtp_session_give_up(s, env);
	s->state &= ~(uint32_t)ST_REPLY_GAP;
	smtp_queue_push(s, verb, withheld);
	if (!is_replying(s))
		smtp_session_due(s, s->server_at, env);
}

void smtp_data_end(struct smtp *s, bool withheld, const struct smtp_env *env)
{
	bool answered = smtp_has(s, ST_MSG_ANSWERED);

	if (is_silent(s, withheld))
		transaction_reset(s);
	/* The caller's answer to a bare-LF end was due when that was withheld. */
	if (withheld && (s->flags & SMTP_ANSWER_WITHHELD))
		answered = smtp_has(s, ST_MSG_MUTE);
	if (is_queued(s, withheld) && !answered)
		smtp_session_push(s, SMTP_DATA_END, withheld || smtp_has(s, ST_MSG_GHOST), env);
	s->state &= ~(uint32_t)ST_MSG_BITS;
	s->mode = MODE_COMMAND;
}

void smtp_bdat_end(struct smtp *s, enum smtp_end_kind kind, struct smtp_span at,
		   const struct smtp_env *env)
{
	bool withheld = smtp_message_end(s, kind, at, env) && kind != SMTP_END_UNSEEN;

	/* The chunk was queued with its command: some servers answer before they have read it. */
	if (withheld && smtp_queue_unpush(s, SMTP_BDAT_LAST) && is_queued(s, true))
		smtp_session_push(s, SMTP_BDAT_LAST, true, env);
	if (is_silent(s, withheld))
		transaction_reset(s);
	s->state &= ~(uint32_t)ST_MSG_BITS;
}

static void data_begin(struct smtp *s, struct smtp_pending command, const struct smtp_env *env)
{
	if (command.verb == SMTP_XEXCH50) {
		/* Exchange's binary blob; it has a reply of its own. */
		s->mode = s->chunk_left ? MODE_SKIP : MODE_COMMAND;
		smtp_queue_push(s, SMTP_XEXCH50, command.withheld);
		return;
	}
	s->mode = MODE_BODY;
	smtp_message_begin(s, s->client_at, command.withheld, env);
}

/*
 * 354: the body comes. Anything else: it doesn't (RFC 5321 4.1.1.4), even if
 * a client that could not wait has sent one.
 */
static void data_answered(struct smtp *s, struct smtp_pending command, uint16_t code,
			  const struct smtp_env *env)
{
	if (is_intermediate(code)) {
		if (s->mode == MODE_DATA_WAIT)
			data_begin(s, command, env);
		s->state &= ~(uint32_t)ST_MSG_ASSUMED;
		s->state |= command.verb == SMTP_DATA ? ST_TX_MESSAGE : 0;
		return;
	}
	if (s->mode == MODE_DATA_WAIT) {
		s->mode = MODE_COMMAND;
		return;
	}
	if (code == 0 || command.verb != SMTP_DATA)
		return;
	/* What was taken for the body were commands. */
	if (smtp_queue_peek(s).verb == SMTP_DATA_END)
		smtp_queue_pop(s, env->pool);
	else if (!smtp_has(s, ST_MSG_ASSUMED))
		return;
	s->state &= ~(uint32_t)ST_MSG_BITS;
	if (s->mode == MODE_BODY || s->mode == MODE_COMMAND)
		s->mode = MODE_RESYNC;
	message_result(s, code, command.withheld, env);
}

/* Replies of 3yz to what isn't known to ask for one: believe the server. */
static void intermediate_answered(struct smtp *s, struct smtp_pending command, uint16_t code,
				  const struct smtp_env *env)
{
	bool at_line = s->mode == MODE_RESYNC ||
		       (s->mode == MODE_COMMAND && !smtp_has(s, ST_LINE_OPEN));

	if (command.verb == SMTP_UNSOLICITED && s->mode != MODE_RESYNC)
		return;
	if (!at_line)
		return;
	smtp_client_drop_line(s, env);
	if (code == 334) {
		s->mode = MODE_AUTH_LINE;
		return;
	}
	command.verb = SMTP_DATA;
	s->mode = MODE_DATA_WAIT;
	data_answered(s, command, code, env);
}

static void auth_answered(struct smtp *s, uint16_t code)
{
	if (s->mode != MODE_AUTH_WAIT && s->mode != MODE_AUTH_GUESS)
		return;
	if (is_intermediate(code))
		s->mode = MODE_AUTH_LINE;
	else if (code)
		s->mode = MODE_COMMAND;
}

static void starttls_answered(struct smtp *s, uint16_t code, uint64_t server_at,
			      const struct smtp_env *env)
{
	if (s->mode == MODE_TLS_WAIT || s->mode == MODE_TLS_FIRST)
		s->mode = is_yes(code) ? MODE_TLS_FIRST : MODE_COMMAND;
	if (!is_yes(code))
		return;
	smtp_session_abort(s, SMTP_STARTTLS, env);
	if (!smtp_has(s, ST_TLS_TOLD))
		env->sink->starttls(env->ctx, s->client_at, server_at);
	s->state |= ST_TLS_TOLD;
}

static void command_answered(struct smtp *s, struct smtp_pending command, uint16_t code,
			     uint64_t server_at, const struct smtp_env *env)
{
	switch ((int)command.verb) {
	case SMTP_MAIL:
		if (!is_assumed_yes(code))
			break;
		/* Two that nobody answered: who knows whether the first had opened anything? */
		if (code || s->rcpts || smtp_has(s, ST_TX_MESSAGE))
			smtp_session_abort(s, SMTP_MAIL, env);
		s->state |= ST_TX_OPEN;
		break;
	case SMTP_RCPT:
		s->rcpts += !command.withheld;
		s->accepted += !command.withheld && code / 10 == 25;
		break;
	case SMTP_DATA:
	case SMTP_XEXCH50:
		data_answered(s, command, code, env);
		break;
	case SMTP_BDAT:
		s->state |= ST_TX_MESSAGE;
		if (code < 400)
			break;
		message_result(s, code, command.withheld, env);
		s->state |= ST_TX_RESULT;
		break;
	case SMTP_DATA_END:
	case SMTP_BDAT_LAST:
		message_result(s, code, command.withheld, env);
		break;
	case SMTP_RSET:
	case SMTP_HELO:
	case SMTP_EHLO:
	case SMTP_QUIT:
		if (is_assumed_yes(code))
			smtp_session_abort(s, command.verb, env);
		break;
	case SMTP_AUTH:
	case SMTP_AUTH_LINE:
		auth_answered(s, code);
		break;
	case SMTP_STARTTLS:
		starttls_answered(s, code, server_at, env);
		break;
	default:
		if (is_intermediate(code))
			intermediate_answered(s, command, code, env);
	}
}

/*
 * The server speaks while the client is inside a body and nothing is
 * unanswered: it refused early, or it took for the end what RFC 5321 doesn't,
 * or the end was in bytes never seen.
 */
static struct smtp_pending body_answered(struct smtp *s, uint16_t code, const struct smtp_env *env)
{
	struct smtp_pending end = {SMTP_DATA_END, smtp_has(s, ST_MSG_GHOST)};
	bool gap = smtp_has(s, ST_MSG_GAP);
	bool taken = gap || (s->bare_end && (is_yes(code) || s->bare_end == s->client_at));

	if (!taken) {
		s->state |= ST_MSG_ANSWERED;
		return end;
	}
	if (gap)
		smtp_message_end(s, SMTP_END_UNSEEN, (struct smtp_span){s->client_at, s->client_at},
				 env);
	s->state &= ~(uint32_t)ST_MSG_BITS;
	s->mode = gap ? MODE_RESYNC : MODE_COMMAND;
	return end;
}

static bool body_is_answered(const struct smtp *s, uint16_t code)
{
	if (s->mode != MODE_BODY || is_intermediate(code) || smtp_has(s, ST_MSG_ANSWERED))
		return false;
	return !is_silent(s, smtp_has(s, ST_MSG_MUTE));
}

/*
 * A message was assumed, because replies were missing, and not a byte of it has come; nobody
 * says 2yz to DATA: it is a reply from before it.
 */
static bool is_late(const struct smtp *s, uint16_t code)
{
	return is_yes(code) && s->mode == MODE_BODY && smtp_has(s, ST_MSG_ASSUMED) &&
	       !smtp_has(s, ST_MSG_TEXT | ST_MSG_GAP);
}

/* By it a sink knows which of several MAILs in flight the server has come to. */
static void mail_counted(struct smtp *s, struct smtp_pending command)
{
	s->mails += command.verb == SMTP_MAIL && !command.withheld;
}

void smtp_session_reply(struct smtp *s, struct smtp_reply *reply, const struct smtp_env *env)
{
	struct smtp_pending command;

	/* Only DATA gets a 354: replies before it were missed. */
	while (reply->code == 354 && smtp_queue_last(s).verb == SMTP_DATA &&
	       smtp_queue_peek(s).verb != SMTP_DATA && smtp_queue_peek(s).verb != SMTP_XEXCH50) {
		smtp_session_give_up(s, env);
		smtp_session_due(s, reply->at.begin, env);
	}
	/* What is withheld is not what the server speaks of. */
	if (is_late(s, reply->code) || is_callers(s, smtp_queue_peek(s)))
		command = (struct smtp_pending){SMTP_UNSOLICITED, false};
	else
		command = smtp_queue_pop(s, env->pool);
	/* Every command has its reply: none was missed. */
	if (!s->run_count)
		s->state &= ~(uint32_t)ST_REPLY_GAP;
	if (command.verb == SMTP_UNSOLICITED) {
		if (reply->code == 220 && !smtp_has(s, ST_REPLIED | ST_CLIENT_SPOKE))
			command.verb = SMTP_GREETING;
		else if (!is_late(s, reply->code) && body_is_answered(s, reply->code))
			command = body_answered(s, reply->code, env);
	}
	if (command.verb != SMTP_UNSOLICITED || smtp_has(s, ST_EARLY))
		smtp_early_clear(s);
	else if (s->mode == MODE_COMMAND)
		smtp_early_add(s, reply->code);
	s->state |= ST_REPLIED;
	reply->verb = (int)command.verb == SMTP_BDAT_BAD ? SMTP_BDAT : command.verb;
	reply->withheld = command.withheld;
	reply->rcpt = s->rcpts;
	reply->final = !is_intermediate(reply->code);
	mail_counted(s, command);
	if (command.verb == SMTP_MAIL && is_yes(reply->code))
		smtp_session_abort(s, SMTP_MAIL, env);
	env->sink->reply(env->ctx, reply);
	command_answered(s, command, reply->code, reply->at.end, env);
	smtp_session_due(s, reply->at.end, env);
}

void smtp_session_answer(struct smtp *s, uint16_t code, const struct smtp_env *env)
{
	struct smtp_pending command = smtp_queue_pop(s, env->pool);

	if (is_callers(s, command))
		callers_answer(s, command, s->server_at, env);
	else {
		mail_counted(s, command);
		command_answered(s, command, code, s->server_at, env);
	}
}

void smtp_session_give_up(struct smtp *s, const struct smtp_env *env)
{
	smtp_session_answer(s, 0, env);
}

void smtp_session_assume(struct smtp *s, const struct smtp_env *env)
{
	switch ((enum smtp_mode)s->mode) {
	case MODE_DATA_WAIT:
		data_begin(s, smtp_queue_last(s), env);
		s->state |= ST_MSG_ASSUMED;
		break;
	case MODE_AUTH_WAIT:
		s->mode = MODE_AUTH_GUESS;
		break;
	case MODE_TLS_WAIT:
		s->mode = MODE_TLS_FIRST;
		break;
	default:
		if (smtp_has(s, ST_QUEUE_FULL))
			smtp_session_give_up(s, env);
	}
}
