/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_pack.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define VERSION 1
#define NAME    32 /* bytes of an item's name, at most, its NUL included */

_Static_assert(sizeof(double) == 8 && sizeof(float) == 4, "IEEE 754's");

/* Writing */

struct writer {
	uint8_t *out;
	size_t len;
	size_t item; /* where the one in hand has its length */
};

/* There is room: RISK_PACKED is more than all of it can take. */
static void put(struct writer *w, const void *data, size_t len)
{
	assert(w->len + len <= RISK_PACKED);
	memcpy(w->out + w->len, data, len);
	w->len += len;
}

static void put_byte(struct writer *w, uint8_t byte)
{
	put(w, &byte, 1);
}

static void put_number(struct writer *w, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		put_byte(w, (uint8_t)(n | 0x80));
	put_byte(w, (uint8_t)n);
}

static void put_fixed(struct writer *w, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		put_byte(w, (uint8_t)(n >> 8 * i));
}

static void put_double(struct writer *w, double n)
{
	uint64_t bits;

	memcpy(&bits, &n, sizeof(bits));
	put_fixed(w, bits, 8);
}

static void put_float(struct writer *w, float n)
{
	uint32_t bits;

	memcpy(&bits, &n, sizeof(bits));
	put_fixed(w, bits, 4);
}

/* Two bytes for its length are filled in at its end. */
static void item_begin(struct writer *w, char kind, const char *name)
{
	put_byte(w, (uint8_t)(strlen(name) + 1));
	put_byte(w, (uint8_t)kind);
	put(w, name, strlen(name));
	w->item = w->len;
	put_fixed(w, 0, 2);
}

static void item_end(struct writer *w)
{
	const size_t len = w->len - w->item - 2;

	w->out[w->item] = (uint8_t)len;
	w->out[w->item + 1] = (uint8_t)(len >> 8);
}

static void put_tenant(struct writer *w, const struct risk_saved *s)
{
	const struct risk_tenant *t = &s->tenant;

	item_begin(w, 't', "");
	put_number(w, t->counted);
	put_double(w, t->outage);
	put_number(w, t->callees);
	put_number(w, t->domains);
	put_number(w, t->level);
	put_number(w, t->asked);
	put_float(w, t->score);
	put_float(w, t->slow);
	put_number(w, t->scored);
	put_number(w, t->since);
	put_number(w, t->breached);
	put_number(w, t->noticed);
	put_number(w, t->pardoned);
	put_number(w, s->off);
	item_end(w);
}

static void put_ratios(struct writer *w, const struct risk_tenant *t)
{
	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		if (!(t->ratio[i].whole > 0) && !(t->ratio[i].parts > 0))
			continue;
		item_begin(w, 'r', risk_ratio_text[i].name);
		put_double(w, t->ratio[i].parts);
		put_double(w, t->ratio[i].whole);
		item_end(w);
	}
}

static bool has_items(const struct risk_trace *trace, int event)
{
	for (int i = 0; i < RISK_TRACE; i++)
		if (trace->item[i].used && trace->item[i].event == event)
			return true;
	return false;
}

/* An event, and the last of its kind. */
static void put_event(struct writer *w, const struct risk_mark *m, int event,
		      const struct risk_trace *trace)
{
	item_begin(w, 'e', risk_event_text[event].name);
	put_float(w, m->value);
	put_number(w, m->last);
	put_number(w, m->count);
	for (int i = 0; i < RISK_TRACE; i++) {
		const struct risk_trace_item *item = &trace->item[i];

		if (!item->used || item->event != event)
			continue;
		put_number(w, item->time);
		put_fixed(w, item->flow, 8);
		put_number(w, item->sid);
	}
	item_end(w);
}

static void put_events(struct writer *w, const struct risk_saved *s)
{
	static const struct risk_trace none;
	const struct risk_trace *trace = s->has_trace ? &s->trace : &none;

	for (int i = 0; i < RISK_EVENT_COUNT; i++)
		if (s->tenant.event[i].value > 0 || s->tenant.event[i].count || has_items(trace, i))
			put_event(w, &s->tenant.event[i], i, trace);
}

static void put_window(struct writer *w, const struct risk_window *win)
{
	if (!win->newest)
		return;
	item_begin(w, 'w', "");
	put_number(w, win->length);
	put_number(w, win->newest);
	for (int i = 0; i < RISK_WINDOW_RATIOS; i++)
		put_number(w, win->breached[i]);
	for (int i = 0; i < RISK_WINDOW_PARTS; i++) {
		put_number(w, win->part[i].seized);
		put_number(w, win->part[i].answered);
		put_number(w, win->part[i].shorts);
		put_number(w, win->part[i].outage);
	}
	item_end(w);
}

