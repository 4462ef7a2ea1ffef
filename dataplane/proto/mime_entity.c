/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts (RFC 2045 "entities"): what their headers say, and the containers that are open. */
#include "dataplane/proto/mime_internal.h"
#include "dataplane/proto/mime_param.h"

#define DEFAULT_TYPE "text/plain"     /* RFC 2045 5.2 */
#define DIGEST_TYPE  "message/rfc822" /* RFC 2046 5.1.5 */

static void set_type(struct mime *m, struct bytes type)
{
	m->type_len = (uint8_t)(type.len < MIME_TYPE ? type.len : MIME_TYPE);
	for (size_t i = 0; i < m->type_len; i++)
		m->type[i] = (char)ascii_lower(type.p[i]);
}

static struct bytes part_type(const struct mime *m)
{
	return bytes_of(m->type, m->type_len);
}

/* Past MIME_PARTS: no delimiter counts any more, and one leaf takes what is left. */
static void rest_begin(const struct mime_run *r)
{
	struct mime *m = r->m;

	run_limit(r, MIME_LIMIT_PARTS);
	m->open = 0;
	entity_headers_end(r);
}

void entity_begin(const struct mime_run *r)
{
	struct mime *m = r->m;
	struct mime_level *in = m->depth ? &m->level[m->depth - 1] : NULL;

	if (in)
		in->begun = true;
	m->stray = in && (in->closed || in->stray);
	m->index = m->count++;
	m->state = STATE_FIELD_START;
	m->header_size = 0;
	m->field_open = false;
	m->first_line = true;
	m->outside = false;
	m->inherits = in && in->base64;
	m->encoding = m->inherits ? MIME_ENCODING_BASE64 : MIME_ENCODING_NONE;
	m->disposition = MIME_DISPOSITION_NONE;
	m->seen = 0;
	m->file_from_disposition = false;
	m->has_boundary = false;
	m->boundary_cut = false;
	m->charset_len = 0;
	m->filename_len = 0;
	set_type(m, in && in->digest ? BYTES(DIGEST_TYPE) : BYTES(DEFAULT_TYPE));
	if (m->index >= MIME_PARTS)
		rest_begin(r);
}

static bool note_filename(struct mime *m, struct bytes raw, struct bytes param)
{
	bool cut;
	int n = param_find(raw, param, true, (uint8_t *)m->filename, MIME_FILENAME, &cut);

	if (n >= 0)
		m->filename_len = (uint8_t)n;
	return n >= 0;
}

static void note_boundary(struct mime *m, struct bytes raw)
{
	uint8_t *to = m->boundaries + m->boundaries_len;
	size_t left = MIME_BOUNDARIES - (size_t)m->boundaries_len;
	int n = param_find(raw, BYTES("boundary"), false, to,
			   left < MIME_BOUNDARY ? left : MIME_BOUNDARY, &m->boundary_cut);

	/* RFC 2046 5.1.1: it doesn't end in blanks. */
	while (n > 0 && (to[n - 1] == ' ' || to[n - 1] == '\t'))
		n--;
	m->has_boundary = n >= 0;
	m->boundary_len = (uint8_t)(n > 0 ? n : 0);
}

static void note_type(struct mime *m, struct bytes raw)
{
	struct bytes type = param_token(raw);
	const uint8_t *slash = bytes_chr(type, '/');
	bool cut;
	int n;

	/* A type that is none means the default (RFC 2045 5.2). */
	if (slash && slash != type.p && slash + 1 != type.p + type.len)
		set_type(m, type);
	else
		set_type(m, BYTES(DEFAULT_TYPE));
	n = param_find(raw, BYTES("charset"), false, (uint8_t *)m->charset, MIME_CHARSET, &cut);
	m->charset_len = (uint8_t)(n > 0 ? n : 0);
	note_boundary(m, raw);
	if (!m->file_from_disposition)
		note_filename(m, raw, BYTES("name"));
}

static enum mime_encoding encoding_of(struct bytes raw)
{
	static const struct {
		struct bytes name;
		enum mime_encoding encoding;
	} known[] = {
		{{(const uint8_t *)"7bit", 4}, MIME_ENCODING_7BIT},
		{{(const uint8_t *)"8bit", 4}, MIME_ENCODING_8BIT},
		{{(const uint8_t *)"binary", 6}, MIME_ENCODING_BINARY},
		{{(const uint8_t *)"base64", 6}, MIME_ENCODING_BASE64},
		{{(const uint8_t *)"quoted-printable", 16}, MIME_ENCODING_QP},
	};
	struct bytes token = param_token(raw);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (bytes_caseeq(token, known[i].name))
			return known[i].encoding;
	return MIME_ENCODING_OTHER;
}

static void note_disposition(struct mime *m, struct bytes raw)
{
	m->disposition = bytes_caseeq(param_token(raw), BYTES("inline"))
				 ? MIME_DISPOSITION_INLINE
				 : MIME_DISPOSITION_ATTACHMENT;
	m->file_from_disposition = note_filename(m, raw, BYTES("filename"));
}

