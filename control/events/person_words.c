/* SPDX-License-Identifier: BSD-3-Clause */
/* People in texts that somebody wrote. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "control/events/person.h"

#define GONE "(forgotten)"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_word(char c)
{
	const char l = lower(c);

	return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/* What may go before, and would make it another's: RFC 5321's atext, and a dot. */
static bool goes_before(char c)
{
	return is_word(c) || (c && strchr("!#$%&'*+/=?^_`{|}~-.", c) != NULL);
}

/* Of "a@b.example" those of "a@b.example.net" and "a@b.example-x", not the end of a sentence. */
static bool goes_on(const char *p, const char *end)
{
	if (p < end && (is_word(*p) || *p == '-' || *p == '_'))
		return true;
	return p + 1 < end && *p == '.' && is_word(p[1]);
}

/* A quote may stand before it, and the '+' of a number. */
static bool begins(const char *text, const char *p, bool is_address)
{
	if (p == text)
		return true;
	return is_address ? !goes_before(p[-1]) || p[-1] == '\'' : !is_word(p[-1]);
}

static bool is_here(const char *text, const char *p, const char *end, const char *words, size_t len)
{
	if ((size_t)(end - p) < len || !begins(text, p, strchr(words, '@') != NULL))
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower(p[i]) != words[i])
			return false;
	return !goes_on(p + len, end);
}

char *person_words_out(const char *text, size_t len, const char *words, size_t *out_len)
{
	const char *end = text + len;
	const size_t word = strlen(words);
	size_t found = 0;
	char *out, *to;

	for (const char *p = text; word && p < end; p++)
		if (is_here(text, p, end, words, word)) {
			found++;
			p += word - 1;
		}
	out = found ? malloc(len + found * strlen(GONE) + 1) : NULL;
	if (!out)
		return NULL;
	to = out;
	for (const char *p = text; p < end;) {
		if (!is_here(text, p, end, words, word)) {
			*to++ = *p++;
			continue;
		}
		memcpy(to, GONE, strlen(GONE));
		to += strlen(GONE);
		p += word;
	}
	*to = '\0';
	*out_len = (size_t)(to - out);
	return out;
}
