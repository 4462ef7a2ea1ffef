/* SPDX-License-Identifier: BSD-3-Clause */
/* The form of samples: a line that says which rule and what is wanted, then indented lines. */
#include "control/rules/samples.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/suggest.h"
#include "control/rules/samples_reader.h"

static struct sample_item *add_item(struct sample_reader *r, enum sample_item_kind kind,
				    const char *at)
{
	struct sample *s = &r->sample;

	s->items = arena_grow(&r->list->arena, s->items, s->count, &s->capacity, sizeof(*s->items));
	r->item = &s->items[s->count++];
	*r->item = (struct sample_item){.kind = kind, .place = sample_place(r, at)};
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
static void check_sample(struct sample_reader *r)
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

static void end_sample(struct sample_reader *r)
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
static void begin_sample(struct sample_reader *r)
{
	const char *p = r->line, *end = sample_word_end(r, p);
	char *after;
	unsigned long sid;

	end_sample(r);
	r->sample.place = sample_place(r, p);
	sid = strtoul(p, &after, 10);
	if (after != end || *p < '0' || *p > '9' || !sid || sid > UINT32_MAX) {
		sample_fail(r, p, "expected a rule's sid; what belongs to a sample is indented");
		return;
	}
	r->sample.sid = (uint32_t)sid;
	r->sample.times = 1;
	r->sample.every_ms = 1000;
	p = sample_skip_blanks(r, end);
	end = sample_word_end(r, p);
	if (sample_word_is(p, end, "match"))
		r->sample.want = SAMPLE_MATCH;
	else if (sample_word_is(p, end, "miss"))
		r->sample.want = SAMPLE_MISS;
	else
		sample_fail(r, p, "expected 'match' or 'miss' after the sid");
	p = sample_skip_blanks(r, end);
	r->sample.title = arena_copy(&r->list->arena, p, (size_t)(r->end - p));
}

static void unknown_item(struct sample_reader *r, const char *p, const char *end)
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
		sample_fail(r, p, "no buffer is called '%s': did you mean '%s'?", word, near);
	else
		sample_fail(r, p,
			    "expected a buffer's name, mail, sip, 'sip answer', C:, S:, |, client, "
			    "server, tenant, tier, over or times, not '%s'",
			    word);
}

static void begin_text(struct sample_reader *r, enum sample_item_kind kind, const char *at,
		       const char *p)
{
	if (p != r->end)
		sample_fail(r, p,
			    "expected the line's end; the text follows in lines that begin with |");
	add_item(r, kind, at);
}

/* Turns of a session: lines of one side that stand together are sent together. */
static void take_session(struct sample_reader *r, enum sample_item_kind kind, const char *p)
{
	if (!r->item || r->item->kind != kind)
		add_item(r, kind, p);
	p += 2;
	sample_take_line(r, p < r->end && *p == ' ' ? p + 1 : p);
}

static void take_text_line(struct sample_reader *r, const char *p)
{
	if (!r->item || r->item->kind == SAMPLE_VALUE || r->item->kind == SAMPLE_CLIENT ||
	    r->item->kind == SAMPLE_SERVER) {
		sample_fail(r, p, "a line of text without 'mail', 'sip' or 'sip answer' above it");
		return;
	}
	p++;
	sample_take_line(r, p < r->end && *p == ' ' ? p + 1 : p);
}

static void take_value(struct sample_reader *r, enum rule_buffer buffer, const char *at,
		       const char *p)
{
	add_item(r, SAMPLE_VALUE, at)->buffer = buffer;
	sample_take_strings(r, p);
}

static void take_item(struct sample_reader *r)
{
	const char *p = sample_skip_blanks(r, r->line), *end = sample_word_end(r, p),
		   *after = sample_skip_blanks(r, end);
	enum rule_buffer buffer;

	if (!r->sample.place.line) {
		sample_fail(
			r, p,
			"an indented line before any sample: a sample begins with 'SID match' or "
			"'SID miss'");
		r->failed = false;
		return;
	}
	if (*p == '|')
		take_text_line(r, p);
	else if (*p == '"' && r->item && r->item->kind == SAMPLE_VALUE)
		sample_take_strings(r, p);
	else if (r->end - p >= 2 && (p[0] == 'C' || p[0] == 'S') && p[1] == ':')
		take_session(r, *p == 'C' ? SAMPLE_CLIENT : SAMPLE_SERVER, p);
	else if (sample_word_is(p, end, "mail"))
		begin_text(r, SAMPLE_MAIL, p, after);
	else if (sample_word_is(p, end, "sip") && sample_word_is(after, r->end, "answer"))
		begin_text(r, SAMPLE_SIP_ANSWER, p, r->end);
	else if (sample_word_is(p, end, "sip"))
		begin_text(r, SAMPLE_SIP, p, after);
	else if (sample_word_is(p, end, "client"))
		sample_take_end(r, after, &r->sample.client);
	else if (sample_word_is(p, end, "server"))
		sample_take_end(r, after, &r->sample.server);
	else if (sample_word_is(p, end, "tenant"))
		sample_take_name(r, after, &r->sample.tenant);
	else if (sample_word_is(p, end, "tier"))
		sample_take_name(r, after, &r->sample.tier);
	else if (sample_word_is(p, end, "over"))
		sample_take_over(r, after);
	else if (sample_word_is(p, end, "times"))
		sample_take_times(r, after);
	else if ((buffer = rule_buffer_find(p, (size_t)(end - p))) == RULE_BUFFER_EMAIL_BODY_MD5)
		sample_fail(r, p, "email.body_md5 is made of the body: give a whole mail");
	else if (buffer != RULE_BUFFER_COUNT)
		take_value(r, buffer, p, after);
	else
		unknown_item(r, p, end);
}

static bool is_empty(const struct sample_reader *r)
{
	const char *p = sample_skip_blanks(r, r->line);

	return p == r->end || *p == '#';
}

void samples_parse(struct sample_list *list, struct rule_diags *diags, const char *file,
		   const char *text, size_t len)
{
	struct sample_reader r = {
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
		if (!sample_is_blank(*r.line))
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
