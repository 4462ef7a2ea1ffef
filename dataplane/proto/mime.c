/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mime_internal.h"

struct delimiter {
	int level; /* -1: none */
	bool closing;
};

void run_limit(const struct mime_run *r, enum mime_limit limit)
{
	if (r->sink->limit)
		r->sink->limit(r->ctx, r->m->index, limit);
}

static const uint8_t *feed_line(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	return r->m->state == STATE_BODY ? body_feed(r, p, end) : header_feed(r, p, end);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/*
 * RFC 2046 5.1.1: "--", the boundary, "--" if it closes, blanks. The whole line
 * is compared, so one boundary may be another's prefix; an outer delimiter
 * counts inside inner ones that never closed.
 */
static struct delimiter delimiter_find(const struct mime *m, struct bytes line)
{
	if (line.len && line.p[line.len - 1] == '\n')
		line.len--;
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	while (line.len && is_blank(line.p[line.len - 1]))
		line.len--;
	if (line.len < 2 || line.p[0] != '-' || line.p[1] != '-')
		return (struct delimiter){.level = -1};

	for (unsigned i = 0; i < m->depth; i++) {
		const struct mime_level *l = &m->level[i];
		size_t len = 2u + l->boundary_len;

		if (!l->multipart || line.len < len ||
		    memcmp(line.p + 2, m->boundaries + l->boundary, l->boundary_len) != 0)
			continue;
		if (line.len == len)
			return (struct delimiter){.level = (int)i};
		if (line.len == len + 2 && line.p[len] == '-' && line.p[len + 1] == '-')
			return (struct delimiter){.level = (int)i, .closing = true};
	}
	return (struct delimiter){.level = -1};
}

bool delimiter_excluded(const struct mime *m, const uint8_t *p, const uint8_t *end)
{
	size_t left = (size_t)(end - p);
	size_t n = left < MIME_LINE ? left : MIME_LINE;
	const uint8_t *nl;

	if (p[0] != '-' || (n > 1 && p[1] != '-'))
		return true;
	nl = memchr(p, '\n', n);
	if (nl)
		return delimiter_find(m, bytes_of(p, (size_t)(nl + 1 - p))).level < 0;
	return n == MIME_LINE;
}

/* Two delimiters in a row hold no part between them. */
static bool nothing_since(const struct mime *m, unsigned depth)
{
	return m->state == STATE_FIELD_START && !m->header_size && m->depth == depth;
}

/* A delimiter ends the multipart that the body belongs to before a part came. */
static bool ends_unbegun(const struct mime *m, struct delimiter d)
{
	return m->state == STATE_BODY && m->outside && !m->level[m->depth - 1].begun &&
	       (d.closing || d.level + 1 < m->depth);
}

/* Acts on the line if it is a delimiter; its line end and the one before belong to it. */
static bool delimiter_take(const struct mime_run *r, struct bytes line)
{
	struct mime *m = r->m;
	struct delimiter d = delimiter_find(m, line);
	unsigned inside = (unsigned)d.level + 1;

	if (d.level < 0)
		return false;
	if (ends_unbegun(m, d))
		body_release_held(r);
	m->held = HELD_NONE;
	m->line_start = true;
	if (nothing_since(m, inside) && !d.closing)
		return true;
	entity_close(r, inside);
	if (d.closing) {
		m->level[d.level].closed = true;
		m->outside = true;
	} else {
		entity_begin(r);
	}
	return true;
}

/* The line was no delimiter: reads it again as what it is. */
static void line_replay(const struct mime_run *r)
{
	struct mime *m = r->m;
	uint8_t line[MIME_LINE]; /* m->line may be needed again meanwhile */
	size_t n = m->line_len;

	memcpy(line, m->line, n);
	m->line_len = 0;
	m->line_start = false;
	run_feed(r, line, line + n);
}

/* p starts a line with '-' while a delimiter may come. */
static const uint8_t *line_begin(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;
	size_t left = (size_t)(end - p);
	size_t n = left < MIME_LINE ? left : MIME_LINE;
	const uint8_t *nl = memchr(p, '\n', n);

	if (!nl && n < MIME_LINE) {
		memcpy(m->line, p, n);
		m->line_len = (uint16_t)n;
		return end;
	}
	if (nl && delimiter_take(r, bytes_of(p, (size_t)(nl + 1 - p))))
		return nl + 1;
	m->line_start = false;
	return feed_line(r, p, end);
}

/* Goes on with a line whose start is in m->line. */
static const uint8_t *line_continue(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;
	size_t left = (size_t)(end - p);
	size_t room = MIME_LINE - m->line_len;
	size_t n = left < room ? left : room;
	const uint8_t *nl = memchr(p, '\n', n);

	if (nl)
		n = (size_t)(nl + 1 - p);
	memcpy(m->line + m->line_len, p, n);
	m->line_len = (uint16_t)(m->line_len + n);
	if (nl && delimiter_take(r, bytes_of(m->line, m->line_len)))
		m->line_len = 0;
	else if (nl || m->line_len == MIME_LINE)
		line_replay(r);
	return p + n;
}

void run_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	const struct mime *m = r->m;

	while (p < end) {
		if (m->line_len)
			p = line_continue(r, p, end);
		else if (m->line_start && m->open && *p == '-')
			p = line_begin(r, p, end);
		else
			p = feed_line(r, p, end);
	}
}

void mime_init(struct mime *m)
{
	const struct mime_run silent = {.m = m, .sink = &(struct mime_sink){0}};

	/* The big buffers hold nothing yet; zeroing them would cost more than a short mail. */
	memset(m, 0, offsetof(struct mime, level));
	m->boundaries_len = 0;
	m->line_start = true;
	entity_begin(&silent);
}

void mime_feed(struct mime *m, const uint8_t *data, size_t len, const struct mime_sink *sink,
	       void *ctx)
{
	const struct mime_run r = {m, sink, ctx};

	run_feed(&r, data, data + len);
}

void mime_finish(struct mime *m, const struct mime_sink *sink, void *ctx)
{
	const struct mime_run r = {m, sink, ctx};

	if (m->line_len && !delimiter_take(&r, bytes_of(m->line, m->line_len)))
		line_replay(&r);
	while (m->state != STATE_BODY)
		header_close(&r);
	if (m->outside)
		body_release_held(&r);
	entity_close(&r, 0);
}
