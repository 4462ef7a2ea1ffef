/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip.h"

static const struct bytes sip_version = {(const uint8_t *)"SIP/2.0", 7};

static const struct bytes method_names[] = {[SIP_METHOD_OTHER] = {NULL, 0},
#define X(name) [SIP_METHOD_##name] = {(const uint8_t *)#name, sizeof(#name) - 1},
					    SIP_METHODS(X)
#undef X
};

/*
 * Methods compare with case (RFC 3261 7.1), but well-known servers do not care,
 * and what they would act upon must be seen here.
 */
enum sip_method sip_method_id(struct bytes name)
{
	for (size_t i = 1; i < sizeof(method_names) / sizeof(method_names[0]); i++)
		if (bytes_caseeq(method_names[i], name))
			return (enum sip_method)i;
	return SIP_METHOD_OTHER;
}

const char *sip_error_text(enum sip_error error)
{
	static const char *const texts[] = {
#define X(id, text) [SIP_ERROR_##id] = text,
		SIP_ERRORS(X)
#undef X
	};
	return texts[error];
}

const char *sip_flag_name(enum sip_flag_bit bit)
{
	static const char *const names[] = {
#define X(id) [SIP_FLAG_BIT_##id] = #id,
		SIP_FLAGS(X)
#undef X
	};
	return names[bit];
}

const struct sip_header *sip_header_find(const struct sip_message *msg, enum sip_header_id id,
					 unsigned *index)
{
	while (*index < msg->header_count) {
		const struct sip_header *h = &msg->headers[(*index)++];

		if (h->id == id)
			return h;
	}
	return NULL;
}

static enum sip_result malformed(struct sip_message *out, enum sip_error error)
{
	if (out->error == SIP_ERROR_NONE)
		out->error = (uint8_t)error;
	return SIP_MALFORMED;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 3261 7.2: SIP-Version SP Status-Code SP Reason-Phrase. Some leave the last SP away. */
static enum sip_result status_line(struct bytes line, struct sip_message *out)
{
	size_t i = 0;

	while (i < line.len && !is_blank(line.p[i]))
		i++;
	out->version = bytes_of(line.p, i);
	if (!bytes_caseeq(out->version, sip_version))
		return malformed(out, SIP_ERROR_VERSION);
	if (i + 1 < line.len && is_blank(line.p[i + 1]))
		out->flags |= SIP_FLAG_START_SPACES;
	while (i < line.len && is_blank(line.p[i]))
		i++;

	size_t end = i;

	while (end < line.len && !is_blank(line.p[end]))
		end++;

	int64_t code = sip_number_value(bytes_of(line.p + i, end - i), 699);

	if (end - i != 3 || code < 100)
		return malformed(out, SIP_ERROR_STATUS_CODE);
	out->code = (uint16_t)code;
	out->kind = SIP_RESPONSE;
	out->reason = bytes_trim(bytes_of(line.p + end, line.len - end));
	return SIP_OK;
}

/* Something of the kind of "INVITE sip:a@b" without a version is SIP gone wrong; HTTP isn't. */
static bool is_sip_like(struct bytes method, struct bytes rest)
{
	return sip_method_id(method) != SIP_METHOD_OTHER &&
	       (bytes_case_starts(rest, BYTES("sip:")) || bytes_case_starts(rest, BYTES("sips:")) ||
		bytes_case_starts(rest, BYTES("tel:")));
}

static void request_uri(struct bytes uri, struct sip_message *out)
{
	/* <sip:…> is invalid (RFC 3261 7.1), but some take it: read what is meant. */
	if (uri.len >= 2 && uri.p[0] == '<' && uri.p[uri.len - 1] == '>') {
		uri = bytes_trim(bytes_of(uri.p + 1, uri.len - 2));
		out->flags |= SIP_FLAG_BAD_URI;
	}
	if (!bytes_all_from(uri, ' ' + 1) && (bytes_chr(uri, ' ') || bytes_chr(uri, '\t')))
		out->flags |= SIP_FLAG_BAD_URI;
	out->uri = uri;
}

/* RFC 3261 7.1: Method SP Request-URI SP SIP-Version. */
static enum sip_result request_line(struct bytes line, struct sip_message *out)
{
	struct bytes text = bytes_trim(line);
	size_t method_end = 0, version_start = text.len;

