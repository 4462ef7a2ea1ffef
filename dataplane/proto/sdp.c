/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sdp.h"

#include <arpa/inet.h>

#include "dataplane/proto/sip_header.h"
#include "dataplane/proto/sip_uri.h"

/* Up to the next LF, its end cut off; *rest then begins behind it. */
static struct bytes line_take(struct bytes *rest)
{
	const uint8_t *end = bytes_chr(*rest, '\n');
	struct bytes line = {rest->p, end ? (size_t)(end - rest->p) : rest->len};
	size_t taken = line.len + (end != NULL);

	rest->p += taken;
	rest->len -= taken;
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

bool sdp_line_next(struct sdp_lines *lines, struct sdp_line *out)
{
	while (lines->rest.len) {
		struct bytes line = line_take(&lines->rest);

		/* RFC 8866 5: a single letter, '=', and no white space between. */
		if (line.len < 2 || line.p[1] != '=' || line.p[0] < 'a' || line.p[0] > 'z')
			continue;
		if (line.p[0] == 'm')
			lines->media++;
		*out = (struct sdp_line){line.p[0], lines->media,
					 bytes_of(line.p + 2, line.len - 2)};
		return true;
	}
	return false;
}

/* The next word. One blank is between words (RFC 8866 9); more are forgiven. */
static struct bytes word_take(struct bytes *rest)
{
	struct bytes trimmed = bytes_trim(*rest), word = {trimmed.p, 0};

	while (word.len < trimmed.len && trimmed.p[word.len] != ' ' && trimmed.p[word.len] != '\t')
		word.len++;
	*rest = bytes_trim(bytes_of(trimmed.p + word.len, trimmed.len - word.len));
	return word;
}

static struct bytes until(struct bytes s, uint8_t c)
{
	const uint8_t *at = bytes_chr(s, c);

	return at ? bytes_of(s.p, (size_t)(at - s.p)) : s;
}

static uint8_t address_read(struct bytes host, bool six, uint8_t addr[16])
{
	char text[INET6_ADDRSTRLEN];

	if (!host.len || host.len >= sizeof(text) || memchr(host.p, 0, host.len))
		return 0;
	memcpy(text, host.p, host.len);
	text[host.len] = 0;
	if (inet_pton(six ? AF_INET6 : AF_INET, text, addr) != 1)
		return 0;
	return six ? 6 : 4;
}

bool sdp_connection_read(struct bytes value, struct sdp_connection *out)
{
	struct bytes net = word_take(&value), type = word_take(&value);

	*out = (struct sdp_connection){.host = until(word_take(&value), '/')};
	if (!out->host.len)
		return false;
	/* Who dials takes the address as what it looks like, whatever the type says. */
	if (bytes_caseeq(net, BYTES("IN")) && type.len)
		out->family = address_read(out->host, bytes_chr(out->host, ':') != NULL, out->addr);
	return true;
}

static bool media_line_read(struct bytes value, struct sdp_media *out)
{
	struct bytes ports, many;
	int64_t port, count = 1;

	*out = (struct sdp_media){.media = word_take(&value)};
	ports = word_take(&value);
	out->proto = word_take(&value);
	out->formats = value;
	many = until(ports, '/');
	port = sip_number_value(many, UINT16_MAX);
	if (many.len < ports.len)
		count = sip_number_value(bytes_of(many.p + many.len + 1, ports.len - many.len - 1),
					 UINT16_MAX);
	if (!out->proto.len || port < 0 || count < 1)
		return false;
	out->port = (uint16_t)port;
	out->ports = (uint16_t)count;
	return true;
}

static void attribute_read(struct bytes value, struct sdp_media *out)
{
	struct bytes name = until(value, ':');
	int64_t port;

	if (bytes_eq(name, BYTES("rtcp-mux"))) {
		out->rtcp_mux = true;
	} else if (bytes_eq(name, BYTES("rtcp")) && name.len < value.len) {
		value = bytes_of(value.p + name.len + 1, value.len - name.len - 1);
		port = sip_number_value(word_take(&value), UINT16_MAX);
		if (port > 0)
			out->rtcp_port = (uint16_t)port;
	}
}

/* What stands under an m= line, up to the next. */
static void media_lines_read(struct sdp_lines *lines, struct sdp_media *out)
{
	struct sdp_lines ahead = *lines;
	struct sdp_connection own;
	struct sdp_line line;

	while (sdp_line_next(&ahead, &line) && line.type != 'm') {
		*lines = ahead;
		if (line.type == 'c' && sdp_connection_read(line.value, &own))
			out->at = own;
		else if (line.type == 'a')
			attribute_read(line.value, out);
	}
}

/* Lines that are the session's, up to the first m=. */
static void session_lines_read(struct sdp_medias *medias)
{
	struct sdp_media session = {0};

	media_lines_read(&medias->lines, &session);
	medias->session = session.at;
	medias->begun = true;
}

bool sdp_media_next(struct sdp_medias *medias, struct sdp_media *out)
{
	struct sdp_line line;

	if (!medias->begun)
		session_lines_read(medias);
	while (sdp_line_next(&medias->lines, &line)) {
		if (line.type != 'm' || !media_line_read(line.value, out))
			continue;
		out->at = medias->session;
		media_lines_read(&medias->lines, out);
		return true;
	}
	return false;
}

/* Its value, without quotes. */
static struct bytes param_value(struct bytes content_type, struct bytes name)
{
	const uint8_t *params = bytes_chr(content_type, ';');
	struct bytes value = {NULL, 0};

