/* SPDX-License-Identifier: BSD-3-Clause */
/* Header fields (RFC 5322 2.2): name and value are collected in m->buf, one after the other. */
#include "dataplane/proto/mime_internal.h"
#include "dataplane/proto/mime_word.h"

static const struct bytes names[MIME_HEADER_COUNT] = {
#define X(id, name) [MIME_HEADER_##id] = {(const uint8_t *)name, sizeof(name) - 1},
	MIME_HEADERS(X)
#undef X
};

struct bytes mime_header_name(enum mime_header_id id)
{
	return names[id];
}

enum mime_header_id mime_header_lookup(struct bytes name)
{
	for (unsigned i = MIME_HEADER_OTHER + 1; i < MIME_HEADER_COUNT; i++)
		if (name.len == names[i].len && !((name.p[0] ^ names[i].p[0]) & 0x1f) &&
		    bytes_case_starts(name, names[i]))
			return (enum mime_header_id)i;
	return MIME_HEADER_OTHER;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 3.6.8: printable ASCII but the colon. */
static bool is_name_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != ':';
}

/* Tells the field in buf. */
static void field_tell(const struct mime_run *r)
{
	struct mime *m = r->m;
	struct mime_header h = {
		.part = m->index,
		.depth = m->depth,
		.cut = m->field_cut,
		.nul = m->field_nul,
		.name = bytes_of(m->buf, m->name_len),
		.raw = bytes_trim(bytes_of(m->buf + m->name_len, m->buf_len - m->name_len)),
	};

	h.id = mime_header_lookup(h.name);
	entity_note(m, h.id, h.raw);
	h.value = h.raw;
	if (r->sink->header && word_suspected(h.raw)) {
		h.value.p = m->buf + m->buf_len;
		h.value.len = word_decode(h.raw, m->buf + m->buf_len, MIME_BUF - m->buf_len,
					  &h.value_cut);
	}
	if (r->sink->header)
		r->sink->header(r->ctx, &h);
	m->field_open = false;
	m->buf_len = 0;
}

static void field_begin(struct mime *m)
{
	m->state = STATE_NAME;
	m->buf_len = 0;
	m->name_len = 0;
	m->field_cut = m->field_nul = false;
}

static void field_cut(const struct mime_run *r)
{
	if (!r->m->field_cut)
		run_limit(r, MIME_LIMIT_HEADER);
	r->m->field_cut = true;
}

static void field_append(const struct mime_run *r, const uint8_t *p, size_t n)
{
	struct mime *m = r->m;
	size_t room = MIME_HEADER - (size_t)m->buf_len;

	m->field_nul |= n && memchr(p, 0, n);
	if (n > room) {
		field_cut(r);
		n = room;
	}
	memcpy(m->buf + m->buf_len, p, n);
	m->buf_len = (uint16_t)(m->buf_len + n);
}

static void line_end(struct mime *m)
{
	m->state = STATE_FIELD_START;
	m->line_start = true;
	m->first_line = false;
}

/* The line whose start is in buf is no field: the block is over, and the line is the body's. */
static void unread(const struct mime_run *r)
{
	struct mime *m = r->m;
	uint16_t n = m->buf_len;
	uint8_t *tail = m->buf + MIME_BUF - n; /* beyond both MIME_NAME and MIME_OUT */

	memmove(tail, m->buf, n);
	m->header_size -= n;
	m->buf_len = 0;
	entity_headers_end(r);
	m->line_start = true; /* it may be a delimiter of what the headers opened */
	run_feed(r, tail, tail + n);
}

/* The line of an mbox file that separates its mails, and its quoted kind. */
static bool is_mbox_from(const struct mime *m)
{
	struct bytes name = bytes_of(m->buf, m->name_len);

	return m->first_line && (bytes_eq(name, BYTES("From")) || bytes_eq(name, BYTES(">From")));
}

static const uint8_t *field_start(const struct mime_run *r, const uint8_t *p)
{
	struct mime *m = r->m;

	if (is_blank(*p)) { /* RFC 5322 2.2.3: the field goes on */
		m->state = m->field_open ? STATE_VALUE : STATE_SKIP;
		return p;
	}
	if (m->field_open)
		field_tell(r);
	field_begin(m);
	if (*p == ':') {
		m->state = STATE_SKIP; /* no name */
	} else if (*p == '\r') {
		m->state = STATE_FIELD_CR;
		m->buf[m->buf_len++] = *p++;
		m->header_size++;
	} else if (*p == '\n') {
		m->header_size++;
		entity_headers_end(r);
		m->line_start = true;
		p++;
	}
	return p;
}

