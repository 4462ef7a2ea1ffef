/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mime_param.h"
#include "dataplane/proto/charset.h"
#include "dataplane/proto/mime_word.h"
#include "dataplane/proto/qp.h"

struct param {
	struct bytes name;
	struct bytes value; /* inside the quotes, backslashes still there */
	bool quoted;
};

/* What is known of the parameter looked for, after one pass over the header. */
struct found {
	struct param plain, extended;
	struct param section[PARAM_SECTIONS]; /* by number; .name.p NULL: absent */
	uint32_t percent;                     /* bit per section: percent-encoded */
};

struct output {
	uint8_t *p;
	size_t len, cap;
	bool cut;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes from(const uint8_t *p, const uint8_t *end)
{
	return bytes_of(p, (size_t)(end - p));
}

struct bytes param_token(struct bytes header)
{
	struct bytes s = bytes_trim(header);
	size_t n = 0;

	while (n < s.len && !is_blank(s.p[n]) && s.p[n] != ';' && s.p[n] != '(')
		n++;
	return bytes_of(s.p, n);
}

/* s starts after a '"'. Cuts the string's content off it, closing quote and all. */
static struct bytes take_quoted(struct bytes *s)
{
	const uint8_t *start = s->p;
	const uint8_t *end = s->p + s->len;
	const uint8_t *p = start;

	while (p < end && *p != '"')
		p += *p == '\\' && end - p > 1 ? 2 : 1;
	*s = p < end ? from(p + 1, end) : from(end, end);
	return from(start, p);
}

static void skip(struct bytes *s, const uint8_t *to)
{
	to = to ? to : s->p + s->len;
	*s = from(to, s->p + s->len);
}

/* The next "name=value" of *rest; false at its end. Empty ones are passed over. */
static bool param_next(struct bytes *rest, struct param *param)
{
	while (rest->len) {
		const uint8_t *p = rest->p;
		const uint8_t *end = p + rest->len;

		while (p < end && *p != '=' && *p != ';')
			p++;
		param->name = bytes_trim(from(rest->p, p));
		*rest = from(p < end ? p + 1 : end, end);
		if (p == end || *p == ';')
			continue;
		p = rest->p;
		while (p < end && is_blank(*p))
			p++;
		skip(rest, p);
		param->quoted = p < end && *p == '"';
		if (param->quoted) {
			skip(rest, p + 1);
			param->value = take_quoted(rest);
			skip(rest, bytes_chr(*rest, ';'));
		} else {
			const uint8_t *stop = bytes_chr(*rest, ';');

			param->value = bytes_trim(from(p, stop ? stop : end));
			skip(rest, stop);
		}
		if (param->name.len)
			return true;
	}
	return false;
}

/* RFC 2231 section 3: the number of "name*N" or "name*N*"; -1: it is not one. */
static int section_number(struct bytes suffix, bool *percent)
{
	int n = 0;

	*percent = suffix.len && suffix.p[suffix.len - 1] == '*';
	suffix.len -= *percent;
	if (!suffix.len || suffix.len > 2)
		return -1;
	for (size_t i = 0; i < suffix.len; i++) {
		if (!ascii_isdigit(suffix.p[i]))
			return -1;
		n = n * 10 + suffix.p[i] - '0';
	}
	return n < PARAM_SECTIONS ? n : -1;
}

static void keep_first(struct param *slot, const struct param *param)
{
	if (!slot->name.p)
		*slot = *param;
}

static void gather(struct bytes header, struct bytes name, struct found *found)
{
	struct bytes token = param_token(header);
	struct bytes rest = from(token.p + token.len, header.p + header.len);
	struct param param;

	while (param_next(&rest, &param)) {
		if (!bytes_case_starts(param.name, name))
			continue;

		struct bytes suffix = from(param.name.p + name.len, param.name.p + param.name.len);

		if (!suffix.len) {
			keep_first(&found->plain, &param);
		} else if (suffix.p[0] == '*' && suffix.len == 1) {
			keep_first(&found->extended, &param);
		} else if (suffix.p[0] == '*') {
			bool percent;
			int n = section_number(from(suffix.p + 1, suffix.p + suffix.len), &percent);

			if (n >= 0 && !found->section[n].name.p) {
				found->section[n] = param;
				found->percent |= (uint32_t)percent << n;
			}
		}
	}
}

static void put(struct output *out, const uint16_t *charset, struct bytes s)
{
	size_t used;

	out->len += charset_to_utf8(charset, s, out->p + out->len, out->cap - out->len, &used);
	if (used < s.len)
		out->cut = true;
}

/* RFC 822 3.3 quoted-pair. Only what Windows paths do not suffer from: \\ and \". */
static void put_unescaped(struct output *out, const struct param *param)
{
	struct bytes v = param->value;

	for (size_t i = 0; i < v.len && !out->cut; i++) {
		if (param->quoted && v.p[i] == '\\' && v.len - i > 1 &&
		    (v.p[i + 1] == '\\' || v.p[i + 1] == '"'))
			i++;
		put(out, NULL, bytes_of(v.p + i, 1));
	}
}

static void put_percent(struct output *out, const uint16_t *charset, struct bytes v)
{
	for (size_t i = 0; i < v.len && !out->cut; i++) {
		uint8_t c = v.p[i];
		int value = -1;

		if (c == '%' && v.len - i >= 3)
			value = qp_hex(v.p[i + 1], v.p[i + 2]);
		if (value >= 0) {
			c = (uint8_t)value;
			i += 2;
		}
		put(out, charset, bytes_of(&c, 1));
	}
}

/* RFC 2231 section 4: charset'language'text. Cuts the first two off. */
static const uint16_t *take_charset(struct bytes *v)
{
	const uint8_t *first = bytes_chr(*v, '\'');
	struct bytes tail = first ? from(first + 1, v->p + v->len) : (struct bytes){0};
	const uint8_t *second = bytes_chr(tail, '\'');
	struct bytes name = first ? from(v->p, first) : (struct bytes){0};

	if (!second)
		return NULL;
	*v = from(second + 1, v->p + v->len);
	return charset_lookup(name);
}

static void put_sections(struct output *out, struct found *found)
{
	const uint16_t *charset = NULL;

	for (unsigned n = 0; n < PARAM_SECTIONS && found->section[n].name.p; n++) {
		struct param *s = &found->section[n];

		if (found->percent & 1u << n) {
			if (n == 0)
				charset = take_charset(&s->value);
			put_percent(out, charset, s->value);
		} else {
			put_unescaped(out, s);
		}
	}
}

static void put_plain(struct output *out, const struct param *param, bool decode)
{
	uint8_t raw[PARAM_VALUE];
	struct output plain = {.p = raw, .cap = sizeof(raw)};

	if (!decode || !word_suspected(param->value)) {
		put_unescaped(out, param);
		return;
	}
	put_unescaped(&plain, param);
	out->len = word_decode(bytes_of(raw, plain.len), out->p, out->cap, &out->cut);
	out->cut |= plain.cut;
}

int param_find(struct bytes header, struct bytes name, bool decode, uint8_t *buf, size_t cap,
	       bool *cut)
{
	struct found found = {0};
	struct output out = {.p = buf, .cap = cap};

	gather(header, name, &found);
	if (found.extended.name.p) {
		const uint16_t *charset = take_charset(&found.extended.value);

		put_percent(&out, charset, found.extended.value);
	} else if (found.section[0].name.p) {
		put_sections(&out, &found);
	} else if (found.plain.name.p) {
		put_plain(&out, &found.plain, decode);
	} else {
		return -1;
	}
	*cut = out.cut;
	return (int)out.len;
}