	while (method_end < text.len && !is_blank(text.p[method_end]))
		method_end++;
	while (version_start > method_end && !is_blank(text.p[version_start - 1]))
		version_start--;

	struct bytes method = bytes_of(text.p, method_end);
	struct bytes rest = bytes_of(text.p + method_end, text.len - method_end);
	struct bytes version = bytes_of(text.p + version_start, text.len - version_start);

	if (!bytes_case_starts(version, BYTES("SIP/")))
		return is_sip_like(method, bytes_trim(rest)) ? malformed(out, SIP_ERROR_START_LINE)
							     : SIP_NOT_SIP;
	out->method = method;
	out->version = version;
	if (!sip_is_token(method) || method.len > SIP_METHOD_MAX)
		return malformed(out, SIP_ERROR_METHOD);
	out->method_id = (uint8_t)sip_method_id(method);
	if (!bytes_caseeq(version, sip_version))
		return malformed(out, SIP_ERROR_VERSION);

	struct bytes uri = bytes_trim(bytes_of(rest.p, rest.len - version.len));

	if (uri.len == 0)
		return malformed(out, SIP_ERROR_START_LINE);
	if (line.len != method.len + 1 + uri.len + 1 + version.len)
		out->flags |= SIP_FLAG_START_SPACES;
	request_uri(uri, out);
	out->kind = SIP_REQUEST;
	return SIP_OK;
}

static bool has_control(struct bytes s)
{
	if (bytes_all_from(s, ' '))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' && s.p[i] != '\t')
			return true;
	return false;
}

static enum sip_result start_line_read(struct bytes line, struct sip_message *out)
{
	/* White space cannot come first: bytes_trim() would hide it. */
	if (line.len == 0 || !sip_is_token_char(line.p[0]))
		return SIP_NOT_SIP;
	out->start_line = line;

	bool response = bytes_case_starts(line, BYTES("SIP/"));
	enum sip_result result = response ? status_line(line, out) : request_line(line, out);

