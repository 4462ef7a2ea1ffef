/* SPDX-License-Identifier: BSD-3-Clause */
/* The form of samples: a line that says which rule and what is wanted, then indented lines. */
#include "control/samples.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/suggest.h"

#define ITEM_MAX        (1u << 20) /* bytes of one item */
#define SAMPLE_NAME_MAX 63

struct reader {
	struct sample_list *list;
	struct rule_diags *diags;
	const char *file;
	const char *line, *end; /* of the line in hand, without its end */
	uint32_t number;
	struct sample sample; /* being read; sid 0: none */
	bool failed;
	struct sample_item *item; /* that `|` lines and strings go on with; NULL: none */
};

static struct rule_place place_of(const struct reader *r, const char *at)
{
	return (struct rule_place){r->file, r->number, (uint32_t)(at - r->line + 1)};
}

__attribute__((format(printf, 3, 4))) static bool fail(struct reader *r, const char *at,
						       const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	rule_diag_add(r->diags, RULE_ERROR, place_of(r, at), r->sample.sid, "%s", message);
	r->failed = true;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const struct reader *r, const char *p)
{
	while (p < r->end && is_blank(*p))
		p++;
	return p;
}

static const char *word_end(const struct reader *r, const char *p)
{
	while (p < r->end && !is_blank(*p))
		p++;
	return p;
}

static bool word_is(const char *p, const char *end, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(end - p) == len && memcmp(p, text, len) == 0;
}

/* Text -------------------------------------------------------------------- */

static void put(struct reader *r, char c)
{
	struct sample_item *item = r->item;

	item->text = arena_grow(&r->list->arena, item->text, item->len, &item->capacity, 1);
	item->text[item->len++] = c;
}

static void put_cut(struct reader *r)
{
	struct sample_item *item = r->item;

	item->cuts = arena_grow(&r->list->arena, item->cuts, item->cut_count, &item->cut_capacity,
				sizeof(*item->cuts));
	item->cuts[item->cut_count++] = item->len;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* What stands after a backslash at p - 1; returns what comes after it, NULL with a mistake said. */
static const char *take_escape(struct reader *r, const char *p)
{
	static const char from[] = "\\\"rnt", to[] = "\\\"\r\n\t";
	const char *known = p < r->end ? memchr(from, *p, sizeof(from) - 1) : NULL;

	if (known) {
		put(r, to[known - from]);
		return p + 1;
	}
	if (p < r->end && *p == '/') {
		if (r->item->kind == SAMPLE_VALUE) {
			fail(r, p - 1,
			     "a packet can end (\\/) only in whole messages and sessions");
			return NULL;
		}
		put_cut(r);
		return p + 1;
	}
	if (r->end - p >= 3 && *p == 'x' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
		put(r, (char)(hex(p[1]) << 4 | hex(p[2])));
		return p + 3;
	}
	fail(r, p - 1, "expected \\\\, \\\", \\r, \\n, \\t, \\xHH or \\/ (a packet's end)");
	return NULL;
}

static bool too_long(struct reader *r, const char *at)
{
	return r->item->len >= ITEM_MAX &&
	       !fail(r, at, "more than %u bytes: samples are smaller", ITEM_MAX);
}

/* The rest of the line, as it is but for escapes, and CRLF. */
static bool take_line(struct reader *r, const char *p)
{
	if (too_long(r, p))
		return false;
	while (p && p < r->end) {
		if (*p == '\\')
			p = take_escape(r, p + 1);
		else
			put(r, *p++);
	}
	if (!p)
		return false;
	put(r, '\r');
	put(r, '\n');
	return true;
}

/* One or several strings in quotes, put together. */
static bool take_strings(struct reader *r, const char *p)
{
	if (p == r->end || *p != '"')
		return fail(r, p, "expected a text in double quotes");
	while (p < r->end) {
		const char *start = p++;

		if (*start != '"')
			return fail(r, start,
				    "expected a text in double quotes, or the line's end");
		if (too_long(r, start))
			return false;
		while (p && p < r->end && *p != '"') {
			if (*p == '\\')
				p = take_escape(r, p + 1);
			else
				put(r, *p++);
		}
		if (!p)
			return false;
		if (p == r->end)
			return fail(r, start, "this text has no closing quote");
		p = skip_blanks(r, p + 1);
	}
	return true;
}

/* Samples ----------------------------------------------------------------- */

static struct sample_item *add_item(struct reader *r, enum sample_item_kind kind, const char *at)
{
	struct sample *s = &r->sample;

	s->items = arena_grow(&r->list->arena, s->items, s->count, &s->capacity, sizeof(*s->items));
	r->item = &s->items[s->count++];
	*r->item = (struct sample_item){.kind = kind, .place = place_of(r, at)};
	return r->item;
}

static enum rule_buffer_family family_of(const struct sample_item *item)
{
	if (item->kind == SAMPLE_VALUE)
		return rule_buffers[item->buffer].family;
	return item->kind == SAMPLE_SIP || item->kind == SAMPLE_SIP_ANSWER ? BUFFER_SIP
									   : BUFFER_SMTP;
}

static bool has_kind(const struct sample *s, enum sample_item_kind a, enum sample_item_kind b)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].kind == a || s->items[i].kind == b)
			return true;
	return false;
}

