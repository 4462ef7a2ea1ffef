/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mail_field.h"

#include "dataplane/proto/rfc5322.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* A value in the reading. */
struct clauses {
	struct bytes value;
	size_t at;
	bool comments,
		quotes; /* close, as far as it is known: what doesn't is text, from there on */
};

/* Behind the comment or the quoted string that begins here; where it is none: here. */
static size_t skip(struct clauses *c, size_t at)
{
	size_t end = at;

	if (c->value.p[at] == '(' && c->comments) {
		end = rfc5322_comment_end(c->value, at);
		c->comments = end <= c->value.len;
	} else if (c->value.p[at] == '"' && c->quotes) {
		end = rfc5322_quote_end(c->value, at);
		c->quotes = end <= c->value.len;
	}
	return end <= c->value.len ? end : at;
}

static bool ends_word(uint8_t c)
{
	return is_blank(c) || c == ';' || c == '(';
}

/* Empty: there are no more. */
static struct bytes word_next(struct clauses *c)
{
	struct bytes b = c->value;
	size_t i = c->at, begin, end;

	/* A parenthesis that never closes is as good as a blank. */
	while (i < b.len && (is_blank(b.p[i]) || b.p[i] == '(')) {
		end = skip(c, i);
		i = end > i ? end : i + 1;
	}
	begin = i;
	while (i < b.len && !ends_word(b.p[i])) {
		end = b.p[i] == '"' ? skip(c, i) : i;
		i = end > i ? end : i + 1;
	}
	c->at = i;
	return bytes_of(b.p + begin, i - begin);
}

struct bytes received_by(struct bytes value)
{
	struct clauses c = {value, 0, true, true};
	struct bytes word;

	while ((word = word_next(&c)).len) {
		if (bytes_caseeq(word, BYTES("by")))
			return word_next(&c);
		/* Whatever it is called. */
		if (bytes_caseeq(word, BYTES("from")))
			word_next(&c);
	}
	return word;
}

/*
 * What mail programs put before the subject of an answer or of what they pass on, by language. In
 * lower case; other than ASCII as they write it. One letter alone ("R:", "I:") says too little.
 */
#define P(text)                                           \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
/* clang-format off */
static const struct bytes reply_prefixes[] = {
	P("re"),     P("fwd"),    P("fw"),       /* English, and everybody else */
	P("aw"),     P("wg"),                        /* German */
	P("antw"),   P("doorst"),                    /* Dutch */
	P("sv"),     P("vb"),     P("vs"),       /* Swedish, Danish, Norwegian */
	P("vl"),                                         /* Finnish */
	P("tr"),                                         /* French */
	P("rv"),     P("res"),    P("enc"),      /* Spanish, Portuguese */
	P("rif"),                                        /* Italian */
	P("odp"),    P("pd"),                        /* Polish */
	P("ynt"),    P("ilt"),    P("\xc4\xb0LT"), /* Turkish */
	P("atb"),                                        /* Latvian, Welsh */
	P("bls"),    P("trs"),                       /* Indonesian */
	P("v\xc3\xa1"), P("V\xc3\x81"),              /* Hungarian */
	P("\xce\x91\xce\xa0"), P("\xce\xa0\xce\xa1\xce\x98"), /* Greek */
	P("\xd0\x9e\xd1\x82\xd0\xb2"),                   /* Russian */
	P("\xe5\x9b\x9e\xe5\xa4\x8d"), P("\xe7\xad\x94\xe5\xa4\x8d"), /* Chinese: answers, */
	P("\xe5\x9b\x9e\xe8\xa6\x86"),
	P("\xe8\xbd\xac\xe5\x8f\x91"), P("\xe8\xbd\x89\xe5\xaf\x84"), /* passed on */
	P("\xec\x9d\x91\xeb\x8b\xb5"), P("\xec\xa0\x84\xeb\x8b\xac"), /* Korean */
	P("\xd7\xaa\xd7\xa9\xd7\x95\xd7\x91\xd7\x94"),   /* Hebrew */
	P("\xd8\xb1\xd8\xaf"),                           /* Arabic */
};
/* clang-format on */

static struct bytes rest_of(struct bytes s, size_t from)
{
	return bytes_of(s.p + from, s.len - from);
}

/* A count, as some programs have it: "[2]", "(2)", "^2", "*2". */
static struct bytes skip_count(struct bytes s)
{
	size_t i = 1;
	uint8_t open = s.len ? s.p[0] : 0, close = open == '[' ? ']' : open == '(' ? ')' : 0;

	if (!close && open != '^' && open != '*')
		return s;
	while (i < s.len && ascii_isdigit(s.p[i]))
		i++;
	if (i == 1 || (close && (i == s.len || s.p[i] != close)))
		return s;
	return rest_of(s, i + (close != 0));
}

/* Blanks between a prefix and its colon: "RE :" is how French has it. */
static struct bytes skip_blanks(struct bytes s)
{
	for (;;) {
		if (s.len && is_blank(s.p[0]))
			s = rest_of(s, 1);
		else if (bytes_case_starts(s, BYTES("\xc2\xa0"))) /* U+00A0 */
			s = rest_of(s, 2);
		else
			return s;
	}
}

bool subject_is_reply(struct bytes subject)
{
	struct bytes s = skip_blanks(subject);

	for (size_t i = 0; i < sizeof(reply_prefixes) / sizeof(reply_prefixes[0]); i++) {
		struct bytes rest;

		if (!bytes_case_starts(s, reply_prefixes[i]))
			continue;
		rest = skip_blanks(skip_count(rest_of(s, reply_prefixes[i].len)));
		if ((rest.len && rest.p[0] == ':') ||
		    bytes_case_starts(rest, BYTES("\xef\xbc\x9a"))) /* U+FF1A */
			return true;
	}
	return false;
}

bool unsubscribe_has_https(struct bytes value)
{
	static const struct bytes https = P("https://");
	struct clauses c = {value, 0, true, false};

	for (size_t i = 0; i < value.len; i++) {
		size_t end = skip(&c, i);
		const uint8_t *close;
		struct bytes uri;

		if (end > i) {
			i = end - 1;
			continue;
		}
		if (value.p[i] != '<')
			continue;
		uri = rest_of(value, i + 1);
		close = bytes_chr(uri, '>');
		if (!close)
			return false;
		i += (size_t)(close - uri.p) + 1;
		uri = bytes_trim(bytes_of(uri.p, (size_t)(close - uri.p)));
		if (bytes_case_starts(uri, https) && uri.len > https.len)
			return true;
	}
	return false;
}

bool unsubscribe_is_one_click(struct bytes value)
{
	return bytes_caseeq(bytes_trim(value), BYTES("List-Unsubscribe=One-Click"));
}
