/* SPDX-License-Identifier: BSD-3-Clause */
/* A session from its first byte to its last: which direction, which kind of bytes. */
#include "dataplane/proto/smtp_internal.h"

_Static_assert(sizeof(struct smtp) <= 256, "an idle session must stay small");

void smtp_init(struct smtp *s, unsigned flags)
{
	*s = (struct smtp){.flags = (uint8_t)flags};
	if (flags & SMTP_MIDSTREAM) {
		s->mode = MODE_RESYNC;
		s->state = ST_REPLY_START;
	} else {
		smtp_queue_push(s, SMTP_GREETING, false);
	}
}

/* Only a reply can say what the client's next byte is. */
static bool is_blocked(const struct smtp *s)
{
	return s->mode == MODE_DATA_WAIT || s->mode == MODE_AUTH_WAIT || s->mode == MODE_TLS_WAIT ||
	       smtp_has(s, ST_QUEUE_FULL);
}

bool smtp_waiting(const struct smtp *s)
{
	return is_blocked(s) && smtp_can_wait(s);
}

void smtp_client_is_later(struct smtp *s)
{
	s->state &= ~(uint32_t)ST_CLIENT_AHEAD;
}

bool smtp_is_tls(const struct smtp *s)
{
	return s->mode == MODE_TLS;
}

bool smtp_is_lost(const struct smtp *s)
{
	return s->mode == MODE_LOST;
}

void smtp_release(struct smtp *s, const struct smtp_env *env)
{
	smtp_session_assume(s, env);
}

static bool is_text_byte(uint8_t c)
{
	return (c >= 0x20 && c <= 0x7e) || c == '\r' || c == '\n' || c == '\t';
}

/* Behind STARTTLS: a TLS record, or a client that goes on in the clear. */
static void tls_first(struct smtp *s, uint8_t c, const struct smtp_env *env)
{
	if (is_text_byte(c)) {
		s->mode = MODE_COMMAND;
		s->state &= ~(uint32_t)ST_TLS_TOLD;
		return;
	}
	if (!smtp_has(s, ST_TLS_TOLD))
		env->sink->starttls(env->ctx, s->client_at, s->server_at);
	smtp_session_tls(s, env);
}

static size_t client_step(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	switch ((enum smtp_mode)s->mode) {
	case MODE_BODY:
		return smtp_body_feed(s, p, len, env);
	case MODE_CHUNK:
	case MODE_SKIP:
		return smtp_chunk_feed(s, p, len, env);
	case MODE_AUTH_LINE:
		return smtp_auth_line(s, p, len);
	case MODE_TLS_FIRST:
		tls_first(s, p[0], env);
		return 0;
	case MODE_TLS:
	case MODE_LOST:
		return len;
	default:
		return smtp_client_line(s, p, len, env);
	}
}

static size_t client_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	size_t at = 0;

	/* RFC 5321 2.4: a command is ASCII. What begins otherwise need not end with LF. */
	if (len && s->mode == MODE_COMMAND && !is_text_byte(p[0]) &&
	    !smtp_has(s, ST_CLIENT_SPOKE | ST_LINE_OPEN))
		smtp_session_lost(s, SMTP_LOST_NOT_SMTP, SMTP_FROM_CLIENT, s->client_at, env);
	while (at < len) {
		size_t n;

		if (smtp_waiting(s)) {
			s->state |= ST_CLIENT_AHEAD;
			return at;
		}
		if (is_blocked(s))
			smtp_session_assume(s, env);
		n = client_step(s, p + at, len - at, env);
		s->client_at += n;
		at += n;
		if (smtp_has(s, ST_EARLY))
			smtp_early_answer(s, env);
	}
	s->state &= ~(uint32_t)ST_CLIENT_AHEAD;
	return at;
}

static size_t server_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	bool first = !smtp_has(s, ST_SERVER_SPOKE | ST_REPLY_START);

	if (!len)
		return 0;
	s->state |= ST_SERVER_SPOKE;
	if (first && s->mode != MODE_LOST && !ascii_isdigit(p[0]))
		smtp_session_lost(s, SMTP_LOST_NOT_SMTP, SMTP_FROM_SERVER, s->server_at, env);
	len = smtp_reply_feed(s, p, len, env);
	s->server_at += len;
	return len;
}