/* What is not the envelope's stands in the mail itself when that is whole. */
static bool in_whole_mail(enum rule_buffer buffer)
{
	return strncmp(rule_buffers[buffer].name, "smtp.", 5) != 0;
}

/* What goes together in one sample. */
static void check_sample(struct reader *r)
{
	struct sample *s = &r->sample;
	bool session = has_kind(s, SAMPLE_CLIENT, SAMPLE_SERVER);
	bool mail = has_kind(s, SAMPLE_MAIL, SAMPLE_MAIL);
	bool sip = has_kind(s, SAMPLE_SIP, SAMPLE_SIP_ANSWER);
	const char *why = NULL;
	size_t i;

	if (!s->count) {
		rule_diag_add(r->diags, RULE_ERROR, s->place, s->sid,
			      "an empty sample: expected indented lines, such as "
			      "'email.subject \"...\"'");
		r->failed = true;
		return;
	}
	s->family = family_of(&s->items[0]);
	for (i = 0; i < s->count && !why; i++) {
		const struct sample_item *item = &s->items[i];

		if (family_of(item) != s->family)
			why = "SMTP and SIP in one sample: make two of it";
		else if (session && item->kind != SAMPLE_CLIENT && item->kind != SAMPLE_SERVER)
			why = "a whole session ('C:', 'S:') says everything: write it there";
		else if (sip && item->kind == SAMPLE_VALUE)
			why = "a whole SIP message says everything: write it there";
		else if (mail && item->kind == SAMPLE_VALUE && in_whole_mail(item->buffer))
			why = "a whole mail says this itself: write it there";
	}
	if (why)
		rule_diag_add(r->diags, RULE_ERROR, s->items[i - 1].place, s->sid, "%s", why);
	r->failed = r->failed || why;
	if (s->family == BUFFER_SMTP)
		s->over = IPPROTO_TCP;
}

static void end_sample(struct reader *r)
{
	struct sample_list *list = r->list;

	if (r->sample.place.line && !r->failed)
		check_sample(r);
	if (r->sample.place.line && !r->failed) {
		list->samples = arena_grow(&list->arena, list->samples, list->count,
					   &list->capacity, sizeof(*list->samples));
		list->samples[list->count++] = r->sample;
	}
	r->sample = (struct sample){0};
	r->item = NULL;
	r->failed = false;
}

