/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's command lines: collected, told, and what each makes of the session. */
#include "dataplane/proto/smtp_internal.h"

void smtp_client_drop_line(struct smtp *s, const struct smtp_env *env)
{
	if (s->line)
		pool_put(env->pool, s->line);
	s->line = NULL;
	s->held = 0;
	s->state &= ~(uint32_t)(ST_LINE_OPEN | ST_LINE_CUT | ST_LINE_DROPPED);
}

uint64_t smtp_undecided(const struct smtp *s)
{
	bool line = s->mode == MODE_COMMAND || s->mode == MODE_RESYNC || s->mode == MODE_AUTH_GUESS;

	if (line && s->held && !smtp_has(s, ST_LINE_DROPPED) &&
	    smtp_command_may_be_withheld(s->line, s->held))
		return s->line_begin;
	return s->client_at;
}

static size_t line_limit(const struct smtp_env *env)
{
	return env->pool->block_size < UINT16_MAX ? env->pool->block_size : UINT16_MAX;
}

/* Half a line, into a block. */
static void line_carry(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	size_t room, n, kept;

	if (smtp_has(s, ST_LINE_DROPPED) || !len)
		return;
	if (!s->line)
		s->line = pool_get(env->pool);
	if (!s->line) {
		s->state |= ST_LINE_DROPPED;
		smtp_session_lost(s, SMTP_LOST_BUDGET, SMTP_FROM_CLIENT, s->line_begin, env);
		return;
	}
	room = line_limit(env) - s->held;
	n = len < room ? len : room;
	memcpy(s->line + s->held, p, n);
	s->held = (uint16_t)(s->held + n);
	kept = smtp_command_carry(s->line, s->held);
	if (kept < s->held) {
		/* RFC 4954: credentials behind the mechanism. */
		memset(s->line + kept, 0, s->held - kept);
		s->held = (uint16_t)kept;
	} else if (n < len && !smtp_has(s, ST_LINE_CUT)) {
		s->state |= ST_LINE_CUT;
		smtp_session_lost(s, SMTP_LOST_LINE, SMTP_FROM_CLIENT, s->line_begin, env);
	}
}

/* A line that lies whole in the segment obeys the same limit as a carried one. */
static struct bytes line_whole(struct smtp *s, const uint8_t *p, size_t len,
			       const struct smtp_env *env)
{
	size_t limit = line_limit(env), kept;

	if (len <= limit)
		return bytes_of(p, len);
	kept = smtp_command_carry(p, limit);
	if (kept == limit) {
		s->state |= ST_LINE_CUT;
		smtp_session_lost(s, SMTP_LOST_LINE, SMTP_FROM_CLIENT, s->line_begin, env);
	}
	return bytes_of(p, kept);
}

static void bdat_begin(struct smtp *s, const struct smtp_command *command, bool withheld,
		       const struct smtp_env *env)
{
	if (!command->sized) {
		smtp_session_push(s, (enum smtp_verb)SMTP_BDAT_BAD, withheld, env);
		return;
	}
	smtp_session_push(s, command->last ? SMTP_BDAT_LAST : SMTP_BDAT, withheld, env);
	if (!smtp_has(s, ST_MSG_OPEN))
		smtp_message_begin(s, command->at.end, withheld, env);
	/* RFC 3030 4.2: a message's chunks look alike. The one before may be what is missing. */
	if (smtp_has(s, ST_MAY_MISS))
		env->sink->body_gap(env->ctx,
				    (struct smtp_span){command->at.begin, command->at.begin});
	s->state &= ~(uint32_t)(ST_CHUNK_LAST | ST_MAY_MISS);
	s->state |= command->last ? ST_CHUNK_LAST : 0;
	s->chunk_left = command->chunk;
	if (command->chunk)
		s->mode = MODE_CHUNK;
	else if (command->last)
		smtp_bdat_end(s, SMTP_END_BDAT, command->at, env);
}

/* "XEXCH50 size flags": that many bytes follow the server's 354. */
static uint64_t blob_size(struct bytes argument)
{
	uint64_t n = 0;

	for (size_t i = 0; i < argument.len && i < 9 && ascii_isdigit(argument.p[i]); i++)
		n = n * 10 + (argument.p[i] - '0');
	return n;
}

