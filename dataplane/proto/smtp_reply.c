/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies (RFC 5321 4.2): lines of code, "-" or " ", text. A line's first four
 * bytes are looked at one by one; its text goes to a buffer at once, so lines
 * are never carried. The buffer is on the stack, and moves to a block only when a
 * segment ends inside a reply.
 */
#include "dataplane/proto/smtp_internal.h"

#define STRAYS_MAX 16 /* lines in a row that are no reply, then it isn't SMTP */

struct reply_text {
	uint8_t *p;
	size_t size;
};

static void text_append(struct smtp *s, struct reply_text *text, const uint8_t *p, size_t len)
{
	size_t room = text->size - s->text_len;

	if (len > room) {
		len = room;
		s->state |= ST_REPLY_CUT;
	}
	memcpy(text->p + s->text_len, p, len);
	s->text_len = (uint16_t)(s->text_len + len);
}

static size_t number(const uint8_t *p, size_t len, uint16_t *value)
{
	size_t n = 0;

	for (*value = 0; n < len && n < 3 && ascii_isdigit(p[n]); n++)
		*value = (uint16_t)(*value * 10 + (p[n] - '0'));
	return n;
}

/* "x.y.z" and a blank or the end (RFC 2034 4, RFC 3463 2); returns its length, 0: none. */
static size_t enhanced_parse(const uint8_t *p, size_t len, struct smtp_enhanced *enhanced)
{
	size_t at = 2, n;

	if (len < 5 || (p[0] != '2' && p[0] != '4' && p[0] != '5') || p[1] != '.')
		return 0;
	enhanced->class = (uint8_t)(p[0] - '0');
	n = number(p + at, len - at, &enhanced->subject);
	at += n;
	if (!n || at == len || p[at] != '.')
		return 0;
	at++;
	n = number(p + at, len - at, &enhanced->detail);
	at += n;
	if (!n || (at < len && p[at] != ' '))
		return 0;
	return at < len ? at + 1 : at;
}

/* The line's text is whole: without CR and enhanced code, and only then joined to the others. */
static void text_end_line(struct smtp *s, struct reply_text *text, uint16_t code)
{
	uint8_t *line = text->p + s->text_line;
	size_t len = (size_t)(s->text_len - s->text_line), strip;
	struct smtp_enhanced enhanced = {0};

	while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
		len--;
	strip = enhanced_parse(line, len, &enhanced);
	if (strip && enhanced.class == code / 100) {
		s->enhanced = enhanced;
		len -= strip;
		memmove(line, line + strip, len);
	}
	s->text_len = (uint16_t)(s->text_line + len);
}

static void reply_reset(struct smtp *s)
{
	s->head_len = 0;
	s->text_len = 0;
	s->text_line = 0;
	s->enhanced = (struct smtp_enhanced){0};
	s->state &= ~(uint32_t)(ST_REPLY_OPEN | ST_REPLY_CUT);
}

void smtp_reply_drop(struct smtp *s, const struct smtp_env *env)
{
	if (s->text)
		pool_put(env->pool, s->text);
	s->text = NULL;
	reply_reset(s);
}

/* 0: the line isn't one of a reply. Any [2-5]yz is a code. */
static uint16_t head_code(const struct smtp *s)
{
	const uint8_t *h = s->head;

	if (s->head_len < 3 || h[0] < '2' || h[0] > '5' || !ascii_isdigit(h[1]) ||
	    !ascii_isdigit(h[2]))
		return 0;
	if (s->head_len == 4 && h[3] != ' ' && h[3] != '-' && h[3] != '\t' && h[3] != '\r')
		return 0;
	return (uint16_t)((h[0] - '0') * 100 + (h[1] - '0') * 10 + (h[2] - '0'));
}

