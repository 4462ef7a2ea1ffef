/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/bytes.h"

static uint64_t word_at(const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Words, and a last one that ends where the bytes do. */
bool bytes_case_starts(struct bytes s, struct bytes prefix)
{
	size_t n = prefix.len;

	if (s.len < n)
		return false;
	if (n <= 8)
		return ascii_lower_word(bytes_word(bytes_of(s.p, n))) ==
		       ascii_lower_word(bytes_word(prefix));
	for (size_t i = 0; i < n; i += 8) {
		size_t at = i + 8 <= n ? i : n - 8;

		if (ascii_lower_word(word_at(s.p + at)) != ascii_lower_word(word_at(prefix.p + at)))
			return false;
	}
	return true;
}

bool bytes_all_from(struct bytes s, uint8_t least)
{
	const uint64_t each = UINT64_C(0x0101010101010101);

	if (s.len < 8) {
		for (size_t i = 0; i < s.len; i++)
			if (s.p[i] < least)
				return false;
		return true;
	}
	for (size_t i = 0; i < s.len; i += 8) {
		uint64_t w = word_at(s.p + (i + 8 <= s.len ? i : s.len - 8));

		/* A byte that is less borrows from its high bit, unless it has one. */
		if ((w - least * each) & ~w & 0x80 * each)
			return false;
	}
	return true;
}

bool bytes_case_find(struct bytes s, struct bytes phrase)
{
	for (size_t i = 0; i + phrase.len <= s.len; i++)
		if (bytes_case_starts(bytes_of(s.p + i, s.len - i), phrase))
			return true;
	return false;
}