/* A command that the server will see: what the client's next bytes are. */
static void command_act(struct smtp *s, const struct smtp_command *command, bool withheld,
			const struct smtp_env *env)
{
	enum smtp_mode wait = MODE_COMMAND;

	switch (command->verb) {
	case SMTP_BDAT:
		bdat_begin(s, command, withheld, env);
		return;
	case SMTP_MAIL:
		s->state &= ~(uint32_t)ST_MAY_MISS;
		/* The chunks so far may have been refused; then this is another message. */
		if (smtp_has(s, ST_TX_RESULT))
			s->state &= ~(uint32_t)ST_MSG_BITS;
		break;
	case SMTP_RSET:
	case SMTP_HELO:
	case SMTP_EHLO:
		s->state &= ~(uint32_t)(ST_MSG_BITS | ST_MAY_MISS);
		break;
	case SMTP_XEXCH50:
		s->chunk_left = blob_size(command->argument);
		wait = MODE_DATA_WAIT;
		break;
	case SMTP_DATA:
		wait = MODE_DATA_WAIT;
		break;
	case SMTP_AUTH:
		wait = MODE_AUTH_WAIT;
		break;
	case SMTP_STARTTLS:
		wait = MODE_TLS_WAIT;
		break;
	default:
		break;
	}
	smtp_session_push(s, command->verb, withheld, env);
	s->mode = wait;
}

static void command_tell(struct smtp *s, const struct smtp_command *command,
			 const struct smtp_env *env)
{
	bool withheld = env->sink->command(env->ctx, command);

	if (command->verb == SMTP_AUTH)
		env->sink->auth(env->ctx, command->argument);
	if (!withheld || (s->flags & SMTP_KEEP_GHOSTS)) {
		command_act(s, command, withheld, env);
		return;
	}
	if (s->flags & SMTP_ANSWER_WITHHELD)
		smtp_session_push(s, command->verb, true, env);
	if (command->verb == SMTP_BDAT && command->chunk) {
		s->chunk_left = command->chunk;
		s->mode = MODE_SKIP;
	}
}

static bool is_http(struct bytes line)
{
	struct bytes version = BYTES(" HTTP/1.");

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line.len > version.len + 1 &&
	       bytes_caseeq(bytes_of(line.p + line.len - version.len - 1, version.len), version);
}

/* A complete line, without its LF; `end` is the offset behind that. */
static void client_command(struct smtp *s, struct bytes line, uint64_t end,
			   const struct smtp_env *env)
{
	uint8_t name[SMTP_NAME_MAX];
	struct smtp_command command = {
		.cut = smtp_has(s, ST_LINE_CUT),
		.at = {s->line_begin, end},
	};
	bool first = !smtp_has(s, ST_CLIENT_SPOKE);
	bool text = smtp_command_parse(line, &command, name);

	s->state |= ST_CLIENT_SPOKE;
	/* Nothing is missing: what the server said so far answered none of the client's. */
	if (!smtp_has(s, ST_EARLY))
		smtp_early_clear(s);
	if (s->mode == MODE_AUTH_GUESS && command.verb == SMTP_UNKNOWN) {
		smtp_session_push(s, SMTP_AUTH_LINE, false, env);
		return;
	}
	if (s->mode == MODE_RESYNC && !(text && smtp_command_sure(&command)))
		return;
	s->mode = MODE_COMMAND;
	if (text && !(first && is_http(line)))
		command_tell(s, &command, env);
	else if (first)
		smtp_session_lost(s, SMTP_LOST_NOT_SMTP, SMTP_FROM_CLIENT, s->line_begin, env);
	else
		smtp_session_push(s, SMTP_UNKNOWN, false, env); /* binary, but it is answered */
}

size_t smtp_client_line(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	const uint8_t *lf;
	struct bytes line;
	uint64_t end;

	if (!smtp_has(s, ST_LINE_OPEN)) {
		while (!smtp_queue_reserve(s, env->pool)) {
			if (smtp_can_wait(s)) {
				s->state |= ST_QUEUE_FULL;
				return 0;
			}
			smtp_session_give_up(s, env);
		}
		s->line_begin = s->client_at;
		s->state |= ST_LINE_OPEN;
	}
	lf = memchr(p, '\n', len);
	if (!lf) {
		line_carry(s, p, len, env);
		return len;
	}
	len = (size_t)(lf - p);
	end = s->client_at + len + 1;
	if (s->held || smtp_has(s, ST_LINE_DROPPED)) {
		line_carry(s, p, len, env);
		line = bytes_of(s->line, s->held);
	} else {
		line = line_whole(s, p, len, env);
	}
	if (smtp_has(s, ST_LINE_DROPPED))
		smtp_session_push(s, SMTP_UNKNOWN, false, env);
	else
		client_command(s, line, end, env);
	smtp_client_drop_line(s, env);
	return len + 1;
}

/* Base64, or "*" (RFC 4954 4): nobody's business. */
size_t smtp_auth_line(struct smtp *s, const uint8_t *p, size_t len)
{
	const uint8_t *lf = memchr(p, '\n', len);

	if (!lf)
		return len;
	smtp_queue_push(s, SMTP_AUTH_LINE, false);
	s->mode = MODE_AUTH_WAIT;
	return (size_t)(lf - p) + 1;
}