/* Members of struct risk_seen that stand alone. */
#define SEEN(X)   \
	X(seized) \
	X(answered) X(shorts) X(outage) X(unwanted) X(recipients) X(bounced) X(delivered) X(spoofed)

static void put_seen(struct writer *w, const struct risk_saved *s)
{
	if (!s->seen.of)
		return;
	item_begin(w, 's', "");
	put_number(w, s->seen.of);
	put_number(w, s->slot);
#define X(member) put_number(w, s->seen.member);
	SEEN(X)
#undef X
	put_number(w, LIMIT_COUNT);
	for (int i = 0; i < LIMIT_COUNT; i++)
		put_number(w, s->seen.over[i]);
	item_end(w);
}

static void put_distinct(struct writer *w, const struct risk_saved *s)
{
	if (s->past.callees || s->past.domains) {
		item_begin(w, 'd', "");
		put_number(w, s->past.callees);
		put_number(w, s->past.domains);
		put_number(w, s->past.epoch);
		item_end(w);
	}
	if (!s->has_met)
		return;
	item_begin(w, 'm', "");
	put_number(w, s->met.epoch);
	for (int i = 0; i < 2 * SKETCH_WORDS; i++)
		put_fixed(w, s->met.bits[i / SKETCH_WORDS][i % SKETCH_WORDS], 8);
	item_end(w);
}

size_t risk_pack_saved(const struct risk_saved *s, uint8_t out[RISK_PACKED])
{
	struct writer w = {.out = out};

	put_byte(&w, VERSION);
	put_tenant(&w, s);
	put_ratios(&w, &s->tenant);
	put_events(&w, s);
	put_window(&w, &s->window);
	put_seen(&w, s);
	put_distinct(&w, s);
	return w.len;
}

size_t risk_pack(const struct risk_board *b, uint32_t slot, uint8_t out[RISK_PACKED])
{
	struct risk_saved s = {
		.tenant = b->tenant[slot],
		.window = b->window[slot],
		.past = b->past[slot],
		.seen = b->seen[slot],
		.slot = slot,
		.off = b->off[slot],
		.has_trace = b->trace[slot] != NULL,
		.has_met = b->met[slot] != NULL,
	};

	if (s.has_trace)
		s.trace = *b->trace[slot];
	if (s.has_met)
		s.met = *b->met[slot];
	return risk_pack_saved(&s, out);
}

