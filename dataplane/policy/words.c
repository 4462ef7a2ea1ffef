/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/words.h"

#include "dataplane/proto/domain_name.h"

struct bytes words_next(const struct policy_words *words, struct bytes word)
{
	const char *p = word.len ? (const char *)word.p + word.len + 1 : words->text;

	return bytes_of(p, strlen(p));
}

static bool is_word_char(uint8_t c)
{
	return ascii_isdigit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* How many bytes at `at` nobody sees: U+00AD, U+200B to U+200D, U+2060, U+FEFF. */
static size_t unseen(struct bytes text, size_t at)
{
	const uint8_t *p = text.p + at;
	size_t left = text.len - at;

	if (left >= 2 && p[0] == 0xc2 && p[1] == 0xad)
		return 2;
	if (left < 3)
		return 0;
	if (p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0x8b && p[2] <= 0x8d)
		return 3;
	if (p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0xa0)
		return 3;
	return p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf ? 3 : 0;
}

/* The same of a blank: SP, HTAB, U+00A0. */
static size_t blank(struct bytes text, size_t at)
{
	if (ascii_isblank(text.p[at]))
		return 1;
	return text.len - at >= 2 && text.p[at] == 0xc2 && text.p[at + 1] == 0xa0 ? 2 : 0;
}

/* Where the word that begins at `at` ends; 0: it doesn't stand there. */
static size_t word_end(struct bytes text, size_t at, struct bytes word)
{
	bool blanks = false; /* of the word's last blank's run */

	for (size_t i = 0; i < word.len;) {
		size_t n = at < text.len ? unseen(text, at) : 0;

		if (!n && blanks && at < text.len)
			n = blank(text, at);
		if (n) {
			at += n;
			continue;
		}
		if (at == text.len)
			return 0;
		if (word.p[i] == ' ') {
			n = blank(text, at);
			if (!n)
				return 0;
			at += n;
			blanks = true;
		} else if (ascii_lower(word.p[i]) == ascii_lower(text.p[at])) {
			at++;
			blanks = false;
		} else {
			return 0;
		}
		i++;
	}
	return at;
}

/* Where a word may begin: its first letter stands there, and no letter before it. */
static bool may_begin(struct bytes text, size_t at)
{
	return !unseen(text, at) &&
	       (!at || !is_word_char(text.p[at - 1]) || !is_word_char(text.p[at]));
}

static bool may_end(struct bytes text, size_t at)
{
	return at == text.len || !is_word_char(text.p[at]) || !is_word_char(text.p[at - 1]);
}

struct bytes words_find(const struct policy_words *words, struct bytes text, struct bytes *word)
{
	for (size_t at = 0; words->text[0] && at < text.len; at++) {
		if (!may_begin(text, at))
			continue;
		*word = words_next(words, bytes_of(NULL, 0));
		for (; word->len; *word = words_next(words, *word)) {
			size_t end = word_end(text, at, *word);

			if (end && may_end(text, end))
				return bytes_of(text.p + at, end - at);
		}
	}
	*word = bytes_of(NULL, 0);
	return *word;
}

bool words_have_host(const struct policy_words *words, struct bytes host)
{
	struct bytes word = words_next(words, bytes_of(NULL, 0));

	if (host.len && host.p[host.len - 1] == '.')
		host.len--;
	for (; word.len; word = words_next(words, word)) {
		if (bytes_caseeq(host, word))
			return true;
		if (word.p[0] == '.' && host.len > word.len &&
		    bytes_caseeq(bytes_of(host.p + host.len - word.len, word.len), word))
			return true;
	}
	return false;
}

bool words_have_domain(const struct policy_words *words, struct bytes domain)
{
	struct bytes word = words_next(words, bytes_of(NULL, 0));

	for (; word.len; word = words_next(words, word))
		if (domain_name_is_in(domain, word))
			return true;
	return false;
}