/* The first of a kind counts. */
static bool is_first(struct mime *m, uint8_t bit)
{
	bool first = !(m->seen & bit);

	m->seen |= bit;
	return first;
}

void entity_note(struct mime *m, enum mime_header_id id, struct bytes raw)
{
	if (m->inherits) {
		m->inherits = false;
		m->encoding = MIME_ENCODING_NONE;
	}
	if (id == MIME_HEADER_CONTENT_TYPE && is_first(m, 1))
		note_type(m, raw);
	else if (id == MIME_HEADER_CONTENT_ENCODING && is_first(m, 2))
		m->encoding = encoding_of(raw);
	else if (id == MIME_HEADER_CONTENT_DISPOSITION && is_first(m, 4))
		note_disposition(m, raw);
}

/*
 * RFC 2046 5.2 and RFC 2045 6.4 allow a message no encoding but the identity.
 * One in quoted-printable is decoded and handed out as one leaf. One that claims
 * base64 may be a message for all that, and readers take it for one: where its
 * first line is a field it is (base64 has no colon), else its body is decoded. The
 * blocks of fields of a report (RFC 3464, 5965, 6533) are text to read.
 */
static bool is_message(const struct mime *m)
{
	const struct bytes type = part_type(m);

	return bytes_case_starts(type, BYTES("message/")) &&
	       !bytes_caseeq(type, BYTES("message/delivery-status")) &&
	       !bytes_caseeq(type, BYTES("message/global-delivery-status")) &&
	       !bytes_caseeq(type, BYTES("message/feedback-report")) &&
	       m->encoding != MIME_ENCODING_QP;
}

static enum mime_kind kind_of(const struct mime_run *r)
{
	struct mime *m = r->m;
	bool multipart = m->has_boundary && bytes_case_starts(part_type(m), BYTES("multipart/"));

	if (!multipart && !is_message(m))
		return MIME_LEAF;
	if (m->index >= MIME_PARTS)
		return MIME_LEAF;
	if (m->depth == MIME_DEPTH) {
		run_limit(r, MIME_LIMIT_DEPTH);
		return MIME_LEAF;
	}
	if (multipart && m->boundary_cut) {
		run_limit(r, MIME_LIMIT_BOUNDARY);
		return MIME_LEAF;
	}
	return multipart ? MIME_MULTIPART : MIME_MESSAGE;
}

static bool is_text(const struct mime *m)
{
	struct bytes type = part_type(m);

	/* Readers show a structure that they can't follow as it stands. */
	return m->disposition != MIME_DISPOSITION_ATTACHMENT && !m->filename_len &&
	       (bytes_case_starts(type, BYTES("text/")) ||
		bytes_case_starts(type, BYTES("multipart/")) ||
		bytes_case_starts(type, BYTES("message/")));
}

static void tell_part(const struct mime_run *r, enum mime_kind kind)
{
	const struct mime *m = r->m;
	const struct mime_part part = {
		.index = m->index,
		.depth = m->depth,
		.kind = kind,
		.encoding = m->encoding,
		.disposition = m->disposition,
		.stray = m->stray,
		.is_text = m->is_text,
		.type = part_type(m),
		.charset = bytes_of(m->charset, m->charset_len),
		.filename = bytes_of(m->filename, m->filename_len),
	};

	if (r->sink->part_begin)
		r->sink->part_begin(r->ctx, &part);
}

static void level_push(struct mime *m, bool multipart)
{
	m->level[m->depth++] = (struct mime_level){
		.index = m->index,
		.boundary = m->boundaries_len,
		.boundary_len = multipart ? m->boundary_len : 0,
		.multipart = multipart,
		.stray = m->stray,
		.digest = bytes_caseeq(part_type(m), BYTES("multipart/digest")),
		.base64 = !multipart && m->encoding == MIME_ENCODING_BASE64,
	};
	m->open += multipart;
	m->boundaries_len += multipart ? m->boundary_len : 0;
}

static void level_pop(const struct mime_run *r)
{
	struct mime *m = r->m;
	const struct mime_level *l = &m->level[--m->depth];

	if (m->open) /* past MIME_PARTS none is */
		m->open -= l->multipart;
	m->boundaries_len = l->boundary;
	if (r->sink->part_end)
		r->sink->part_end(r->ctx, l->index);
}

void entity_headers_end(const struct mime_run *r)
{
	struct mime *m = r->m;
	enum mime_kind kind = kind_of(r);

	if (r->sink->headers_end)
		r->sink->headers_end(r->ctx, m->index, m->header_size);
	m->is_text = kind == MIME_LEAF && is_text(m);
	tell_part(r, kind);
	body_begin(m);
	if (kind == MIME_LEAF)
		return;
	level_push(m, kind == MIME_MULTIPART);
	if (kind == MIME_MESSAGE)
		entity_begin(r);
	else
		m->outside = true;
}

void entity_close(const struct mime_run *r, unsigned depth)
{
	struct mime *m = r->m;

	while (m->state != STATE_BODY)
		header_close(r);
	if (!m->outside) {
		body_end(r);
		if (r->sink->part_end)
			r->sink->part_end(r->ctx, m->index);
	}
	while (m->depth > depth)
		level_pop(r);
}
