/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each pass marks bytes with the class of what they are; what one has marked the next leave. Where
 * it is not clear what something is, more goes rather than less: nobody misses it who reads why a
 * mail was refused.
 */
#include "dataplane/proto/redact.h"

#define NUMBER_DIGITS 7
#define NUMBER_GAP    3  /* bytes between two digits of a number */
#define TOKEN_MIXED   16 /* bytes of a word of letters and digits */
#define TOKEN_CASES   24 /* of one of letters in both cases */
#define SECRET_REACH  64 /* bytes from a word such as "password" to what it is */

enum mark { PLAIN, ADDRESS, NUMBER, USER, QUERY, SECRET, CUT, MARKS };

static const struct bytes marks[MARKS] = {
	[ADDRESS] = {(const uint8_t *)"[address]", 9}, [NUMBER] = {(const uint8_t *)"[number]", 8},
	[USER] = {(const uint8_t *)"[user]", 6},       [QUERY] = {(const uint8_t *)"[query]", 7},
	[SECRET] = {(const uint8_t *)"[secret]", 8},   [CUT] = {(const uint8_t *)"[cut]", 5},
};

struct text {
	uint8_t p[REDACT_MAX], mark[REDACT_MAX];
	size_t len, from, to;
	bool starts, ends;
};

static bool is_letter(uint8_t c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static bool is_text(uint8_t c)
{
	return (c >= ' ' && c <= '~') || c == '\t' || c == '\r' || c == '\n';
}

/* What parts words: blanks and controls, and what is put around an address or a URL. */
static bool is_gap(uint8_t c)
{
	return c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"';
}

/* A NUL that only makes sixteen bits of a letter: another of them is near. */
static bool is_half(const uint8_t *p, size_t len, size_t i)
{
	const bool after = i > 0 && is_text(p[i - 1]), before = i + 1 < len && is_text(p[i + 1]);

	if (p[i] || !((i == 0 || after) && (i + 1 == len || before) && (after || before)))
		return false;
	return (i >= 2 && !p[i - 2]) || (i + 2 < len && !p[i + 2]);
}

static void text_take(struct text *t, const struct redact_piece *piece)
{
	const size_t len = piece->bytes.len < REDACT_MAX ? piece->bytes.len : REDACT_MAX;

	t->len = t->from = t->to = 0;
	t->starts = piece->starts;
	t->ends = piece->ends && len == piece->bytes.len;
	for (size_t i = 0; i < len; i++) {
		if (is_half(piece->bytes.p, len, i))
			continue;
		t->from += i < piece->from;
		t->to += i < piece->to;
		t->p[t->len++] = piece->bytes.p[i];
	}
	memset(t->mark, PLAIN, t->len);
}

/* Those of [from, to) that have none. */
static void mark(struct text *t, size_t from, size_t to, enum mark mark)
{
	for (size_t i = from; i < to; i++)
		if (!t->mark[i])
			t->mark[i] = (uint8_t)mark;
}

static struct bytes rest_of(const struct text *t, size_t at)
{
	return bytes_of(t->p + at, t->len - at);
}

/* Keys in PEM and the like; one that began or ends elsewhere as far as it goes. */
static void mark_keys(struct text *t)
{
	static const struct bytes begin = {(const uint8_t *)"-----BEGIN", 10};
	static const struct bytes end = {(const uint8_t *)"-----END", 8};
	size_t from = 0;
	bool inside = false;

	for (size_t i = 0; i < t->len; i++) {
		if (t->p[i] != '-')
			continue;
		if (!inside && bytes_case_starts(rest_of(t, i), begin)) {
			inside = true;
			from = i;
		} else if (bytes_case_starts(rest_of(t, i), end)) {
			mark(t, from, i + end.len, SECRET);
			from = i + end.len;
			inside = false;
		}
	}
	if (inside)
		mark(t, from, t->len, SECRET);
}

/* An @ as mail and HTML write it: its bytes, or 0. */
static size_t at_sign(const struct text *t, size_t i, size_t end)
{
	static const struct bytes signs[] = {
		{(const uint8_t *)"@", 1},
		{(const uint8_t *)"%40", 3},
		{(const uint8_t *)"&#64;", 5},
		{(const uint8_t *)"&#x40;", 6},
	};

	if (t->p[i] != '@' && t->p[i] != '%' && t->p[i] != '&')
		return 0;
	for (size_t s = 0; s < sizeof(signs) / sizeof(signs[0]); s++)
		if (bytes_case_starts(bytes_of(t->p + i, end - i), signs[s]))
			return signs[s].len;
	return 0;
}

static bool parts_addresses(uint8_t c)
{
	return c == ',' || c == ';' || c == '(' || c == ')' || c == '[' || c == ']' || c == '|';
}

/* Of the word, or of a URL's path, what is around an @. */
static void mark_addresses(struct text *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t len = at_sign(t, i, to), begin = i, end = i + len;

		if (!len)
			continue;
		while (begin > from && !parts_addresses(t->p[begin - 1]))
			begin--;
		while (end < to && !parts_addresses(t->p[end]))
			end++;
		if (end - begin > len)
			mark(t, begin, end, ADDRESS);
		i = end - 1;
	}
}

