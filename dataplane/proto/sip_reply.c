/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_reply.h"

struct writer {
	char *p;
	size_t left;
	bool full;
};

static void put(struct writer *w, struct bytes s)
{
	if (s.len > w->left) {
		w->full = true;
		w->left = 0;
		return;
	}
	if (s.len)
		memcpy(w->p, s.p, s.len);
	w->p += s.len;
	w->left -= s.len;
}

static void put_uint(struct writer *w, uint32_t value)
{
	char digits[10];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + value % 10);
	while ((value /= 10) != 0);
	put(w, bytes_of(digits + i, sizeof(digits) - i));
}

static void put_hex(struct writer *w, uint64_t value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		put(w, bytes_of(&"0123456789abcdef"[value >> shift & 15], 1));
}

/* A header's value without folds: what else would end a line in it must not. */
static void put_value(struct writer *w, struct bytes value)
{
	size_t n = sip_header_unfold(value, w->p, w->left);

	w->p += n;
	w->left -= n;
	/* Can't tell "fits exactly" from "cut": the CRLF that must follow fails then. */
}

static void put_header(struct writer *w, const char *name, struct bytes value)
{
	put(w, bytes_of(name, strlen(name)));
	put(w, BYTES(": "));
	put_value(w, value);
	put(w, BYTES("\r\n"));
}

/* Our own text: no control characters, and inside quotes no quote unescaped. */
static void put_text(struct writer *w, struct bytes text, bool quoted)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < ' ' || text.p[i] == 0x7f)
			return;
		if (quoted && (text.p[i] == '"' || text.p[i] == '\\'))
			put(w, BYTES("\\"));
		put(w, bytes_of(text.p + i, 1));
	}
}

/* The topmost Via tells where the request came from: RFC 3261 18.2.1, RFC 3581 4. */
static void put_top_via(struct writer *w, struct bytes value, const struct sip_reply *reply)
{
	struct bytes rest = value, top, port, ignored;
	struct sip_via via;

	if (!sip_list_next(&rest, &top) || !sip_via_parse(top, &via)) {
		put_header(w, "Via", value);
		return;
	}

	bool wants_port = sip_param(via.params, BYTES("rport"), &port) && port.len == 0;
	bool has_address = sip_param(via.params, BYTES("received"), &ignored);

	put(w, BYTES("Via: "));
	if (wants_port && reply->rport) {
		size_t before = (size_t)(port.p - top.p);

		put_value(w, bytes_of(top.p, before));
		put(w, port.p[-1] == '=' ? BYTES("") : BYTES("="));
		put_uint(w, reply->rport);
		put_value(w, bytes_of(port.p, top.len - before));
	} else {
		put_value(w, top);
	}
	if (reply->received.len && !has_address) {
		put(w, BYTES(";received="));
		put_text(w, reply->received, false);
	}
	if (rest.len) {
		put(w, BYTES(", "));
		put_value(w, bytes_trim(rest));
	}
	put(w, BYTES("\r\n"));
}

/* The next header of that id in the bytes themselves: headers[] may not list them all. */
static bool raw_next(struct bytes *rest, enum sip_header_id id, struct bytes *value)
{
	uint32_t flags = 0;
	enum sip_header_next next;
	struct sip_header h;

	while ((next = sip_header_next(rest, &h, &flags)) < SIP_HEADER_END) {
		if (next == SIP_HEADER_FOUND && h.id == id) {
			*value = h.value;
			return true;
		}
	}
	return false;
}

static struct bytes raw_headers(const struct sip_message *request)
{
	const uint8_t *lf = bytes_chr(request->head, '\n');
	size_t line = lf ? (size_t)(lf - request->head.p) + 1 : request->head.len;

	return bytes_of(request->head.p + line, request->head.len - line);
}

static struct bytes raw_first(const struct sip_message *request, enum sip_header_id id)
{
	struct bytes rest = raw_headers(request), value = {NULL, 0};

	raw_next(&rest, id, &value);
	return value;
}

static void put_vias(struct writer *w, const struct sip_message *request,
		     const struct sip_reply *reply)
{
	struct bytes rest = raw_headers(request), value;

	if (raw_next(&rest, SIP_HEADER_VIA, &value))
		put_top_via(w, value, reply);
	while (raw_next(&rest, SIP_HEADER_VIA, &value))
		put_header(w, "Via", value);
}

/* RFC 3261 8.2.7: the same tag for the same request, whenever it comes again. */
static uint64_t to_tag(const struct sip_message *request, const uint8_t *seed)
{
	struct siphash h;
	struct sip_via via;

	sip_message_via(request, &via);
	siphash_init(&h, seed);
	siphash_add_bytes(&h, request->call_id);
	siphash_add_bytes(&h, request->from.tag);
	siphash_add_bytes(&h, via.branch);
	siphash_add(&h, &request->cseq_number, sizeof(request->cseq_number));
	return siphash_end(&h);
}

static void put_to(struct writer *w, const struct sip_message *request, struct bytes to,
		   const uint8_t *seed)
{
	put(w, BYTES("To: "));
	put_value(w, to);
	if (request->to.tag.len == 0) {
		put(w, BYTES(";tag="));
		put_hex(w, to_tag(request, seed));
	}
	put(w, BYTES("\r\n"));
}

bool sip_reply_is_acked(const struct sip_message *ack, const uint8_t *seed)
{
	char text[16];
	struct writer w = {text, sizeof(text), false};

	if (ack->kind != SIP_REQUEST || ack->method_id != SIP_METHOD_ACK ||
	    ack->to.tag.len != sizeof(text))
		return false;
	put_hex(&w, to_tag(ack, seed));
	return bytes_eq(ack->to.tag, bytes_of(text, sizeof(text)));
}

size_t sip_reply_build(const struct sip_message *request, const struct sip_reply *reply, char *buf,
		       size_t size)
{
	struct writer w = {buf, size, false};

	if (request->kind != SIP_REQUEST || request->method_id == SIP_METHOD_ACK ||
	    (request->flags & (SIP_FLAG_NO_VIA | SIP_FLAG_NO_CALL_ID | SIP_FLAG_NO_CSEQ)))
		return 0;

	struct bytes from = raw_first(request, SIP_HEADER_FROM);
	struct bytes to = raw_first(request, SIP_HEADER_TO);

	if (!from.len || !to.len)
		return 0;
	put(&w, BYTES("SIP/2.0 "));
	put_uint(&w, reply->code);
	put(&w, BYTES(" "));
	put_text(&w, reply->reason, false);
	put(&w, BYTES("\r\n"));
	put_vias(&w, request, reply);
	put_header(&w, "From", from);
	put_to(&w, request, to, reply->seed);
	put_header(&w, "Call-ID", request->call_id);
	put_header(&w, "CSeq", request->cseq);
	if (reply->retry_after) {
		put(&w, BYTES("Retry-After: "));
		put_uint(&w, reply->retry_after);
		put(&w, BYTES("\r\n"));
	}
	if (reply->warning.len) {
		put(&w, BYTES("Warning: 399 postern \""));
		put_text(&w, reply->warning, true);
		put(&w, BYTES("\"\r\n"));
	}
	put(&w, BYTES("Content-Length: 0\r\n\r\n"));
	return w.full ? 0 : size - w.left;
}
