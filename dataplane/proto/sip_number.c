/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_number.h"

static int hex_value(uint8_t c)
{
	if (ascii_isdigit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes one character off *rest, unescaped; a '%' that escapes nothing stands for itself. */
static uint8_t char_next(struct bytes *rest)
{
	uint8_t c = rest->p[0];
	size_t taken = 1;

	if (c == '%' && rest->len >= 3) {
		int high = hex_value(rest->p[1]), low = hex_value(rest->p[2]);

		if (high >= 0 && low >= 0) {
			c = (uint8_t)(high << 4 | low);
			taken = 3;
		}
	}
	*rest = bytes_of(rest->p + taken, rest->len - taken);
	return c;
}

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '.' || c == '(' || c == ')' || c == ' ';
}

static bool is_digit(uint8_t c)
{
	return ascii_isdigit(c) || c == '*' || c == '#' || (c >= 'A' && c <= 'D');
}

static bool number_append(struct sip_number *out, uint8_t c)
{
	if (c == '+' && out->len == 0)
		out->global = true;
	else if (!is_digit(c = ascii_upper(c)))
		return false;
	if (out->len == SIP_NUMBER_MAX)
		return false;
	out->digits[out->len++] = (char)c;
	return true;
}

bool sip_number_read(const struct sip_uri *uri, struct sip_number *out)
{
	struct bytes rest = uri->user;

	*out = (struct sip_number){0};
	if (uri->scheme_id != SIP_SCHEME_SIP && uri->scheme_id != SIP_SCHEME_SIPS &&
	    uri->scheme_id != SIP_SCHEME_TEL)
		return false;
	while (rest.len) {
		uint8_t c = char_next(&rest);

		if (c == ';' || c == '\0')
			break;
		if (!is_separator(c) && !number_append(out, c)) {
			*out = (struct sip_number){0};
			return false;
		}
	}
	while (out->len > 1 && out->digits[out->len - 1] == '#')
		out->len--;
	out->digits[out->len] = '\0';
	if (out->len <= out->global) /* nothing, or a lone '+' */
		*out = (struct sip_number){0};
	return out->len > 0;
}

bool sip_uri_is_sos(const struct sip_uri *uri)
{
	static const struct bytes sos = {(const uint8_t *)"service:sos", 11};
	struct bytes rest = uri->opaque;
	size_t i = 0;

	if (uri->scheme_id != SIP_SCHEME_URN)
		return false;
	while (rest.len && i < sos.len)
		if (ascii_lower(char_next(&rest)) != sos.p[i++])
			return false;
	if (i < sos.len)
		return false;
	if (rest.len == 0)
		return true;

	uint8_t c = char_next(&rest);

	return c == '.' || c == ';' || c == '?' || c == '#' || c == '\0';
}

bool sip_number_listed(const struct sip_number *number, const char *const *list, size_t count)
{
	size_t low = 0, high = number->len ? count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(number->digits, list[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool sip_uri_is_emergency(const struct sip_uri *uri, const char *const *list, size_t count)
{
	struct sip_number number;

	return sip_uri_is_sos(uri) ||
	       (sip_number_read(uri, &number) && sip_number_listed(&number, list, count));
}