static void stray_line(struct smtp *s, uint64_t end, const struct smtp_env *env)
{
	s->text_len = s->text_line;
	if (!smtp_has(s, ST_REPLY_START) && ++s->strays > STRAYS_MAX)
		smtp_session_lost(s, SMTP_LOST_NOT_SMTP, SMTP_FROM_SERVER, end, env);
}

/* `end`: the offset behind the line's LF. */
static void reply_line(struct smtp *s, struct reply_text *text, uint64_t end,
		       const struct smtp_env *env)
{
	uint16_t code = head_code(s);
	bool more = s->head_len == 4 && s->head[3] == '-';
	struct smtp_reply reply = {0};

	s->head_len = 0;
	if (!code) {
		stray_line(s, end, env);
		return;
	}
	s->strays = 0;
	s->state &= ~(uint32_t)ST_REPLY_START;
	text_end_line(s, text, code);
	s->code = code;
	if (more) {
		s->state |= ST_REPLY_OPEN;
		if (s->text_len && text->p[s->text_len - 1] != ' ')
			text_append(s, text, (const uint8_t *)" ", 1);
		s->text_line = s->text_len;
		return;
	}
	while (s->text_len && text->p[s->text_len - 1] == ' ')
		s->text_len--;
	reply.code = code;
	reply.enhanced = s->enhanced;
	reply.text = bytes_of(text->p, s->text_len);
	reply.cut = smtp_has(s, ST_REPLY_CUT);
	reply.at = (struct smtp_span){s->reply_begin, end};
	reply_reset(s);
	smtp_session_reply(s, &reply, env);
}

/* One line or what there is of it. Returns the bytes taken. */
static size_t reply_step(struct smtp *s, struct reply_text *text, const uint8_t *p, size_t len,
			 uint64_t at, const struct smtp_env *env)
{
	const uint8_t *lf;
	size_t n = 0;

	if (!s->head_len && !smtp_has(s, ST_REPLY_OPEN))
		s->reply_begin = at;
	while (n < len && s->head_len < sizeof(s->head) && p[n] != '\n')
		s->head[s->head_len++] = p[n++];
	if (n == len)
		return n;
	lf = memchr(p + n, '\n', len - n);
	text_append(s, text, p + n, lf ? (size_t)(lf - p) - n : len - n);
	if (!lf)
		return len;
	n = (size_t)(lf - p) + 1;
	reply_line(s, text, at + n, env);
	return n;
}

/* The segment ended inside a reply: its text needs a block, or is let go. */
static void text_save(struct smtp *s, const struct reply_text *text, const struct smtp_env *env)
{
	if (s->text || !s->text_len)
		return;
	s->text = pool_get(env->pool);
	if (s->text) {
		memcpy(s->text, text->p, s->text_len);
		return;
	}
	s->text_len = 0;
	s->text_line = 0;
	s->state |= ST_REPLY_CUT;
}

static void text_release(struct smtp *s, const struct smtp_env *env)
{
	if (s->text && !s->text_len && !s->head_len && !smtp_has(s, ST_REPLY_OPEN)) {
		pool_put(env->pool, s->text);
		s->text = NULL;
	}
}

size_t smtp_reply_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env)
{
	uint8_t scratch[SMTP_TEXT_MAX];
	struct reply_text text = {s->text ? s->text : scratch, SMTP_TEXT_MAX};
	bool waiting = smtp_waiting(s);
	size_t at = 0;

	/* The bytes of a client that waited come before what the server says next. */
	while (at < len && smtp_waiting(s) == waiting && s->mode != MODE_LOST &&
	       s->mode != MODE_TLS) {
		if (s->mode == MODE_TLS_FIRST && !s->head_len && !ascii_isdigit(p[at])) {
			smtp_session_tls(s, env);
			break;
		}
		at += reply_step(s, &text, p + at, len - at, s->server_at + at, env);
	}
	if (s->mode == MODE_LOST || s->mode == MODE_TLS)
		return len;
	text_save(s, &text, env);
	text_release(s, env);
	return at;
}
