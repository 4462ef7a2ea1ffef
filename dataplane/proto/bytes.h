/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes that belong to someone else: the parsers' common coin.
 *
 * A `struct bytes` points into a packet or a carry buffer of the caller. It is
 * never NUL-terminated and lives only as long as the call that handed it out,
 * unless the function that returns it says otherwise. All functions here are
 * pure: any thread, no blocking, no errors.
 */
#ifndef POSTERN_PROTO_BYTES_H
#define POSTERN_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct bytes {
	const uint8_t *p;
	size_t len;
};

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct bytes bytes_of(const void *p, size_t len)
{
	return (struct bytes){p, len};
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* ASCII case folded, as SMTP verbs, header names and SIP tokens compare. */
bool bytes_caseeq(struct bytes a, struct bytes b);
bool bytes_case_starts(struct bytes s, struct bytes prefix);

/* Without leading and trailing SP and HTAB (and CR, LF). */
struct bytes bytes_trim(struct bytes s);

/* First occurrence of c, or NULL. */
static inline const uint8_t *bytes_chr(struct bytes s, uint8_t c)
{
	return s.len ? memchr(s.p, c, s.len) : NULL;
}

static inline uint8_t ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline uint8_t ascii_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

static inline bool ascii_isdigit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

#endif
