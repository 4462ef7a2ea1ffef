/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/list.h"

#include <stdbool.h>
#include <string.h>

#include "bpf/punycode.h"
#include "bpf/siphash.h"

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* The text between the quotes at the start of `in`, as far as it goes; `end` is past them. */
static size_t unquote(const uint8_t *in, size_t len, uint8_t *out, size_t *end)
{
	size_t n = 0, i = 1;

	for (; i < len && in[i] != '"'; i++) {
		if (in[i] == '\\' && i + 1 < len)
			i++;
		out[n++] = lower(in[i]);
	}
	*end = i < len ? i + 1 : len;
	return n;
}

/* "@a,@b:user@c" is an address with a route that everybody ignores. */
static size_t route_length(const uint8_t *in, size_t len)
{
	const uint8_t *colon = len && in[0] == '@' ? memchr(in, ':', len) : NULL;

	return colon ? (size_t)(colon - in) + 1 : 0;
}

/* Labels beyond ASCII as they are in the DNS; one that is no UTF-8 stays as it is. */
static size_t label_to_dns(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (in[i] & 0x80) {
			n = punycode_label(in, len, out, room);
			break;
		}
	if (n || len > room)
		return n;
	memcpy(out, in, len);
	return len;
}

/* In lower case already. */
static size_t domain_to_dns(uint8_t *domain, size_t len)
{
	uint8_t in[LIST_TEXT_MAX];
	size_t n = 0, at = 0;

	memcpy(in, domain, len);
	while (at < len) {
		const uint8_t *dot = memchr(in + at, '.', len - at);
		size_t label = dot ? (size_t)(dot - in) - at : len - at;
		size_t more = label_to_dns(in + at, label, domain + n, LIST_TEXT_MAX - n);

		if (label && !more)
			return 0;
		n += more;
		at += label;
		if (at < len) {
			if (n == LIST_TEXT_MAX)
				return 0;
			domain[n++] = '.';
			at++;
		}
	}
	return n;
}

/* Into what is left of a text of LIST_TEXT_MAX, of which `used` is taken. */
static size_t domain_put(const uint8_t *in, size_t len, uint8_t *text, size_t used)
{
	uint8_t domain[LIST_TEXT_MAX];
	uint8_t beyond = 0;

	if (len && in[len - 1] == '.')
		len--;
	if (!len || len > LIST_TEXT_MAX - used)
		return 0;
	for (size_t i = 0; i < len; i++) {
		beyond |= in[i];
		text[used + i] = lower(in[i]);
	}
	if (!(beyond & 0x80))
		return len;
	memcpy(domain, text + used, len);
	len = domain_to_dns(domain, len);
	if (len > LIST_TEXT_MAX - used)
		return 0;
	memcpy(text + used, domain, len);
	return len;
}

size_t list_domain(const void *data, size_t len, uint8_t out[LIST_TEXT_MAX])
{
	return domain_put(data, len, out, 0);
}

size_t list_address(const void *data, size_t len, uint8_t out[LIST_TEXT_MAX])
{
	const uint8_t *in = data, *at;
	size_t route, local, domain, end;

	if (len >= 2 && in[0] == '<' && in[len - 1] == '>') {
		in++;
		len -= 2;
	}
	route = route_length(in, len);
	in += route;
	len -= route;
	if (!len || len > LIST_TEXT_MAX)
		return 0;
	if (in[0] == '"') {
		local = unquote(in, len, out, &end);
	} else {
		at = memrchr(in, '@', len);
		end = at ? (size_t)(at - in) : 0;
		for (local = 0; local < end; local++)
			out[local] = lower(in[local]);
	}
	if (!local || end >= len || in[end] != '@')
		return 0;
	out[local] = '@';
	domain = domain_put(in + end + 1, len - end - 1, out, local + 1);
	return domain ? local + 1 + domain : 0;
}

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

size_t list_number(const void *data, size_t len, uint8_t out[LIST_TEXT_MAX])
{
	const uint8_t *in = data;
	size_t n = 0;

	for (size_t i = len && in[0] == '+'; i < len; i++) {
		if (is_separator(in[i]))
			continue;
		if ((in[i] < '0' || in[i] > '9') && in[i] != '*' && in[i] != '#')
			return 0;
		if (n == LIST_TEXT_MAX)
			return 0;
		out[n++] = in[i];
	}
	return n;
}

uint64_t list_hash(const uint64_t key[2], enum list_kind kind, uint32_t owner, const uint8_t *text,
		   size_t len)
{
	struct {
		uint32_t kind, owner;
		uint8_t text[LIST_TEXT_MAX];
	} what;
	uint64_t hash;

	what.kind = kind;
	what.owner = owner;
	memcpy(what.text, text, len);
	hash = siphash(key, &what, offsetof(typeof(what), text) + len);
	return hash ? hash : 1;
}