static size_t find(const struct text *t, size_t from, size_t to, const char *any)
{
	while (from < to && !(t->p[from] && strchr(any, t->p[from])))
		from++;
	return from;
}

/* Where the word's authority begins, behind "://"; `to`: it is no URL. */
static size_t authority_of(const struct text *t, size_t from, size_t to)
{
	for (size_t i = from; i + 3 <= to; i++)
		if (t->p[i] == ':' && t->p[i + 1] == '/' && t->p[i + 2] == '/')
			return i + 3;
	return to;
}

/* Returns where it begins. */
static size_t mark_query(struct text *t, size_t from, size_t to, bool is_url)
{
	const size_t query = find(t, from, to, is_url ? "?#" : "?");

	if (query < to && (is_url || find(t, query, to, "=") < to))
		mark(t, query + 1, to, QUERY);
	return query;
}

static void mark_url(struct text *t, size_t authority, size_t to)
{
	const size_t path = find(t, authority, to, "/?#\\");
	size_t user = path;

	while (user > authority && t->p[user - 1] != '@')
		user--;
	if (user > authority)
		mark(t, authority, user - 1, USER);
	to = mark_query(t, path, to, true);
	for (size_t from = path; from < to;) {
		const size_t next = find(t, from + 1, to, "/");

		mark_addresses(t, from + 1, next);
		from = next;
	}
}

static void mark_words(struct text *t)
{
	for (size_t from = 0, to; from < t->len; from = to) {
		size_t authority;

		while (from < t->len && is_gap(t->p[from]))
			from++;
		for (to = from; to < t->len && !is_gap(t->p[to]);)
			to++;
		if (from == to)
			break;
		if ((from == 0 && !t->starts) || (to == t->len && !t->ends)) {
			mark(t, from, to, CUT);
			continue;
		}
		authority = authority_of(t, from, to);
		if (authority < to) {
			mark_addresses(t, from, authority);
			mark_url(t, authority, to);
			continue;
		}
		mark_addresses(t, from, to);
		mark_query(t, from, to, false);
	}
}

/* Words behind which a secret stands: at once, or where something such as : or = says so. */
static const struct opener {
	struct bytes word;
	bool at_once, line; /* the rest of the line */
} openers[] = {
#define OPENER(word, at_once, line)                                        \
	{                                                                  \
		{(const uint8_t *)(word), sizeof(word) - 1}, at_once, line \
	}
	OPENER("authorization", false, true), OPENER("bearer", true, false),
	OPENER("basic", true, false),         OPENER("apikey", false, false),
	OPENER("auth", false, false),         OPENER("code", false, false),
	OPENER("cookie", false, true),        OPENER("credentials", false, false),
	OPENER("credential", false, false),   OPENER("cvc", false, false),
	OPENER("cvv", false, false),          OPENER("key", false, false),
	OPENER("mnemonic", false, true),      OPENER("otp", false, false),
	OPENER("passcode", false, false),     OPENER("passphrase", false, true),
	OPENER("password", false, false),     OPENER("passwd", false, false),
	OPENER("pass", false, false),         OPENER("pin", false, false),
	OPENER("pwd", false, false),          OPENER("pw", false, false),
	OPENER("secret", false, false),       OPENER("seed phrase", false, true),
	OPENER("session", false, false),      OPENER("sid", false, false),
	OPENER("signature", false, false),    OPENER("sig", false, false),
	OPENER("ssn", false, false),          OPENER("tan", false, false),
	OPENER("token", false, false),
};

static const struct opener *opener_at(const struct text *t, size_t i)
{
	const struct bytes rest = rest_of(t, i);

	if (i > 0 && is_letter(t->p[i - 1]))
		return NULL;
	for (size_t k = 0; k < sizeof(openers) / sizeof(openers[0]); k++)
		if (bytes_case_starts(rest, openers[k].word) &&
		    !(rest.len > openers[k].word.len && is_letter(rest.p[openers[k].word.len])))
			return &openers[k];
	return NULL;
}

/* "is", "are", "was" as a word of their own: how many bytes, or 0. */
static size_t says_so(const struct text *t, size_t i)
{
	static const struct bytes words[] = {
		{(const uint8_t *)"is ", 3},
		{(const uint8_t *)"are ", 4},
		{(const uint8_t *)"was ", 4},
	};

	for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
		if (bytes_case_starts(rest_of(t, i), words[k]))
			return words[k].len;
	return 0;
}