	if (!params)
		return value;
	sip_param(bytes_of(params + 1, (size_t)(content_type.p + content_type.len - params) - 1),
		  name, &value);
	if (value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"')
		value = bytes_of(value.p + 1, value.len - 2);
	return value;
}

static bool is_type(struct bytes content_type, struct bytes type)
{
	return bytes_caseeq(bytes_trim(until(content_type, ';')), type);
}

/* A line of "--boundary", or "--boundary--" at the end (RFC 2046 5.1.1). */
static bool is_delimiter(struct bytes line, struct bytes boundary, bool *last)
{
	if (line.len < boundary.len + 2 || memcmp(line.p, "--", 2) != 0 ||
	    memcmp(line.p + 2, boundary.p, boundary.len) != 0)
		return false;
	line = bytes_of(line.p + 2 + boundary.len, line.len - 2 - boundary.len);
	*last = line.len >= 2 && memcmp(line.p, "--", 2) == 0;
	if (*last)
		line = bytes_of(line.p + 2, line.len - 2);
	return bytes_trim(line).len == 0;
}

/* Up to the next delimiter line, its CRLF left out; *rest begins behind that line. */
static struct bytes part_take(struct bytes *rest, struct bytes boundary, bool *last)
{
	struct bytes part = {rest->p, 0};

	*last = true;
	while (rest->len) {
		const uint8_t *begin = rest->p;
		struct bytes line = line_take(rest);

		if (is_delimiter(line, boundary, last))
			break;
		part.len = (size_t)(begin - part.p) + line.len;
	}
	return part;
}

/* A part's description: it is of that type, and not encoded. */
static struct bytes sdp_in_part(struct bytes part)
{
	struct bytes type = {NULL, 0};
	struct sip_header header;
	enum sip_header_next next;
	uint32_t flags = 0;

	while ((next = sip_header_next(&part, &header, &flags)) == SIP_HEADER_FOUND ||
	       next == SIP_HEADER_BAD) {
		if (next == SIP_HEADER_BAD)
			continue;
		if (header.id == SIP_HEADER_CONTENT_TYPE)
			type = header.value;
		else if (bytes_caseeq(header.name, BYTES("Content-Transfer-Encoding")) &&
			 (bytes_caseeq(header.value, BYTES("base64")) ||
			  bytes_caseeq(header.value, BYTES("quoted-printable"))))
			return bytes_of(NULL, 0);
	}
	return next == SIP_HEADER_END && is_type(type, BYTES("application/sdp"))
		       ? part
		       : bytes_of(NULL, 0);
}

struct bytes sdp_in_body(struct bytes content_type, struct bytes body)
{
	struct bytes boundary, found = {NULL, 0};
	bool last;

	if (is_type(content_type, BYTES("application/sdp")))
		return body;
	if (!bytes_case_starts(bytes_trim(content_type), BYTES("multipart/")))
		return found;
	boundary = param_value(content_type, BYTES("boundary"));
	if (!boundary.len)
		return found;
	part_take(&body, boundary, &last);
	while (!last && !found.len)
		found = sdp_in_part(part_take(&body, boundary, &last));
	return found;
}
