/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_mbox.h"

#include <string.h>

static const struct bytes from = BYTES("From ");

void mbox_init(struct mbox *m)
{
	*m = (struct mbox){.line = 1, .after_gap = true};
}

static void message_begin(struct mbox *m, const struct mbox_sink *sink)
{
	if (m->open)
		sink->end(sink->ctx);
	m->open = true;
	m->messages++;
	sink->begin(sink->ctx, m->line);
}

static void pass(struct bytes data, const struct mbox_sink *sink)
{
	if (data.len)
		sink->data(sink->ctx, data);
}

/* RFC 4155: the line ends with a time as asctime() writes it; some write a zone behind it. */
static bool has_time(struct bytes line)
{
	for (size_t i = from.len; i + 5 <= line.len; i++)
		if (line.p[i - 1] == ' ' && ascii_isdigit(line.p[i]) &&
		    ascii_isdigit(line.p[i + 1]) && line.p[i + 2] == ':' &&
		    ascii_isdigit(line.p[i + 3]) && ascii_isdigit(line.p[i + 4]))
			return true;
	return false;
}

static bool is_from(struct bytes line)
{
	return line.len >= from.len && memcmp(line.p, from.p, from.len) == 0;
}

static size_t quotes(struct bytes line)
{
	size_t n = 0;

	while (n < line.len && line.p[n] == '>')
		n++;
	return n;
}

/* Can a line that begins so be a separator, or a quoted one? */
static bool may_be_from(struct bytes begin)
{
	const size_t n = quotes(begin);
	const size_t rest = begin.len - n < from.len ? begin.len - n : from.len;

	return memcmp(begin.p + n, from.p, rest) == 0;
}

/* Or an empty one, whose end has not come? */
static bool must_wait(struct bytes begin)
{
	return may_be_from(begin) || (begin.len == 1 && begin.p[0] == '\r');
}

/* A line's beginning, `whole` with its end: as much of it as there is to look at. */
static void line_take(struct mbox *m, struct bytes line, bool whole, const struct mbox_sink *sink)
{
	const size_t n = quotes(line);

	m->skips = m->after_gap && !n && is_from(line) && (!m->messages || has_time(line));
	if (m->skips)
		message_begin(m, sink);
	else if (n && is_from(bytes_of(line.p + n, line.len - n)))
		pass(bytes_of(line.p + 1, line.len - 1), sink);
	else
		pass(line, sink);
	m->after_gap = whole && (line.len == 1 || (line.len == 2 && line.p[0] == '\r'));
	m->in_line = !whole;
	m->line += whole;
}

/* Bytes of `data` that end the line in hand, or all of them. */
static size_t line_rest(struct bytes data, bool *ends)
{
	const uint8_t *lf = bytes_chr(data, '\n');

	*ends = lf != NULL;
	return lf ? (size_t)(lf - data.p) + 1 : data.len;
}

/* What has been looked at is told in one span with what follows, as long as nothing is special. */
static size_t plain_len(struct mbox *m, struct bytes data)
{
	size_t at = 0, n;
	bool ends;

	while (at < data.len) {
		const struct bytes rest = bytes_of(data.p + at, data.len - at);

		n = line_rest(rest, &ends);
		if (!ends || rest.p[0] == 'F' || rest.p[0] == '>')
			break;
		m->after_gap = n == 1 || (n == 2 && rest.p[0] == '\r');
		m->line++;
		at += n;
	}
	return at;
}

static void held_take(struct mbox *m, bool whole, const struct mbox_sink *sink)
{
	const size_t n = m->held;

	m->held = 0;
	line_take(m, bytes_of(m->head, n), whole, sink);
}

/* More of a line that is held: how much of it was taken. */
static size_t hold(struct mbox *m, struct bytes data, const struct mbox_sink *sink)
{
	const size_t room = sizeof(m->head) - m->held;
	bool ends;
	size_t n = line_rest(data, &ends);

	if (n > room) {
		n = room;
		ends = false;
	}
	memcpy(m->head + m->held, data.p, n);
	m->held += n;
	if (ends || m->held == sizeof(m->head) || !must_wait(bytes_of(m->head, m->held)))
		held_take(m, ends, sink);
	return n;
}

static size_t step(struct mbox *m, struct bytes data, const struct mbox_sink *sink)
{
	size_t n;
	bool ends;

	if (m->in_line) {
		n = line_rest(data, &ends);
		if (!m->skips)
			pass(bytes_of(data.p, n), sink);
		m->in_line = !ends;
		m->line += ends;
		return n;
	}
	n = m->held ? 0 : plain_len(m, data);
	pass(bytes_of(data.p, n), sink);
	return n ? n : hold(m, data, sink);
}

/* Which of the two it is. */
static void decide(struct mbox *m, const struct mbox_sink *sink)
{
	m->kind = is_from(bytes_of(m->head, m->held)) ? MBOX_MANY : MBOX_MAIL;
	if (m->kind == MBOX_MANY)
		return;
	message_begin(m, sink);
	pass(bytes_of(m->head, m->held), sink);
	m->held = 0;
}

void mbox_feed(struct mbox *m, struct bytes data, const struct mbox_sink *sink)
{
	size_t at = 0;

	while (m->kind == MBOX_UNKNOWN && at < data.len) {
		m->head[m->held++] = data.p[at++];
		if (m->held == from.len || m->head[m->held - 1] != from.p[m->held - 1])
			decide(m, sink);
	}
	if (m->kind == MBOX_MAIL)
		pass(bytes_of(data.p + at, data.len - at), sink);
	while (m->kind == MBOX_MANY && at < data.len)
		at += step(m, bytes_of(data.p + at, data.len - at), sink);
}

void mbox_finish(struct mbox *m, const struct mbox_sink *sink)
{
	if (m->kind == MBOX_UNKNOWN)
		decide(m, sink);
	if (m->held)
		held_take(m, false, sink);
	if (m->open)
		sink->end(sink->ctx);
	m->open = false;
}