	/* Where a NUL or a lone CR ends the line, the next one reads another line than we do. */
	if (result == SIP_OK && has_control(line)) {
		out->kind = SIP_NEITHER;
		return malformed(out, SIP_ERROR_START_LINE);
	}
	return result;
}

static void message_clear(struct sip_message *out)
{
	/* headers[] is valid up to header_count alone: not worth 3 KiB of zeroes. */
	memset(out, 0, offsetof(struct sip_message, headers));
	out->content_length = -1;
	out->expires = -1;
}

/* RFC 3261 20.16: CSeq = 1*DIGIT LWS Method */
static void cseq_read(struct sip_message *out, struct bytes value)
{
	size_t digits = 0;

	out->cseq = value;
	while (digits < value.len && ascii_isdigit(value.p[digits]))
		digits++;

	int64_t number = sip_number_value(bytes_of(value.p, digits), UINT32_MAX);
	struct bytes method = bytes_trim(bytes_of(value.p + digits, value.len - digits));

	out->cseq_number = number < 0 ? 0 : (uint32_t)number;
	out->cseq_method = (uint8_t)sip_method_id(method);
	if (number < 0 || method.len == 0)
		out->flags |= SIP_FLAG_BAD_CSEQ;
	else if (out->kind == SIP_REQUEST && !bytes_eq(method, out->method))
		out->flags |= SIP_FLAG_CSEQ_METHOD;
}

static void content_length_read(struct sip_message *out, struct bytes value, bool first)
{
	int64_t length = sip_number_value(value, SIP_BODY_MAX);

	if (length < 0)
		malformed(out, SIP_ERROR_CONTENT_LENGTH);
	else if (!first && length != out->content_length)
		malformed(out, SIP_ERROR_CONTENT_LENGTHS);
	if (first)
		out->content_length = length;
}

enum sip_result sip_parse_start_line(struct bytes line, struct sip_message *out)
{
	message_clear(out);
	return start_line_read(line, out);
}

/* A head's headers: the first one of each. */
struct firsts {
	uint64_t seen; /* by id */
	const struct sip_header *of[SIP_HEADER_COUNT];
	struct sip_header late[SIP_HEADER_COUNT + 1]; /* that are not listed in the message */
	unsigned late_count;
};

_Static_assert(SIP_HEADER_COUNT <= 64, "one bit a header");

static bool has(const struct firsts *f, enum sip_header_id id)
{
	return f->seen >> id & 1;
}

static struct bytes value(const struct firsts *f, enum sip_header_id id)
{
	return has(f, id) ? f->of[id]->value : bytes_of(NULL, 0);
}

/* Whatever may come once comes again: the first counts. */
static bool is_duplicate(enum sip_header_id id)
{
	switch (id) {
	case SIP_HEADER_FROM:
	case SIP_HEADER_TO:
	case SIP_HEADER_CALL_ID:
	case SIP_HEADER_CSEQ:
	case SIP_HEADER_CONTENT_LENGTH:
		return true;
	default:
		return false;
	}
}

/* True: it is the first of its kind. */
static bool header_take(struct sip_message *out, const struct sip_header *h, struct firsts *f)
{
	bool first = !has(f, h->id);

	if (h->id == SIP_HEADER_CONTENT_LENGTH)
		content_length_read(out, h->value, first);
	if (first) {
		f->seen |= UINT64_C(1) << h->id;
		f->of[h->id] = h;
	} else if (is_duplicate(h->id)) {
		out->flags |= SIP_FLAG_DUPLICATE;
	}
	return first;
}

static void values_read(struct sip_message *out, const struct firsts *f)
{
	if (has(f, SIP_HEADER_FROM) && !sip_address_parse(value(f, SIP_HEADER_FROM), &out->from))
		out->flags |= SIP_FLAG_BAD_FROM;
	if (has(f, SIP_HEADER_TO) && !sip_address_parse(value(f, SIP_HEADER_TO), &out->to))
		out->flags |= SIP_FLAG_BAD_TO;
	if (has(f, SIP_HEADER_CSEQ))
		cseq_read(out, value(f, SIP_HEADER_CSEQ));
	if (has(f, SIP_HEADER_EXPIRES))
		out->expires = sip_number_value(value(f, SIP_HEADER_EXPIRES), UINT32_MAX);
	out->via = value(f, SIP_HEADER_VIA);
	out->call_id = value(f, SIP_HEADER_CALL_ID);
	out->contact = value(f, SIP_HEADER_CONTACT);
	out->user_agent = value(f, SIP_HEADER_USER_AGENT);
	out->p_asserted_identity = value(f, SIP_HEADER_P_ASSERTED_IDENTITY);
	out->p_preferred_identity = value(f, SIP_HEADER_P_PREFERRED_IDENTITY);
	out->identity = value(f, SIP_HEADER_IDENTITY);
	out->privacy = value(f, SIP_HEADER_PRIVACY);
}

/* RFC 3261 8.1.1: what every message must have; and the tag that old peers leave away. */
static uint32_t missing(const struct sip_message *out, uint64_t seen)
{
	static const struct {
		uint8_t id;
		uint32_t flag;
	} mandatory[] = {
		{SIP_HEADER_VIA, SIP_FLAG_NO_VIA},   {SIP_HEADER_FROM, SIP_FLAG_NO_FROM},
		{SIP_HEADER_TO, SIP_FLAG_NO_TO},     {SIP_HEADER_CALL_ID, SIP_FLAG_NO_CALL_ID},
		{SIP_HEADER_CSEQ, SIP_FLAG_NO_CSEQ},
	};
	uint32_t flags = 0;

	for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++)
		if (!(seen & UINT64_C(1) << mandatory[i].id))
			flags |= mandatory[i].flag;
	if (!(flags & SIP_FLAG_NO_FROM) && out->from.tag.len == 0)
		flags |= SIP_FLAG_NO_FROM_TAG;
	return flags;
}