static const uint8_t *field_cr(const struct mime_run *r, const uint8_t *p)
{
	struct mime *m = r->m;

	if (*p != '\n') {
		unread(r);
		return p;
	}
	m->header_size++;
	entity_headers_end(r);
	m->line_start = true;
	return p + 1;
}

static void name_take(const struct mime_run *r, uint8_t c)
{
	struct mime *m = r->m;

	m->header_size++;
	m->buf[m->buf_len++] = c;
	if (m->state == STATE_NAME)
		m->name_len = m->buf_len;
	if (m->buf_len == MIME_NAME) {
		m->state = STATE_NAME_LONG;
		field_cut(r);
	}
}

/* Where the line is seen to be a field, or to be none. */
static bool name_decide(const struct mime_run *r, uint8_t c)
{
	struct mime *m = r->m;

	if (c == ':') {
		m->header_size++;
		m->buf_len = m->name_len;
		m->state = STATE_VALUE;
		m->field_open = true;
		return true;
	}
	if (m->state == STATE_NAME && is_blank(c)) {
		m->state = is_mbox_from(m) ? STATE_SKIP : STATE_NAME_BLANK;
		return m->state == STATE_SKIP;
	}
	if (m->state == STATE_NAME ? is_name_char(c) : is_blank(c))
		return false;
	unread(r);
	return true;
}

/* The characters of a name that no decision hangs on, as many as come. */
static const uint8_t *name_run(struct mime *m, const uint8_t *p, const uint8_t *end)
{
	size_t room = MIME_NAME - 1 - (size_t)m->buf_len;
	const uint8_t *start = p;
	size_t n;

	if (m->state != STATE_NAME)
		return p;
	if ((size_t)(end - p) > room)
		end = p + room;
	while (p < end && is_name_char(*p))
		p++;
	n = (size_t)(p - start);
	memcpy(m->buf + m->buf_len, start, n);
	m->buf_len = (uint16_t)(m->buf_len + n);
	m->name_len = m->buf_len;
	m->header_size += n;
	return p;
}

static const uint8_t *name_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;

	do {
		p = name_run(m, p, end);
		if (p == end)
			break;

		bool colon = *p == ':';

		if (name_decide(r, *p))
			return p + colon;
		name_take(r, *p++);
	} while (p < end && m->state != STATE_NAME_LONG);
	return p;
}

/* Looks for the colon that is still to come. */
static const uint8_t *name_long_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *start = p;

	while (p < end && *p != ':' && *p != '\n')
		p++;
	r->m->header_size += (size_t)(p - start);
	if (p == end)
		return p;
	if (*p == ':') {
		name_decide(r, ':');
	} else {
		r->m->header_size++;
		line_end(r->m);
	}
	return p + 1;
}

static const uint8_t *value_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	struct mime *m = r->m;
	const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));

	field_append(r, p, (size_t)((nl ? nl : end) - p));
	m->header_size += (size_t)((nl ? nl + 1 : end) - p);
	if (!nl)
		return end;
	if (!m->field_cut && m->buf_len > m->name_len && m->buf[m->buf_len - 1] == '\r')
		m->buf_len--;
	line_end(m);
	return nl + 1;
}

static const uint8_t *skip_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));

	r->m->header_size += (size_t)((nl ? nl + 1 : end) - p);
	if (!nl)
		return end;
	line_end(r->m);
	return nl + 1;
}

const uint8_t *header_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end)
{
	r->m->line_start = false;
	switch (r->m->state) {
	case STATE_FIELD_START:
		return field_start(r, p);
	case STATE_FIELD_CR:
		return field_cr(r, p);
	case STATE_NAME_LONG:
		return name_long_feed(r, p, end);
	case STATE_VALUE:
		return value_feed(r, p, end);
	case STATE_SKIP:
		return skip_feed(r, p, end);
	default:
		return name_feed(r, p, end);
	}
}

void header_close(const struct mime_run *r)
{
	struct mime *m = r->m;

	switch (m->state) {
	case STATE_FIELD_CR:
	case STATE_NAME:
	case STATE_NAME_BLANK:
		unread(r);
		return;
	default:
		if (m->field_open)
			field_tell(r);
		entity_headers_end(r);
	}
}
