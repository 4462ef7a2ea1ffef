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

/* Eight characters at once to lower case, as ascii_lower() does one. */
static inline uint64_t ascii_lower_word(uint64_t w)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t seven = w & 0x7f * each;
	/* The high bits tell what is above '@', and what is above 'Z'. */
	uint64_t upper = (seven + (0x80 - 'A') * each) ^ (seven + (0x7f - 'Z') * each);

	return w | (upper & ~w & 0x80 * each) >> 2;
}

/* Eight bytes at most as a word: other bytes of the same length make another word. */
static inline uint64_t bytes_word(struct bytes s)
{
	uint32_t low = 0, high = 0;

	if (s.len >= 4) {
		memcpy(&low, s.p, 4);
		memcpy(&high, s.p + s.len - 4, 4);
	} else if (s.len) {
		low = s.p[0];
		high = (uint32_t)s.p[s.len / 2] << 8 | s.p[s.len - 1];
	}
	return (uint64_t)high << 32 | low;
}

bool bytes_case_starts(struct bytes s, struct bytes prefix);
/* Whether it is somewhere in it, in any case of letters. */
bool bytes_case_find(struct bytes s, struct bytes phrase);

/* ASCII case folded, as SMTP verbs, header names and SIP tokens compare. */
static inline bool bytes_caseeq(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	if (a.len <= 8)
		return ascii_lower_word(bytes_word(a)) == ascii_lower_word(bytes_word(b));
	return bytes_case_starts(a, b);
}

/* Is every byte at least `least` (at most 0x80)? */
bool bytes_all_from(struct bytes s, uint8_t least);

/* SP, HTAB, CR and LF. */
static inline bool ascii_isblank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without leading and trailing SP and HTAB (and CR, LF). */
static inline struct bytes bytes_trim(struct bytes s)
{
	while (s.len && ascii_isblank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len && ascii_isblank(s.p[s.len - 1]))
		s.len--;
	return s;
}

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
