/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message bodies: dot-unstuffing and the end of data (RFC 5321 4.5.2, 4.1.1.4),
 * and BDAT chunks (RFC 3030).
 *
 * `s->body` is how much of an end of data was just seen. Line ends are body at
 * once; a dot, and a CR behind it, are held back until it is known what they are.
 * They are the same in every message, so no memory holds them.
 *
 * Line starts: the body's begin and CRLF are true ones; a bare LF or CR is one
 * only to receivers that take it for CRLF (CVE-2023-51764 and kin). A dot on a
 * line of its own, where start or end is bare, is a BARE_LF end:
 *   LF . LF   LF . CR   CR . LF   CR . CR   CRLF . LF   told at the last byte;
 *   CRLF . CR told at the next byte, for that may yet be LF.
 */
#include "dataplane/proto/smtp_internal.h"

enum body_state {
	BODY_BEGIN, /* must be 0: a new message's */
	BODY_TEXT,
	BODY_CR,
	BODY_LF,
	BODY_CRLF,
	BODY_BEGIN_DOT,
	BODY_CR_DOT,
	BODY_LF_DOT,
	BODY_CRLF_DOT,
	BODY_BEGIN_DOT_CR,
	BODY_CRLF_DOT_CR,
};

/* Bytes of the line end before the dot, and of what is held back. */
static const struct {
	uint8_t line_end, held;
} seen[] = {
	[BODY_BEGIN] = {0, 0},        [BODY_TEXT] = {0, 0},        [BODY_CR] = {1, 0},
	[BODY_LF] = {1, 0},           [BODY_CRLF] = {2, 0},        [BODY_BEGIN_DOT] = {0, 1},
	[BODY_CR_DOT] = {1, 1},       [BODY_LF_DOT] = {1, 1},      [BODY_CRLF_DOT] = {2, 1},
	[BODY_BEGIN_DOT_CR] = {0, 2}, [BODY_CRLF_DOT_CR] = {2, 2},
};

static void body_emit(struct smtp *s, const void *p, size_t len, uint64_t at,
		      const struct smtp_env *env)
{
	if (len && !smtp_has(s, ST_MSG_MUTE))
		env->sink->body(env->ctx, bytes_of(p, len), at);
}

/*
 * The first dot behind a CR or LF, from p[1] on, or len. In blocks without
 * branches, which compilers turn into vector code: what the text is like
 * doesn't change its speed.
 */
static size_t find_dot(const uint8_t *p, size_t len)
{
	size_t i = 1;

	for (; i + 64 <= len; i += 64) {
		const uint8_t *q = p + i;
		uint8_t hit = 0;

		for (size_t k = 0; k < 64; k++)
			hit |= (uint8_t)((q[k] == '.') & ((q[k - 1] == '\n') | (q[k - 1] == '\r')));
		if (hit)
			break;
	}
	for (; i < len; i++)
		if (p[i] == '.' && (p[i - 1] == '\n' || p[i - 1] == '\r'))
			return i;
	return len;
}

/* What kind of line end p[0..len) has at its end. */
static enum body_state line_end(const uint8_t *p, size_t len)
{
	if (len && p[len - 1] == '\r')
		return BODY_CR;
	if (!len || p[len - 1] != '\n')
		return BODY_TEXT;
	return len > 1 && p[len - 2] == '\r' ? BODY_CRLF : BODY_LF;
}

/* Behind a true line start the dot is stuffing, behind a bare one it is text. */
static bool is_stuffing(const struct smtp *s)
{
	return s->body != BODY_CR_DOT && s->body != BODY_LF_DOT;
}

/* Plain text up to the next dot that begins a line, or the segment's end. */
static size_t body_text(struct smtp *s, const uint8_t *p, size_t len, uint64_t at,
			const struct smtp_env *env)
{
	size_t dot = find_dot(p, len);

	s->body = line_end(p, dot);
	body_emit(s, p, dot, at, env);
	return dot;
}

/*
 * A dot alone on what some take for a line; `end` is behind the byte that shows
 * it. Unless the sink withholds it, it is only body: dot and `rest`.
 */
static void body_bare_end(struct smtp *s, uint64_t end, const char *rest, enum body_state next,
			  const struct smtp_env *env)
{
	struct smtp_span at = {end - seen[s->body].line_end - seen[s->body].held - 1u, end};

	s->bare_end = end;
	if (!smtp_has(s, ST_MSG_BARE | ST_MSG_MUTE)) {
		s->state |= ST_MSG_BARE;
		if (smtp_message_end(s, SMTP_END_BARE_LF, at, env))
			s->state |= ST_MSG_MUTE | ST_MSG_GHOST;
	}
	at.begin += seen[s->body].line_end;
	if (!is_stuffing(s))
		body_emit(s, ".", 1, at.begin, env);
	body_emit(s, rest, 1, at.begin + 1, env);
	s->body = next;
}

