/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* One to three digits without a needless zero, at most `max`. */
static int parse_length(const char *text, unsigned max)
{
	unsigned value = 0;
	size_t len = strlen(text);

	if (!len || len > 3 || (text[0] == '0' && len > 1))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(*text - '0');
	}
	return value <= max ? (int)value : -EINVAL;
}

/* Clears the bits past the length; true if one was set. */
static bool clear_host_bits(struct prefix *prefix)
{
	bool set = false;

	for (unsigned bit = prefix->length; bit < (prefix->family == 4 ? 32 : 128); bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		set |= prefix->addr[bit / 8] & mask;
		prefix->addr[bit / 8] &= (uint8_t)~mask;
	}
	return set;
}

int cidr_parse(const char *text, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char addr[INET6_ADDRSTRLEN];
	int length;

	if (len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	memset(prefix->addr, 0, sizeof(prefix->addr));
	prefix->family = strchr(addr, ':') ? 6 : 4;
	if (inet_pton(prefix->family == 4 ? AF_INET : AF_INET6, addr, prefix->addr) != 1)
		return -EINVAL;
	length = prefix->family == 4 ? 32 : 128;
	if (slash)
		length = parse_length(slash + 1, length);
	if (length < 0)
		return length;
	prefix->length = length;
	return clear_host_bits(prefix) ? -EDOM : 0;
}

void cidr_format(const struct prefix *prefix, char text[CIDR_TEXT_SIZE])
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family == 4 ? AF_INET : AF_INET6, prefix->addr, addr, sizeof(addr));
	snprintf(text, CIDR_TEXT_SIZE, "%s/%u", addr, prefix->length);
}
