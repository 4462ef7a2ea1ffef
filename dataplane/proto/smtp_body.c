/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message bodies: dot-unstuffing and the end of data (RFC 5321 4.5.2, 4.1.1.4),
 * and BDAT chunks (RFC 3030).
 *
 * `s->body` is how much of an end of data was just seen. Line ends are body at
 * once; a dot, and a CR behind it, are held back until it is known what they are.
 * They are the same in every message, so no memory holds them.
 *
 * Spans point into the segment. Behind a segment's first stuffed dot short ones
 * are put together in a buffer on the stack: a message of nothing but stuffed dots
 * must not call the sink for every other byte.
 *
 * Line starts: the body's begin and CRLF are true ones; a bare LF or CR is one
 * only to receivers that take it for CRLF (CVE-2023-51764 and kin). A dot on a
 * line of its own, where start or end is bare, is a BARE_LF end:
 *   LF . LF   LF . CR   CR . LF   CR . CR   CRLF . LF   told at the last byte;
 *   CRLF . CR told at the next byte, for that may yet be LF.
 */
#include "dataplane/proto/bytes_wide.h"
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

#define COPY_SIZE 2048
#define COPY_MAX  512 /* longer spans are told in place */

/* One segment on its way to the sink. */
struct body_scan {
	struct smtp *s;
	const struct smtp_env *env;
	const uint8_t *p;
	uint64_t at;      /* offset of p[0] */
	size_t from;      /* p[from..) is not told yet */
	bool unstuffed;   /* a dot of this segment was left out */
	uint16_t copied;  /* bytes in `copy`, */
	uint64_t copy_at; /* the first of which was here */
	uint8_t copy[COPY_SIZE];
};

static void body_emit(struct smtp *s, const void *p, size_t len, uint64_t at,
		      const struct smtp_env *env)
{
	if (len && !smtp_has(s, ST_MSG_MUTE))
		env->sink->body(env->ctx, bytes_of(p, len), at);
}

static void scan_flush(struct body_scan *b)
{
	body_emit(b->s, b->copy, b->copied, b->copy_at, b->env);
	b->copied = 0;
}

/* Up to p[end) is body. */
static void scan_add(struct body_scan *b, size_t end)
{
	size_t len = end > b->from ? end - b->from : 0;

	if (!b->unstuffed || len > COPY_MAX) {
		scan_flush(b);
		body_emit(b->s, b->p + b->from, len, b->at + b->from, b->env);
	} else if (len) {
		if (b->copied + len > COPY_SIZE)
			scan_flush(b);
		if (!b->copied)
			b->copy_at = b->at + b->from;
		memcpy(b->copy + b->copied, b->p + b->from, len);
		b->copied = (uint16_t)(b->copied + len);
	}
	b->from += len;
}

/* As scan_add(), and the sink knows all of it. */
static void scan_tell(struct body_scan *b, size_t end)
{
	scan_add(b, end);
	scan_flush(b);
}

BYTES_WIDE_CPU static inline wide_places is_line_dot(const uint8_t *p)
{
	return wide_byte(p, '.') & (wide_byte(p - 1, '\n') | wide_byte(p - 1, '\r'));
}

BYTES_WIDE_CPU static size_t find_dot_wide(const uint8_t *p, size_t len)
{
	return wide_find(p, len, is_line_dot);
}

