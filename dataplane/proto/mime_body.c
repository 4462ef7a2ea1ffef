/* SPDX-License-Identifier: BSD-3-Clause */
/* A body's bytes: spans as long as they come, less the line ends that may belong to a delimiter. */
#include "dataplane/proto/bytes_wide.h"
#include "dataplane/proto/mime_internal.h"

static enum mime_data leaf_kind(const struct mime *m)
{
	if (m->stray || m->base64.padded)
		return MIME_DATA_OUTSIDE;
	return m->is_text ? MIME_DATA_TEXT : MIME_DATA_FILE;
}

/* What is between a container's parts. */
static enum mime_data outside_kind(const struct mime_level *l)
{
	return l->begun || l->closed || l->stray ? MIME_DATA_OUTSIDE : MIME_DATA_PREAMBLE;
}

static void tell(const struct mime_run *r, uint16_t part, enum mime_data kind, struct bytes data)
{
	if (data.len && r->sink->data)
		r->sink->data(r->ctx, part, kind, data);
}

static void flush(const struct mime_run *r, enum mime_data kind)
{
	struct mime *m = r->m;

	tell(r, m->index, kind, bytes_of(m->buf, m->buf_len));
	m->buf_len = 0;
}

static void data_base64(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;

	while (p < end) {
		bool was_padded = m->base64.padded;
		enum mime_data kind = leaf_kind(m);
		size_t n = base64_decode(&m->base64, &p, end, m->buf + m->buf_len,
					 MIME_OUT - m->buf_len);

		m->buf_len = (uint16_t)(m->buf_len + n);
		if (m->base64.padded != was_padded || MIME_OUT - m->buf_len < BASE64_ROOM)
			flush(r, kind);
	}
}

static void data_qp(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;

	while (p < end) {
		size_t n = qp_decode(&m->qp, &p, end, m->buf + m->buf_len, MIME_OUT - m->buf_len);

		m->buf_len = (uint16_t)(m->buf_len + n);
		if (MIME_OUT - m->buf_len < QP_ROOM)
			flush(r, leaf_kind(m));
	}
}

void body_data(const struct mime_run *r, const uint8_t *p, size_t len)
{
	const struct mime *m = r->m;
	const struct mime_level *in = m->outside ? &m->level[m->depth - 1] : NULL;

	if (in)
		tell(r, in->index, outside_kind(in), bytes_of(p, len));
	else if (m->encoding == MIME_ENCODING_BASE64)
		data_base64(r, p, p + len);
	else if (m->encoding == MIME_ENCODING_QP)
		data_qp(r, p, p + len);
	else
		tell(r, m->index, leaf_kind(m), bytes_of(p, len));
}

void body_release_held(const struct mime_run *r)
{
	static const uint8_t crlf[] = "\r\n";
	enum mime_held held = r->m->held;

	r->m->held = HELD_NONE;
	if (held == HELD_CRLF)
		body_data(r, crlf, 2);
	else if (held == HELD_LF)
		body_data(r, crlf + 1, 1);
	else if (held == HELD_CR)
		body_data(r, crlf, 1);
}

/* The line end at nl may belong to a delimiter: hands out what is before it. */
static const uint8_t *hold(const struct mime_run *r, const uint8_t *p, const uint8_t *nl)
{
	struct mime *m = r->m;
	bool cr = nl > p && nl[-1] == '\r';

	body_data(r, p, (size_t)(nl - cr - p));
	m->held = cr ? HELD_CRLF : HELD_LF;
	m->line_start = true;
	return nl + 1;
}

BYTES_WIDE_CPU static inline wide_places is_line_dash(const uint8_t *p)
{
	return wide_byte(p, '-') & wide_byte(p - 1, '\n');
}

BYTES_WIDE_CPU static size_t find_dash_wide(const uint8_t *p, size_t len)
{
	return wide_find(p, len, is_line_dash);
}

/* The first dash that begins a line, after p, or end. */
static const uint8_t *find_dash(const uint8_t *p, const uint8_t *end)
{
	size_t len = (size_t)(end - p);

	if (len > BYTES_WIDE && bytes_has_wide())
		return p + find_dash_wide(p, len);
	for (p++; p < end; p++)
		if (*p == '-' && p[-1] == '\n')
			return p;
	return end;
}

const uint8_t *body_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;
	const uint8_t *q = p;

	m->line_start = false;
	if (m->held == HELD_CR && *p == '\n') {
		m->held = HELD_CRLF;
		m->line_start = true;
		return p + 1;
	}
	body_release_held(r);
	if (!m->open) {
		body_data(r, p, (size_t)(end - p));
		return end;
	}
	while ((q = find_dash(q, end)) < end)
		if (!delimiter_excluded(m, q, end))
			return hold(r, p, q - 1);
	if (end[-1] == '\n')
		return hold(r, p, end - 1);
	if (end[-1] == '\r') {
		m->held = HELD_CR;
		end--;
	}
	body_data(r, p, (size_t)(end - p));
	return end + (m->held == HELD_CR);
}

void body_begin(struct mime *m)
{
	m->state = STATE_BODY;
	m->held = HELD_NONE;
	m->buf_len = 0;
	m->base64 = (struct base64){0};
	m->qp.n = 0;
}

void body_end(const struct mime_run *r)
{
	struct mime *m = r->m;
	uint8_t *out = m->buf + m->buf_len; /* each decoder left its room free */
	size_t n = 0;

	if (m->encoding == MIME_ENCODING_BASE64)
		n = base64_finish(&m->base64, out);
	else if (m->encoding == MIME_ENCODING_QP)
		n = qp_finish(&m->qp, out);
	m->buf_len = (uint16_t)(m->buf_len + n);
	flush(r, leaf_kind(m));
}