/* SID match|miss [WORDS] */
static void begin_sample(struct reader *r)
{
	const char *p = r->line, *end = word_end(r, p);
	char *after;
	unsigned long sid;

	end_sample(r);
	r->sample.place = place_of(r, p);
	sid = strtoul(p, &after, 10);
	if (after != end || *p < '0' || *p > '9' || !sid || sid > UINT32_MAX) {
		fail(r, p, "expected a rule's sid; what belongs to a sample is indented");
		return;
	}
	r->sample.sid = (uint32_t)sid;
	p = skip_blanks(r, end);
	end = word_end(r, p);
	if (word_is(p, end, "match"))
		r->sample.want = SAMPLE_MATCH;
	else if (word_is(p, end, "miss"))
		r->sample.want = SAMPLE_MISS;
	else
		fail(r, p, "expected 'match' or 'miss' after the sid");
	p = skip_blanks(r, end);
	r->sample.title = arena_copy(&r->list->arena, p, (size_t)(r->end - p));
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT, :PORT */
static bool take_end(struct reader *r, const char *p, struct sample_end *to)
{
	char text[64], *host = text, *port = NULL, *after;
	unsigned long number;

	snprintf(text, sizeof(text), "%.*s", (int)(r->end - p), p);
	if (*text == '[') {
		host++;
		port = strchr(text, ']');
		if (!port || (port[1] && port[1] != ':'))
			return fail(r, p, "expected [ADDRESS] or [ADDRESS]:PORT");
		*port++ = '\0';
	} else if (strchr(text, ':') == strrchr(text, ':')) {
		port = strchr(text, ':');
	}
	if (port && *port == ':') {
		*port++ = '\0';
		number = strtoul(port, &after, 10);
		if (after == port || *after || !number || number > UINT16_MAX)
			return fail(r, p, "expected a port, 1 to 65535, after the colon");
		to->port = (uint16_t)number;
	}
	if (!*host && to->port)
		return true;
	if (inet_pton(AF_INET, host, to->addr) == 1)
		to->family = 4;
	else if (inet_pton(AF_INET6, host, to->addr) == 1)
		to->family = 6;
	else
		return fail(r, p, "expected ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or :PORT");
	return true;
}

static void take_over(struct reader *r, const char *p)
{
	if (word_is(p, r->end, "tcp"))
		r->sample.over = IPPROTO_TCP;
	else if (word_is(p, r->end, "udp"))
		r->sample.over = IPPROTO_UDP;
	else
		fail(r, p, "expected 'tcp' or 'udp'");
}

/* A tenant's or a tier's: what a configuration takes without quotes. */
static void take_name(struct reader *r, const char *p, const char **name)
{
	const char *q = p;

	while (q < r->end && (isalnum((unsigned char)*q) || (q > p && strchr("-_*", *q))))
		q++;
	if (q == p || q != r->end || q - p > SAMPLE_NAME_MAX || isdigit((unsigned char)*p))
		fail(r, p, "expected a name: a letter, then letters, digits, - and _");
	else
		*name = arena_copy(&r->list->arena, p, (size_t)(q - p));
}

static void unknown_item(struct reader *r, const char *p, const char *end)
{
	char word[64];
	const char *near;
	size_t best = 0;

	snprintf(word, sizeof(word), "%.*s", (int)(end - p), p);
	near = NULL;
	for (int b = 0; b < RULE_BUFFER_COUNT; b++) {
		size_t distance = suggest_distance(word, rule_buffers[b].name);

		if (!near || distance < best) {
			near = rule_buffers[b].name;
			best = distance;
		}
	}
	if (best <= 3)
		fail(r, p, "no buffer is called '%s': did you mean '%s'?", word, near);
	else
		fail(r, p,
		     "expected a buffer's name, mail, sip, 'sip answer', C:, S:, |, client, "
		     "server, tenant, tier or over, not '%s'",
		     word);
}

static void begin_text(struct reader *r, enum sample_item_kind kind, const char *at, const char *p)
{
	if (p != r->end)
		fail(r, p, "expected the line's end; the text follows in lines that begin with |");
	add_item(r, kind, at);
}

/* Turns of a session: lines of one side that stand together are sent together. */
static void take_session(struct reader *r, enum sample_item_kind kind, const char *p)
{
	if (!r->item || r->item->kind != kind)
		add_item(r, kind, p);
	p += 2;
	take_line(r, p < r->end && *p == ' ' ? p + 1 : p);
}

static void take_text_line(struct reader *r, const char *p)
{
	if (!r->item || r->item->kind == SAMPLE_VALUE || r->item->kind == SAMPLE_CLIENT ||
	    r->item->kind == SAMPLE_SERVER) {
		fail(r, p, "a line of text without 'mail', 'sip' or 'sip answer' above it");
		return;
	}
	p++;
	take_line(r, p < r->end && *p == ' ' ? p + 1 : p);
}

static void take_value(struct reader *r, enum rule_buffer buffer, const char *at, const char *p)
{
	add_item(r, SAMPLE_VALUE, at)->buffer = buffer;
	take_strings(r, p);
}

static void take_item(struct reader *r)
{
	const char *p = skip_blanks(r, r->line), *end = word_end(r, p),
		   *after = skip_blanks(r, end);
	enum rule_buffer buffer;

	if (!r->sample.place.line) {
		fail(r, p,
		     "an indented line before any sample: a sample begins with 'SID match' or "
		     "'SID miss'");
		r->failed = false;
		return;
	}
	if (*p == '|')
		take_text_line(r, p);
	else if (*p == '"' && r->item && r->item->kind == SAMPLE_VALUE)
		take_strings(r, p);
	else if (r->end - p >= 2 && (p[0] == 'C' || p[0] == 'S') && p[1] == ':')
		take_session(r, *p == 'C' ? SAMPLE_CLIENT : SAMPLE_SERVER, p);
	else if (word_is(p, end, "mail"))
		begin_text(r, SAMPLE_MAIL, p, after);
	else if (word_is(p, end, "sip") && word_is(after, r->end, "answer"))
		begin_text(r, SAMPLE_SIP_ANSWER, p, r->end);
	else if (word_is(p, end, "sip"))
		begin_text(r, SAMPLE_SIP, p, after);
	else if (word_is(p, end, "client"))
		take_end(r, after, &r->sample.client);
	else if (word_is(p, end, "server"))
		take_end(r, after, &r->sample.server);
	else if (word_is(p, end, "tenant"))
		take_name(r, after, &r->sample.tenant);
	else if (word_is(p, end, "tier"))
		take_name(r, after, &r->sample.tier);
	else if (word_is(p, end, "over"))
		take_over(r, after);
	else if ((buffer = rule_buffer_find(p, (size_t)(end - p))) == RULE_BUFFER_EMAIL_BODY_MD5)
		fail(r, p, "email.body_md5 is made of the body: give a whole mail");
	else if (buffer != RULE_BUFFER_COUNT)
		take_value(r, buffer, p, after);
	else
		unknown_item(r, p, end);
}

static bool is_empty(const struct reader *r)
{
	const char *p = skip_blanks(r, r->line);

	return p == r->end || *p == '#';
}

void samples_parse(struct sample_list *list, struct rule_diags *diags, const char *file,
		   const char *text, size_t len)
{
	struct reader r = {
		.list = list,
		.diags = diags,
		.file = arena_copy(&list->arena, file, strlen(file)),
	};
	const char *end = text + len;

	for (const char *p = text; p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		r.line = p;
		r.end = nl ? nl : end;
		p = nl ? nl + 1 : end;
		r.number++;
		if (r.end > r.line && r.end[-1] == '\r')
			r.end--;
		if (is_empty(&r))
			continue;
		/* Of a sample with a mistake the rest says nothing new. */
		if (!is_blank(*r.line))
			begin_sample(&r);
		else if (!r.failed)
			take_item(&r);
	}
	end_sample(&r);
}

void sample_list_fini(struct sample_list *list)
{
	arena_fini(&list->arena);
	*list = (struct sample_list){0};
}