/* The first dot behind a CR or LF, from p[1] on, or len. */
static size_t find_dot(const uint8_t *p, size_t len)
{
	if (len > BYTES_WIDE && bytes_has_wide())
		return find_dot_wide(p, len);
	for (size_t i = 1; i < len; i++)
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

/* Where what is held back before p[i] begins in this segment. */
static size_t held_from(const struct body_scan *b, size_t i)
{
	size_t held = seen[b->s->body].held;

	return i > held ? i - held : 0;
}

/* The dot before p[i] ends nothing: it is left out, or text as what follows it. */
static void release_dot(struct body_scan *b, size_t i)
{
	size_t held = seen[b->s->body].held;
	bool stuffing = is_stuffing(b->s);

	if (i >= held) {
		if (!stuffing)
			return;
		scan_add(b, i - held);
		b->from = i - held + 1;
		b->unstuffed = true;
		return;
	}
	/* It came with the segment before, and maybe a CR with it. */
	if (!stuffing)
		body_emit(b->s, ".", 1, b->at + i - held, b->env);
	if (held == 2 && i == 0)
		body_emit(b->s, "\r", 1, b->at - 1, b->env);
}

/* Up to the next dot that begins a line, or the segment's end. */
static size_t body_text(struct body_scan *b, size_t i, size_t len)
{
	size_t dot = find_dot(b->p + i, len - i);

	b->s->body = line_end(b->p + i, dot);
	return i + dot;
}

static struct smtp_span end_span(const struct body_scan *b, size_t i)
{
	uint64_t end = b->at + i + 1;

	return (struct smtp_span){end - seen[b->s->body].line_end - seen[b->s->body].held - 1u,
				  end};
}

/* p[i] shows that a dot is alone on what some take for a line. */
static void body_bare_end(struct body_scan *b, size_t i, enum body_state next)
{
	struct smtp *s = b->s;
	struct smtp_span at = end_span(b, i);

	s->bare_end = at.end;
	if (!smtp_has(s, ST_MSG_BARE | ST_MSG_MUTE)) {
		scan_tell(b, held_from(b, i));
		s->state |= ST_MSG_BARE;
		if (smtp_message_end(s, SMTP_END_BARE_LF, at, b->env)) {
			s->state |= ST_MSG_MUTE | ST_MSG_GHOST;
			if (s->flags & SMTP_ANSWER_WITHHELD)
				smtp_session_push(s, SMTP_DATA_END, true, b->env);
		}
	}
	release_dot(b, i);
	s->body = next;
}

static void body_end(struct body_scan *b, size_t i)
{
	bool withheld = smtp_has(b->s, ST_MSG_MUTE);

	scan_tell(b, held_from(b, i));
	if (!withheld)
		withheld = smtp_message_end(b->s, SMTP_END_DOT, end_span(b, i), b->env);
	smtp_data_end(b->s, withheld, b->env);
}

static void body_dot(struct smtp *s)
{
	s->body = (uint8_t)(s->body == BODY_BEGIN ? BODY_BEGIN_DOT
			    : s->body == BODY_CR  ? BODY_CR_DOT
			    : s->body == BODY_LF  ? BODY_LF_DOT
						  : BODY_CRLF_DOT);
}

/* p[i] behind a line's end, no dot held back. Returns the bytes taken. */
static size_t step_line(struct body_scan *b, size_t i)
{
	struct smtp *s = b->s;

	if (b->p[i] == '.') {
		body_dot(s);
		return 1;
	}
	if (s->body != BODY_CR || b->p[i] != '\n') {
		s->body = BODY_TEXT;
		return 0;
	}
	/* What LF . CR was told for an end is LF . CRLF. */
	s->bare_end += s->bare_end == b->at + i;
	s->body = BODY_CRLF;
	return 1;
}

/* p[i] behind a dot that began a line. */
static size_t step_dot(struct body_scan *b, size_t i)
{
	uint8_t c = b->p[i];

	if (c == '\n') {
		body_bare_end(b, i, BODY_LF);
	} else if (c != '\r') {
		release_dot(b, i);
		b->s->body = BODY_TEXT;
		return 0;
	} else if (!is_stuffing(b->s)) {
		body_bare_end(b, i, BODY_CR);
	} else {
		b->s->body = b->s->body == BODY_BEGIN_DOT ? BODY_BEGIN_DOT_CR : BODY_CRLF_DOT_CR;
	}
	return 1;
}

static size_t body_step(struct body_scan *b, size_t i)
{
	switch (seen[b->s->body].held) {
	case 0:
		return step_line(b, i);
	case 1:
		return step_dot(b, i);
	default:
		if (b->p[i] == '\n') {
			body_end(b, i);
			return 1;
		}
		body_bare_end(b, i, BODY_CR);
		return 0;
	}
}

size_t smtp_body_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	struct body_scan b;
	size_t i = 0;

	s->state |= ST_MSG_TEXT;
	/* Not an initializer: it would clear the buffer. */
	b.s = s;
	b.env = env;
	b.p = p;
	b.at = s->client_at;
	b.from = 0;
	b.unstuffed = false;
	b.copied = 0;
	while (i < len && s->mode == MODE_BODY) {
		if (s->body == BODY_TEXT)
			i = body_text(&b, i, len);
		else
			i += body_step(&b, i);
	}
	if (s->mode == MODE_BODY)
		scan_tell(&b, held_from(&b, i));
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
		/* A dot held back: the gap may have hidden its line's end, or text. */
		if (seen[s->body].held && !is_stuffing(s))
			body_emit(s, ".", 1, s->client_at - 1, env);
		s->body = BODY_TEXT;
		s->state |= ST_MSG_GAP;
	}
	if (!smtp_has(s, ST_MSG_MUTE))
		env->sink->body_gap(env->ctx, at);
}
