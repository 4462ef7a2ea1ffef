/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_uri.h"
#include "dataplane/proto/sip_header.h"

static struct bytes bytes_from(struct bytes s, size_t start)
{
	return bytes_of(s.p + start, s.len - start);
}

static struct bytes bytes_until(struct bytes s, const uint8_t *end)
{
	return bytes_of(s.p, (size_t)(end - s.p));
}

/* Splits s at the first c: s keeps what is before, the rest (without c) is returned. */
static struct bytes split_at(struct bytes *s, uint8_t c)
{
	const uint8_t *p = bytes_chr(*s, c);

	if (!p)
		return bytes_of(s->p + s->len, 0);

	struct bytes rest = bytes_from(*s, (size_t)(p + 1 - s->p));

	*s = bytes_until(*s, p);
	return rest;
}

/* host [ ":" port ], white space allowed around the colon as in Via. False: not one. */
static bool host_port_parse(struct bytes s, struct bytes *host, uint16_t *port)
{
	struct bytes tail;

	s = bytes_trim(s);
	*port = 0;
	if (s.len && s.p[0] == '[') {
		const uint8_t *close = bytes_chr(s, ']');

		if (!close) {
			*host = s;
			return false;
		}
		*host = bytes_of(s.p + 1, (size_t)(close - s.p) - 1);
		tail = bytes_trim(bytes_from(s, (size_t)(close + 1 - s.p)));
		if (tail.len == 0)
			return host->len > 0;
		if (tail.p[0] != ':')
			return false;
		tail = bytes_from(tail, 1);
	} else {
		const uint8_t *colon = bytes_chr(s, ':');

		*host = s;
		if (!colon)
			return s.len > 0;
		tail = split_at(host, ':');
		*host = bytes_trim(*host);
	}

	int64_t value = sip_number_value(bytes_trim(tail), UINT16_MAX);

	if (value < 0)
		return false;
	*port = (uint16_t)value;
	return host->len > 0;
}

/* RFC 3261 19.1.1: [userinfo "@"] hostport params [headers]. */
static bool sip_opaque_parse(struct sip_uri *out)
{
	struct bytes rest = out->opaque;
	/* An unescaped '@' can only end the userinfo, which may hold ';' and '?' itself. */
	const uint8_t *at = bytes_chr(rest, '@');
	bool good = true;

	if (at) {
		out->user = bytes_until(rest, at);
		out->password = split_at(&out->user, ':');
		rest = bytes_from(rest, (size_t)(at + 1 - rest.p));
		good = out->user.len > 0;
	}
	out->headers = split_at(&rest, '?');
	out->params = split_at(&rest, ';');
	return host_port_parse(rest, &out->host, &out->port) && good;
}

static enum sip_scheme scheme_id(struct bytes scheme)
{
	if (bytes_caseeq(scheme, BYTES("sip")))
		return SIP_SCHEME_SIP;
	if (bytes_caseeq(scheme, BYTES("sips")))
		return SIP_SCHEME_SIPS;
	if (bytes_caseeq(scheme, BYTES("tel")))
		return SIP_SCHEME_TEL;
	if (bytes_caseeq(scheme, BYTES("urn")))
		return SIP_SCHEME_URN;
	return SIP_SCHEME_OTHER;
}

/* RFC 3986 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
static bool is_scheme(struct bytes s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = ascii_lower(s.p[i]);
		bool letter = c >= 'a' && c <= 'z';

		if (!letter && (i == 0 || !(ascii_isdigit(c) || c == '+' || c == '-' || c == '.')))
			return false;
	}
	return s.len > 0;
}

bool sip_uri_parse(struct bytes s, struct sip_uri *out)
{
	*out = (struct sip_uri){.raw = s};

	struct bytes scheme = s;
	struct bytes opaque = split_at(&scheme, ':');

	if (scheme.len == s.len || !is_scheme(scheme))
		return false;
	out->scheme = scheme;
	out->opaque = opaque;
	out->scheme_id = (uint8_t)scheme_id(scheme);
	switch (out->scheme_id) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		return sip_opaque_parse(out);
	case SIP_SCHEME_TEL:
		out->user = opaque;
		out->params = split_at(&out->user, ';');
		return out->user.len > 0;
	default:
		return opaque.len > 0;
	}
}

/* Where the first parameter ends: at a ';' outside quotes, or where all ends. */
static size_t param_end(struct bytes s)
{
	const uint8_t *semicolon = bytes_chr(s, ';');
	size_t i = semicolon ? (size_t)(semicolon - s.p) : s.len;
	bool quoted = false;

	if (!bytes_chr(bytes_of(s.p, i), '"'))
		return i;
	for (i = 0; i < s.len; i++) {
		uint8_t c = s.p[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == ';')
			break;
	}
	return i < s.len ? i : s.len;
}