static void body_end(struct smtp *s, uint64_t end, const struct smtp_env *env)
{
	struct smtp_span at = {end - seen[s->body].line_end - seen[s->body].held - 1u, end};
	bool withheld = smtp_has(s, ST_MSG_MUTE);

	if (!withheld)
		withheld = smtp_message_end(s, SMTP_END_DOT, at, env);
	smtp_data_end(s, withheld, env);
}

/* A line start, and a byte that is no dot; or a dot that some text follows. */
static size_t body_resume(struct smtp *s, uint64_t at, const struct smtp_env *env)
{
	if (seen[s->body].held && !is_stuffing(s))
		body_emit(s, ".", 1, at - 1, env);
	s->body = BODY_TEXT;
	return 0;
}

static size_t body_dot(struct smtp *s)
{
	s->body = (uint8_t)(s->body == BODY_BEGIN ? BODY_BEGIN_DOT
			    : s->body == BODY_CR  ? BODY_CR_DOT
			    : s->body == BODY_LF  ? BODY_LF_DOT
						  : BODY_CRLF_DOT);
	return 1;
}

/* One byte at a line's start. Returns 1, or 0 when c is to be looked at again. */
static size_t body_step(struct smtp *s, uint8_t c, uint64_t at, const struct smtp_env *env)
{
	switch ((enum body_state)s->body) {
	case BODY_BEGIN:
	case BODY_LF:
	case BODY_CRLF:
		return c == '.' ? body_dot(s) : body_resume(s, at, env);
	case BODY_CR:
		if (c != '\n')
			return c == '.' ? body_dot(s) : body_resume(s, at, env);
		/* What LF . CR was told for an end is LF . CRLF. */
		s->bare_end += s->bare_end == at;
		body_emit(s, "\n", 1, at, env);
		s->body = BODY_CRLF;
		return 1;
	case BODY_CR_DOT:
	case BODY_LF_DOT:
		if (c == '\r')
			body_bare_end(s, at + 1, "\r", BODY_CR, env);
		else if (c == '\n')
			body_bare_end(s, at + 1, "\n", BODY_LF, env);
		else
			return body_resume(s, at, env);
		return 1;
	case BODY_BEGIN_DOT:
	case BODY_CRLF_DOT:
		if (c == '\n')
			body_bare_end(s, at + 1, "\n", BODY_LF, env);
		else if (c == '\r')
			s->body = s->body == BODY_BEGIN_DOT ? BODY_BEGIN_DOT_CR : BODY_CRLF_DOT_CR;
		else
			return body_resume(s, at, env);
		return 1;
	case BODY_BEGIN_DOT_CR:
	case BODY_CRLF_DOT_CR:
		if (c == '\n') {
			body_end(s, at + 1, env);
			return 1;
		}
		body_bare_end(s, at + 1, "\r", BODY_CR, env);
		return 0;
	case BODY_TEXT:
		break;
	}
	return 0;
}

size_t smtp_body_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	size_t i = 0;

	while (i < len && s->mode == MODE_BODY) {
		if (s->body == BODY_TEXT)
			i += body_text(s, p + i, len - i, s->client_at + i, env);
		else
			i += body_step(s, p[i], s->client_at + i, env);
	}
	return i;
}

size_t smtp_chunk_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	uint64_t end;

	if (len > s->chunk_left)
		len = (size_t)s->chunk_left;
	end = s->client_at + len;
	s->chunk_left -= len;
	if (s->mode == MODE_CHUNK)
		body_emit(s, p, len, s->client_at, env);
	if (s->chunk_left)
		return len;
	if (s->mode == MODE_CHUNK && smtp_has(s, ST_CHUNK_LAST))
		smtp_bdat_end(s, SMTP_END_BDAT, (struct smtp_span){end - 1, end}, env);
	s->mode = MODE_COMMAND;
	return len;
}

void smtp_body_gap(struct smtp *s, uint64_t bytes, const struct smtp_env *env)
{
	struct smtp_span at = {s->client_at, s->client_at + bytes};

	if (s->mode == MODE_BODY) {
		body_resume(s, s->client_at, env);
		s->state |= ST_MSG_GAP;
	}
	if (!smtp_has(s, ST_MSG_MUTE))
		env->sink->body_gap(env->ctx, at);
}