size_t smtp_feed(struct smtp *s, enum smtp_direction direction, const void *data, size_t len,
		 const struct smtp_env *env)
{
	if (direction == SMTP_FROM_CLIENT)
		return client_feed(s, data, len, env);
	return server_feed(s, data, len, env);
}

/* Bytes missing where commands are: what comes next may be the middle of anything. */
static void client_resync(struct smtp *s, const struct smtp_env *env)
{
	smtp_client_drop_line(s, env);
	if (s->early_count)
		s->state |= ST_EARLY;
	s->mode = MODE_RESYNC;
	s->state |= ST_MAY_MISS;
	smtp_session_lost(s, SMTP_LOST_DESYNC, SMTP_FROM_CLIENT, s->client_at, env);
}

static void chunk_gap(struct smtp *s, uint64_t bytes, const struct smtp_env *env)
{
	uint64_t n = bytes < s->chunk_left ? bytes : s->chunk_left;
	struct smtp_span end = {s->client_at + n, s->client_at + n};

	if (s->mode == MODE_CHUNK)
		smtp_body_gap(s, n, env);
	s->chunk_left -= n;
	s->client_at += n;
	if (s->chunk_left)
		return;
	if (s->mode == MODE_CHUNK && smtp_has(s, ST_CHUNK_LAST))
		smtp_bdat_end(s, SMTP_END_UNSEEN, end, env);
	s->mode = MODE_COMMAND;
	if (bytes == n)
		return;
	s->client_at += bytes - n;
	client_resync(s, env);
}

static void client_gap(struct smtp *s, uint64_t bytes, const struct smtp_env *env)
{
	while (is_blocked(s))
		smtp_session_assume(s, env);
	switch ((enum smtp_mode)s->mode) {
	case MODE_CHUNK:
	case MODE_SKIP:
		chunk_gap(s, bytes, env);
		return;
	case MODE_BODY:
		smtp_body_gap(s, bytes, env);
		s->client_at += bytes;
		return;
	case MODE_TLS_FIRST:
		smtp_session_tls(s, env);
		/* fall through */
	case MODE_TLS:
	case MODE_LOST:
		s->client_at += bytes;
		return;
	default:
		s->client_at += bytes;
		client_resync(s, env);
	}
}

static void server_gap(struct smtp *s, uint64_t bytes, const struct smtp_env *env)
{
	s->server_at += bytes;
	if (s->mode == MODE_TLS || s->mode == MODE_LOST)
		return;
	smtp_reply_drop(s, env);
	s->state |= ST_SERVER_SPOKE | ST_REPLY_START | ST_REPLY_GAP;
	smtp_session_lost(s, SMTP_LOST_DESYNC, SMTP_FROM_SERVER, s->server_at, env);
	/* RFC 2920 3.1: a client goes on behind DATA when it has had all replies. */
	while (s->mode == MODE_DATA_WAIT && smtp_has(s, ST_CLIENT_AHEAD) && smtp_queue_count(s) > 1)
		smtp_session_give_up(s, env);
	/* The one reply that the client waits for was in there. */
	if (is_blocked(s) && s->run_count == 1)
		smtp_session_assume(s, env);
}

void smtp_gap(struct smtp *s, enum smtp_direction direction, uint64_t bytes,
	      const struct smtp_env *env)
{
	if (!bytes)
		return;
	if (direction == SMTP_FROM_CLIENT)
		client_gap(s, bytes, env);
	else
		server_gap(s, bytes, env);
}

void smtp_fini(struct smtp *s, const struct smtp_env *env)
{
	bool unfinished = smtp_has(s, ST_MSG_OPEN) && !smtp_has(s, ST_MSG_ANSWERED);

	/* The last chunk isn't whole. */
	if (unfinished)
		smtp_queue_unpush(s, SMTP_BDAT_LAST);
	while (s->run_count)
		smtp_session_give_up(s, env);
	if (smtp_has(s, ST_MSG_MUTE) && !(s->flags & SMTP_KEEP_GHOSTS))
		s->state &= ~(uint32_t)(ST_TX_OPEN | ST_TX_MESSAGE);
	else if (unfinished && s->mode != MODE_LOST)
		s->state |= ST_TX_MESSAGE;
	smtp_session_abort(s, SMTP_UNKNOWN, env);
	smtp_client_drop_line(s, env);
	smtp_reply_drop(s, env);
}