/* Reading */

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t take_fixed(struct reader *r, unsigned bytes)
{
	uint64_t n = 0;

	if ((size_t)(r->end - r->p) < bytes) {
		r->bad = true;
		r->p = r->end;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		n |= (uint64_t)*r->p++ << 8 * i;
	return n;
}

static uint64_t take_number(struct reader *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		const uint64_t byte = take_fixed(r, 1);

		n |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
	r->bad = true;
	return 0;
}

static uint32_t take_word(struct reader *r)
{
	const uint64_t n = take_number(r);

	r->bad |= n > UINT32_MAX;
	return (uint32_t)n;
}

/* No disk makes a score of what is no number. */
static double checked(struct reader *r, double n)
{
	r->bad |= !isfinite(n) || n < 0;
	return r->bad ? 0 : n;
}

static double take_double(struct reader *r)
{
	const uint64_t bits = take_fixed(r, 8);
	double n;

	memcpy(&n, &bits, sizeof(n));
	return checked(r, n);
}

static float take_float(struct reader *r)
{
	const uint32_t bits = (uint32_t)take_fixed(r, 4);
	float n;

	memcpy(&n, &bits, sizeof(n));
	return (float)checked(r, n);
}

static void take_tenant(struct reader *r, struct risk_saved *s)
{
	struct risk_tenant *t = &s->tenant;
	uint64_t level;

	t->counted = take_number(r);
	t->outage = take_double(r);
	t->callees = take_word(r);
	t->domains = take_word(r);
	level = take_number(r);
	r->bad |= level >= RISK_LEVEL_COUNT;
	t->level = r->bad ? 0 : (uint8_t)level;
	t->asked = take_number(r) != 0;
	t->score = take_float(r);
	t->slow = take_float(r);
	t->scored = take_number(r);
	t->since = take_number(r);
	t->breached = take_number(r);
	t->noticed = take_number(r);
	t->pardoned = take_number(r);
	s->off = take_number(r) != 0;
}

static void take_ratio(struct reader *r, const char *name, struct risk_saved *s)
{
	for (int i = 0; i < RISK_RATIO_COUNT; i++) {
		if (strcmp(risk_ratio_text[i].name, name) != 0)
			continue;
		s->tenant.ratio[i].parts = take_double(r);
		s->tenant.ratio[i].whole = take_double(r);
	}
}

static void take_event(struct reader *r, const char *name, struct risk_saved *s)
{
	const enum risk_event event = risk_event_find(name);
	struct risk_mark *m = &s->tenant.event[event < RISK_EVENT_COUNT ? event : 0];

	if (event == RISK_EVENT_COUNT)
		return;
	m->value = take_float(r);
	m->last = take_word(r);
	m->count = take_word(r);
	for (int i = 0; i < RISK_TRACE && r->p < r->end; i++) {
		if (s->trace.item[i].used)
			continue;
		s->has_trace = true;
		s->trace.item[i].time = take_number(r);
		s->trace.item[i].flow = take_fixed(r, 8);
		s->trace.item[i].sid = take_word(r);
		s->trace.item[i].event = (uint8_t)event;
		s->trace.item[i].used = true;
	}
}

static void take_window(struct reader *r, struct risk_window *w)
{
	w->length = take_number(r);
	w->newest = take_number(r);
	for (int i = 0; i < RISK_WINDOW_RATIOS; i++)
		w->breached[i] = take_word(r);
	for (int i = 0; i < RISK_WINDOW_PARTS; i++) {
		w->part[i].seized = take_word(r);
		w->part[i].answered = take_word(r);
		w->part[i].shorts = take_word(r);
		w->part[i].outage = take_word(r);
	}
}

static void take_seen(struct reader *r, struct risk_saved *s)
{
	s->seen.of = take_number(r);
	s->slot = take_word(r);
#define X(member) s->seen.member = take_number(r);
	SEEN(X)
#undef X
	if (take_number(r) != LIMIT_COUNT) {
		s->seen = (struct risk_seen){
			.of = RISK_SEEN_LOST}; /* of another version's counters */
		return;
	}
	for (int i = 0; i < LIMIT_COUNT; i++)
		s->seen.over[i] = take_number(r);
}

static void take_met(struct reader *r, struct risk_saved *s)
{
	s->has_met = true;
	s->met.epoch = take_number(r);
	for (int i = 0; i < 2 * SKETCH_WORDS; i++)
		s->met.bits[i / SKETCH_WORDS][i % SKETCH_WORDS] = take_fixed(r, 8);
}

static void take_item(struct reader *r, char kind, const char *name, struct risk_saved *s)
{
	switch (kind) {
	case 't':
		take_tenant(r, s);
		break;
	case 'r':
		take_ratio(r, name, s);
		break;
	case 'e':
		take_event(r, name, s);
		break;
	case 'w':
		take_window(r, &s->window);
		break;
	case 's':
		take_seen(r, s);
		break;
	case 'd':
		s->past.callees = take_word(r);
		s->past.domains = take_word(r);
		s->past.epoch = take_number(r);
		break;
	case 'm':
		take_met(r, s);
		break;
	default:
		break;
	}
}

/* false: it is cut short. */
static bool next_item(struct reader *r, struct risk_saved *s)
{
	char name[NAME] = "";
	const size_t named = (size_t)take_fixed(r, 1);
	struct reader item = {0};
	size_t len;
	char kind;

	if (!named || named > NAME || (size_t)(r->end - r->p) < named)
		return false;
	kind = (char)r->p[0];
	memcpy(name, r->p + 1, named - 1);
	r->p += named;
	len = (size_t)take_fixed(r, 2);
	if (r->bad || (size_t)(r->end - r->p) < len)
		return false;
	item.p = r->p;
	item.end = r->p += len;
	take_item(&item, kind, name, s);
	return !item.bad;
}

int risk_unpack(const void *data, size_t len, struct risk_saved *saved)
{
	struct reader r = {data, (const uint8_t *)data + len, false};

	*saved = (struct risk_saved){0};
	if (!data || take_fixed(&r, 1) != VERSION)
		return -EINVAL;
	while (r.p < r.end)
		if (!next_item(&r, saved))
			return -EINVAL;
	return r.bad ? -EINVAL : 0;
}