static void headers_read(struct bytes rest, struct sip_message *out)
{
	struct firsts firsts;
	uint32_t flags = 0;
	enum sip_header_next next;
	struct sip_header *h = out->headers;

	firsts.seen = firsts.late_count = 0;
	while ((next = sip_header_next(&rest, h, &flags)) < SIP_HEADER_END) {
		if (next == SIP_HEADER_BAD) {
			flags |= SIP_FLAG_BAD_HEADER;
			continue;
		}
		out->header_total++;
		if (h->folded)
			flags |= SIP_FLAG_FOLDED;
		if (header_take(out, h, &firsts) && out->header_total > SIP_HEADERS_KEPT)
			firsts.late_count++;
		if (out->header_total <= SIP_HEADERS_KEPT)
			out->header_count++;
		else
			flags |= SIP_FLAG_HEADERS_CUT;
		h = out->header_total < SIP_HEADERS_KEPT ? h + 1 : &firsts.late[firsts.late_count];
	}
	out->flags |= flags;
	values_read(out, &firsts);
	out->head.len = (size_t)(rest.p - out->head.p);
	if (next == SIP_HEADER_UNEND) {
		/* Some leave the last line ends away: harmless where it can be told that nothing
		 * lacks. */
		bool whole_lines = out->head.p[out->head.len - 1] == '\n';

		if (out->content_length == 0 || (whole_lines && out->content_length < 0))
			out->flags |= SIP_FLAG_NO_HEAD_END;
		else
			malformed(out, SIP_ERROR_HEAD_END);
	}
	out->flags |= missing(out, firsts.seen);
	if (out->content_length < 0)
		out->flags |= SIP_FLAG_NO_CONTENT_LENGTH;
}

enum sip_result sip_parse_head(const uint8_t *data, size_t len, struct sip_message *out)
{
	message_clear(out);
	if (len == 0)
		return SIP_NOT_SIP;

	const uint8_t *end = data + len;

	/* RFC 3261 7.5: CRLFs before the start line are to be ignored. */
	while (data < end && (*data == '\r' || *data == '\n'))
		data++;
	if (data == end || !sip_is_token_char(*data))
		return SIP_NOT_SIP;

	struct bytes rest = bytes_of(data, (size_t)(end - data));
	const uint8_t *lf = bytes_chr(rest, '\n');
	struct bytes line = bytes_of(data, lf ? (size_t)(lf - data) : rest.len);
	bool bare = lf && (line.len == 0 || line.p[line.len - 1] != '\r');

	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;

	/* A bad start line does not hide the headers: who sent it is worth knowing. */
	if (start_line_read(line, out) == SIP_NOT_SIP)
		return SIP_NOT_SIP;
	out->head = rest;
	out->flags |= bare ? SIP_FLAG_BARE_LF : 0;
	headers_read(lf ? bytes_of(lf + 1, (size_t)(end - lf) - 1) : bytes_of(end, 0), out);
	out->body = bytes_of(out->head.p + out->head.len, 0);
	return out->error ? SIP_MALFORMED : SIP_OK;
}

enum sip_result sip_parse(const uint8_t *data, size_t len, struct sip_message *out)
{
	enum sip_result result = sip_parse_head(data, len, out);

	if (result == SIP_NOT_SIP)
		return result;

	size_t left = (size_t)(data + len - out->body.p);

	/* RFC 3261 18.3: over UDP the body runs to the datagram's end, or as far as said. */
	out->body.len = left;
	if (out->content_length < 0)
		return result;
	if ((uint64_t)out->content_length > left)
		return malformed(out, SIP_ERROR_BODY_TRUNCATED);
	if ((uint64_t)out->content_length < left)
		out->flags |= SIP_FLAG_BODY_EXTRA;
	out->body.len = (size_t)out->content_length;
	return result;
}

bool sip_message_via(const struct sip_message *msg, struct sip_via *out)
{
	struct bytes rest = msg->via, top;

	*out = (struct sip_via){0};
	return sip_list_next(&rest, &top) && sip_via_parse(top, out);
}

uint32_t sip_message_flags(const struct sip_message *msg)
{
	uint32_t flags = msg->flags;
	struct sip_uri uri;
	struct sip_via via;

	if (msg->uri.len && !sip_uri_parse(msg->uri, &uri))
		flags |= SIP_FLAG_BAD_URI;
	if (!msg->head.len)
		return flags;
	if (!(flags & SIP_FLAG_NO_FROM) && !sip_uri_parse(msg->from.uri, &uri))
		flags |= SIP_FLAG_BAD_FROM;
	if (!(flags & SIP_FLAG_NO_TO) && !sip_uri_parse(msg->to.uri, &uri))
		flags |= SIP_FLAG_BAD_TO;
	if (!(flags & SIP_FLAG_NO_VIA) && !sip_message_via(msg, &via))
		flags |= SIP_FLAG_BAD_VIA;
	return flags;
}