static void mark_secret(struct text *t, const struct opener *opener, size_t i)
{
	const size_t reach = i + SECRET_REACH < t->len ? i + SECRET_REACH : t->len;
	const size_t behind = i;
	bool said = opener->at_once, digits = false;
	size_t end;

	while (i < reach) {
		const size_t is = says_so(t, i);

		if (t->p[i] == '<') { /* a tag of HTML's */
			i = find(t, i, reach, ">");
		} else if (is) {
			said = true;
			i += is - 1;
		} else if (t->p[i] > ' ' && !strchr(":=\"'`*>", t->p[i])) {
			break;
		} else {
			said |= t->p[i] > ' ' && t->p[i] != '>';
		}
		i += i < reach;
	}
	if (i == behind)
		return;
	for (end = i; end < t->len; end++) {
		if (opener->line ? t->p[end] == '\n' || t->p[end] == '<' : is_gap(t->p[end]))
			break;
		digits |= ascii_isdigit(t->p[end]);
	}
	if (said || digits)
		mark(t, i, end, SECRET);
}

static void mark_secrets(struct text *t)
{
	for (size_t i = 0; i < t->len; i++) {
		const struct opener *opener = is_letter(t->p[i]) && !t->mark[i] ? opener_at(t, i)
										: NULL;

		if (opener)
			mark_secret(t, opener, i + opener->word.len);
	}
}

static bool is_token(uint8_t c, bool in_url)
{
	return is_letter(c) || ascii_isdigit(c) || c == '+' || c == '_' || c == '=' || c == '-' ||
	       c == '~' || (c == '/' && !in_url);
}

/* Words that nobody says: keys, hashes, numbers of orders. */
static void mark_tokens(struct text *t)
{
	bool in_url = false; /* a / parts words there, and is one of 64 letters elsewhere */

	for (size_t from = 0, to; from < t->len; from = to + 1) {
		bool digit = false, upper = false, lower = false, other = false;

		for (to = from; to < t->len && is_token(t->p[to], in_url) && !t->mark[to]; to++) {
			digit |= ascii_isdigit(t->p[to]);
			lower |= t->p[to] >= 'a' && t->p[to] <= 'z';
			upper |= t->p[to] >= 'A' && t->p[to] <= 'Z';
			other |= t->p[to] == '-' || t->p[to] == '_' || t->p[to] == '/';
		}
		if ((to - from >= TOKEN_MIXED && digit && (upper || lower)) ||
		    (to - from >= TOKEN_CASES && upper && lower && !other))
			mark(t, from, to, SECRET);
		if (to < t->len && is_gap(t->p[to]))
			in_url = false;
		else if (authority_of(t, to, to + 3 < t->len ? to + 3 : t->len) == to + 3)
			in_url = true;
	}
}

static bool is_in_number(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '.' || c == '-' ||
	       c == '/' || c == '(' || c == ')' || c == '+' || c >= 0x80;
}

/* The number that begins with the digit at `from`: where it ends, and how many digits it has. */
static size_t number_end(const struct text *t, size_t from, size_t *digits)
{
	size_t end = from + 1;

	*digits = 1;
	for (size_t i = from + 1; i < t->len && i - end <= NUMBER_GAP && !t->mark[i]; i++) {
		if (ascii_isdigit(t->p[i])) {
			++*digits;
			end = i + 1;
		} else if (!is_in_number(t->p[i])) {
			break;
		}
	}
	return end;
}

static void mark_numbers(struct text *t)
{
	for (size_t i = 0, end; i < t->len; i = end) {
		size_t digits, from = i;
		bool cut;

		end = i + 1;
		if (!ascii_isdigit(t->p[i]) || t->mark[i])
			continue;
		end = number_end(t, i, &digits);
		cut = (i <= NUMBER_GAP && !t->starts) || (t->len - end <= NUMBER_GAP && !t->ends);
		while (from > 0 && (t->p[from - 1] == '+' || t->p[from - 1] == '('))
			from--;
		if (digits >= NUMBER_DIGITS || cut)
			mark(t, from, end, NUMBER);
	}
}

static size_t put(struct bytes s, uint8_t *out, size_t len, size_t room)
{
	if (s.len > room - len)
		return len;
	memcpy(out + len, s.p, s.len);
	return len + s.len;
}

size_t redact(const struct redact_piece *piece, uint8_t *out, size_t room)
{
	struct text t;
	size_t len = 0;

	text_take(&t, piece);
	mark_keys(&t);
	mark_words(&t);
	mark_secrets(&t);
	mark_tokens(&t);
	mark_numbers(&t);
	for (size_t i = t.from; i < t.to; i++) {
		if (!t.mark[i])
			len = put(bytes_of(t.p + i, 1), out, len, room);
		else if (i == t.from || t.mark[i] != t.mark[i - 1])
			len = put(marks[t.mark[i]], out, len, room);
	}
	return len;
}