/* Takes one parameter off *rest. */
static bool param_next(struct bytes *rest, struct bytes *name, struct bytes *value)
{
	if (rest->len == 0)
		return false;

	size_t i = param_end(*rest);
	struct bytes param = bytes_of(rest->p, i);

	i += i < rest->len;
	*rest = bytes_from(*rest, i);
	*value = bytes_trim(split_at(&param, '='));
	*name = bytes_trim(param);
	return true;
}

bool sip_param(struct bytes params, struct bytes name, struct bytes *value)
{
	struct bytes this_name;

	while (param_next(&params, &this_name, value))
		if (bytes_caseeq(this_name, name))
			return true;
	*value = bytes_of(params.p, 0);
	return false;
}

/* Past a quoted string at the front; NULL when it never ends. */
static const uint8_t *quoted_end(struct bytes s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return s.p + i + 1;
	}
	return NULL;
}

/*
 * addr-spec without <>: the URI's own parameters can't be told from the header's, and RFC
 * 3261 20.10 gives them to the header. A ';' before the '@' is the user's.
 */
static void bare_address_split(struct bytes s, struct bytes *uri, struct bytes *params)
{
	const uint8_t *at = bytes_chr(s, '@');
	size_t start = at ? (size_t)(at - s.p) : 0;
	struct bytes tail = bytes_from(s, start);

	*params = split_at(&tail, ';');
	*uri = bytes_trim(bytes_of(s.p, start + tail.len));
}

bool sip_address_parse(struct bytes s, struct sip_address *out)
{
	*out = (struct sip_address){0};
	s = bytes_trim(s);

	struct bytes uri, rest = s;
	bool good = true;

	if (s.len && s.p[0] == '"') {
		const uint8_t *end = quoted_end(s);

		good = end != NULL;
		if (end) {
			out->display = bytes_of(s.p + 1, (size_t)(end - s.p) - 2);
			rest = bytes_from(s, (size_t)(end - s.p));
		}
	}

	const uint8_t *open = bytes_chr(rest, '<');

	if (open) {
		if (!out->display.len)
			out->display = bytes_trim(bytes_until(rest, open));
		uri = bytes_from(rest, (size_t)(open + 1 - rest.p));

		const uint8_t *close = bytes_chr(uri, '>');

		good = good && close;
		if (close) {
			struct bytes after = bytes_from(uri, (size_t)(close + 1 - uri.p));

			uri = bytes_until(uri, close);
			out->params = split_at(&after, ';');
			good = good && bytes_trim(after).len == 0;
		}
	} else {
		bare_address_split(rest, &uri, &out->params);
	}
	out->uri = bytes_trim(uri);
	if (out->params.len)
		sip_param(out->params, BYTES("tag"), &out->tag);
	return good;
}

bool sip_via_parse(struct bytes s, struct sip_via *out)
{
	*out = (struct sip_via){.raw = s};

	struct bytes rest = bytes_trim(s);
	struct bytes name = rest;
	struct bytes version = split_at(&name, '/');
	struct bytes transport = split_at(&version, '/');
	bool good = bytes_caseeq(bytes_trim(name), BYTES("SIP")) &&
		    bytes_eq(bytes_trim(version), BYTES("2.0"));

	transport = bytes_trim(transport);
	for (size_t i = 0; i < transport.len; i++) {
		if (!sip_is_lws(transport.p[i]))
			continue;
		rest = bytes_from(transport, i);
		transport.len = i;
		out->transport = transport;
		out->params = split_at(&rest, ';');
		sip_param(out->params, BYTES("branch"), &out->branch);
		return host_port_parse(rest, &out->host, &out->port) && good &&
		       sip_is_token(transport);
	}
	return false;
}
