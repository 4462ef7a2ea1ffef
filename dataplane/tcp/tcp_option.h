/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options (RFC 9293 3.1): found in a header that decode has seen whole. */
#ifndef POSTERN_TCP_OPTION_H
#define POSTERN_TCP_OPTION_H

#include <stddef.h>
#include <stdint.h>

enum tcp_option {
	TCP_OPTION_END = 0,
	TCP_OPTION_NOP = 1,
	TCP_OPTION_SCALE = 3, /* RFC 7323 2.2 */
	TCP_OPTION_SACK = 5,  /* RFC 2018 3 */
	TCP_OPTION_STAMPS = 8 /* RFC 7323 3.2 */
};

/* The option, kind and length first, at least `size` bytes; NULL without one. */
static inline const uint8_t *tcp_option_find(const uint8_t *tcp, enum tcp_option kind, size_t size)
{
	const uint8_t *p = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;

	while (p < end && *p != TCP_OPTION_END) {
		if (*p == TCP_OPTION_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return NULL;
		if (*p == kind)
			return p[1] >= size ? p : NULL;
		p += p[1];
	}
	return NULL;
}

#endif
