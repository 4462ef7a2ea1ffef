/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/risk/risk_board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/maps.h"
#include "control/risk/sketch.h"

#define UNWANTED_MOST 100 /* in a second: the cap is reached long before */
#define TRACE_SHARE   4   /* items that a kind may have before it only replaces its own */

int risk_board_init(struct risk_board *b, uint32_t count)
{
	*b = (struct risk_board){
		.config = risk_config_default(),
		.count = count,
		.id = calloc(count, sizeof(*b->id)),
		.tenant = calloc(count, sizeof(*b->tenant)),
		.window = calloc(count, sizeof(*b->window)),
		.seen = calloc(count, sizeof(*b->seen)),
		.kernel = calloc(count, sizeof(*b->kernel)),
		.past = calloc(count, sizeof(*b->past)),
		.off = calloc(count, sizeof(*b->off)),
		.dirty = calloc(count, sizeof(*b->dirty)),
		.trace = calloc(count, sizeof(struct risk_trace *)),
		.met = calloc(count, sizeof(struct sketch *)),
	};
	if (b->id && b->tenant && b->window && b->seen && b->kernel && b->past && b->off &&
	    b->dirty && b->trace && b->met)
		return 0;
	risk_board_fini(b);
	return -ENOMEM;
}

void risk_board_fini(struct risk_board *b)
{
	for (uint32_t i = 0; b->trace && i < b->count; i++)
		free(b->trace[i]);
	for (uint32_t i = 0; b->met && i < b->count; i++)
		free(b->met[i]);
	free(b->id);
	free(b->tenant);
	free(b->window);
	free(b->seen);
	free(b->kernel);
	free(b->past);
	free(b->off);
	free(b->dirty);
	free((void *)b->trace);
	free((void *)b->met);
	*b = (struct risk_board){0};
}

size_t risk_board_bytes(void)
{
	return sizeof(uint32_t) + sizeof(struct risk_tenant) + sizeof(struct risk_window) +
	       sizeof(struct risk_seen) + sizeof(struct risk_kernel) + sizeof(struct risk_past) +
	       2 * sizeof(bool) + sizeof(struct risk_trace *) + sizeof(struct sketch *);
}

/* Counters */

/* What an excess of a limit is; bytes are paced and give no points (AUP-DATA-TIER). */
static const struct {
	enum reason reason;
	enum risk_event event;
} limits[LIMIT_COUNT] = {
	[LIMIT_MESSAGES] = {REASON_LIMIT_MESSAGES, RISK_EVENT_BULK},
	[LIMIT_RECIPIENTS] = {REASON_LIMIT_RECIPIENTS, RISK_EVENT_BULK},
	[LIMIT_CONNECTIONS] = {REASON_LIMIT_CONNECTIONS, RISK_EVENT_BULK},
	[LIMIT_BYTES] = {REASON_NONE, RISK_EVENT_COUNT},
	[LIMIT_CALLS] = {REASON_LIMIT_CALLS, RISK_EVENT_FLOOD},
	[LIMIT_SIP_REQUESTS] = {REASON_LIMIT_SIP_REQUESTS, RISK_EVENT_FLOOD},
	[LIMIT_SMS] = {REASON_LIMIT_SMS, RISK_EVENT_SMS},
	[LIMIT_REGISTERS] = {REASON_LIMIT_REGISTERS, RISK_EVENT_FLOOD},
	[LIMIT_PACKETS] = {REASON_LIMIT_PACKETS, RISK_EVENT_FLOOD},
	[LIMIT_SYNS] = {REASON_LIMIT_SYNS, RISK_EVENT_FLOOD},
};

static void see(struct risk_seen *seen, const struct tenant_counters *c)
{
	seen->seized += c->calls_seized;
	seen->answered += c->calls_answered;
	seen->shorts += c->calls_short;
	seen->outage += c->calls_outage;
	seen->unwanted += c->calls_unwanted;
	seen->recipients += c->recipients_answered;
	seen->bounced += c->recipients_bounced;
	seen->delivered += c->messages_accepted;
	seen->spoofed += c->reasons[REASON_SPOOFED];
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (limits[i].reason)
			seen->over[i] += c->reasons[limits[i].reason];
}

struct risk_counters risk_counters_of(const struct shm_head *memory)
{
	struct risk_counters c = {0};

	if (!memory)
		return c;
	c.started = memory->started;
	c.slots = memory->slots;
	c.workers = memory->workers < RISK_WORKERS ? memory->workers : RISK_WORKERS;
	for (unsigned i = 0; i < c.workers; i++)
		c.worker[i] = shm_tenants(memory, i);
	return c;
}

static struct risk_seen look(const struct risk_counters *c, uint32_t slot)
{
	struct risk_seen seen = {.of = c->started};

	for (unsigned i = 0; slot < c->slots && i < c->workers; i++)
		see(&seen, &c->worker[i][slot]);
	return seen;
}

/* Counters of a worker that is read while it writes may seem to go back. */
static uint64_t news(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* Of a dataplane of before, while that is not too long ago. */
static uint32_t at_least(const struct risk_past *past, uint32_t before, uint32_t estimate,
			 uint64_t now)
{
	return now / SKETCH_EPOCH <= past->epoch + 1 && before > estimate ? before : estimate;
}

/* `more`: what the workers have not seen; NULL: nothing. */
static uint32_t distinct(const struct risk_counters *c, uint32_t slot, uint64_t now, size_t member,
			 const struct sketch *more)
{
	uint64_t bits[SKETCH_WORDS] = {0};

	for (unsigned i = 0; i < c->workers; i++)
		sketch_merge((const void *)((const char *)&c->worker[i][slot] + member), now, bits);
	if (more)
		sketch_merge(more, now, bits);
	return sketch_estimate(bits);
}

static void count_news(struct risk_board *b, const struct risk_counters *c, uint32_t slot,
		       uint32_t shadow, uint64_t now)
{
	struct risk_tenant *t = &b->tenant[slot];
	const struct risk_seen was = b->seen[slot], is = look(c, slot);
	const struct risk_past *past = &b->past[slot];
	struct risk_sample s;

	/* Nearly always. */
	if (memcmp(&was, &is, sizeof(is)) == 0)
		return;
	b->seen[slot] = is;
	b->dirty[slot] = true;
	s = (struct risk_sample){
		.seized = (double)news(is.seized, was.seized),
		.answered = (double)news(is.answered, was.answered),
		.shorts = (double)news(is.shorts, was.shorts),
		.outage = (double)news(is.outage, was.outage),
		.recipients = (double)news(is.recipients, was.recipients),
		.bounced = (double)news(is.bounced, was.bounced),
		.delivered = (double)news(is.delivered, was.delivered),
		.callees = at_least(
			past, past->callees,
			distinct(c, slot, now, offsetof(struct tenant_counters, callees), NULL),
			now),
		.domains =
			at_least(past, past->domains,
				 distinct(c, slot, now, offsetof(struct tenant_counters, domains),
					  b->met[slot]),
				 now),
	};
	risk_count(t, &b->config, now, &s);
	risk_window_count(&b->window[slot], &b->config, now, &s);
	/* However many there were since: within a second they are one. */
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (news(is.over[i], was.over[i]) && !(shadow >> i & 1))
			risk_add(t, &b->config, now, limits[i].event, 1);
	if (news(is.spoofed, was.spoofed))
		risk_add(t, &b->config, now, RISK_EVENT_SPOOF, 1);
	for (uint64_t i = 0; i < news(is.unwanted, was.unwanted) && i < UNWANTED_MOST; i++)
		risk_add(t, &b->config, now, RISK_EVENT_UNWANTED, 1);
}

static void add(struct risk_board *b, uint32_t slot, enum risk_event event, double weight,
		uint64_t now)
{
	risk_add(&b->tenant[slot], &b->config, now, event, weight);
	b->dirty[slot] = true;
}

void risk_board_kernel(struct risk_board *b, uint32_t slot, const struct gate_tenant_counters *c,
		       uint32_t shadow, uint64_t now)
{
	const struct risk_kernel was = b->kernel[slot];
	const struct risk_kernel is = {true, c->dropped[CHECK_LIMIT_PACKETS],
				       c->dropped[CHECK_LIMIT_SYNS], c->dropped[CHECK_SPOOFED]};
	b->kernel[slot] = is;
	if (!was.known)
		return;
	if ((news(is.packets, was.packets) && !(shadow >> LIMIT_PACKETS & 1)) ||
	    (news(is.syns, was.syns) && !(shadow >> LIMIT_SYNS & 1)))
		add(b, slot, RISK_EVENT_FLOOD, 1, now);
	if (news(is.spoofed, was.spoofed))
		add(b, slot, RISK_EVENT_SPOOF, 1, now);
}

static void *copy_of(const void *data, size_t size)
{
	void *copy = malloc(size);

	if (copy)
		memcpy(copy, data, size);
	return copy;
}

/*
 * Counters that are looked at already go on where they were: whose they were before is known.
 * Those to come may be the ones that were looked at when it was saved.
 */
static void take_seen(struct risk_board *b, uint32_t slot, const struct risk_saved *before)
{
	if (b->memory)
		return;
	b->seen[slot] = (struct risk_seen){0};
	if (before)
		b->seen[slot].of = RISK_SEEN_LOST;
	if (before && before->slot == slot && !before->off && before->seen.of)
		b->seen[slot] = before->seen;
}

void risk_board_take(struct risk_board *b, uint32_t slot, uint32_t id,
		     const struct risk_saved *before)
{
	if (b->id[slot] == id)
		return;
	b->id[slot] = id;
	b->tenant[slot] = before ? before->tenant : (struct risk_tenant){0};
	b->window[slot] = before ? before->window : (struct risk_window){0};
	b->past[slot] = before ? before->past : (struct risk_past){0};
	b->off[slot] = before && before->off;
	b->kernel[slot] = (struct risk_kernel){0};
	b->dirty[slot] = false;
	take_seen(b, slot, before);
	free(b->trace[slot]);
	free(b->met[slot]);
	b->trace[slot] =
		before && before->has_trace ? copy_of(&before->trace, sizeof(before->trace)) : NULL;
	b->met[slot] = before && before->has_met ? copy_of(&before->met, sizeof(before->met))
						 : NULL;
}

void risk_board_memory(struct risk_board *b, const struct risk_counters *c, bool counted)
{
	b->memory = c->started;
	for (uint32_t slot = 0; slot < b->count; slot++) {
		struct risk_seen *seen = &b->seen[slot];
		const struct risk_tenant *t = &b->tenant[slot];

		if (seen->of == c->started)
			continue;
		b->past[slot] =
			(struct risk_past){t->callees, t->domains, t->counted / SKETCH_EPOCH};
		*seen = counted && seen->of ? look(c, slot) : (struct risk_seen){.of = c->started};
	}
}

static bool is_moved(const struct risk_tenant *was, const struct risk_tenant *is)
{
	return was->level != is->level || was->asked != is->asked ||
	       was->breached != is->breached || was->noticed != is->noticed ||
	       was->pardoned != is->pardoned;
}

struct risk_change risk_board_step(struct risk_board *b, const struct risk_counters *c,
				   uint32_t slot, uint32_t shadow, uint64_t now)
{
	struct risk_tenant *t = &b->tenant[slot];
	struct risk_change change;
	struct risk_tenant was;

	if (b->off[slot]) {
		b->off[slot] = false;
		b->dirty[slot] = true;
	}
	if (slot < c->slots)
		count_news(b, c, slot, shadow, now);
	if (risk_is_empty(t) && !(t->score > 0)) {
		t->slow = 0;
		return (struct risk_change){0};
	}
	was = *t;
	change = risk_evaluate(t, &b->config, now);
	b->dirty[slot] |= is_moved(&was, t);
	return change;
}

unsigned risk_board_alarms(struct risk_board *b, uint32_t slot, uint64_t now)
{
	struct risk_window *w = &b->window[slot];
	const uint32_t was[] = {w->breached[0], w->breached[1]};
	const unsigned alarms = risk_window_alarms(w, &b->tenant[slot], &b->config, now);

	for (int i = 0; i < RISK_WINDOW_RATIOS; i++)
		b->dirty[slot] |= !was[i] != !w->breached[i];
	return alarms;
}

void risk_board_skip(struct risk_board *b, const struct risk_counters *c, uint32_t slot)
{
	if (!b->off[slot]) {
		b->off[slot] = true;
		b->dirty[slot] = true;
	}
	if (slot < c->slots)
		b->seen[slot] = look(c, slot);
}

/* Events */

/* A free item; or the oldest of its kind, when that has its share; or the oldest of all. */
static struct risk_trace_item *trace_place(struct risk_trace *trace, enum risk_event event)
{
	struct risk_trace_item *oldest = NULL, *own = NULL;
	unsigned kin = 0;

	for (struct risk_trace_item *i = trace->item; i < trace->item + RISK_TRACE; i++) {
		const bool is_own = i->used && i->event == event;

		if (!i->used)
			return i;
		kin += is_own;
		if (!oldest || i->time < oldest->time)
			oldest = i;
		if (is_own && (!own || i->time < own->time))
			own = i;
	}
	return kin >= TRACE_SHARE ? own : oldest;
}

void risk_board_trace(struct risk_board *b, uint32_t slot, enum risk_event event, uint64_t time,
		      uint64_t flow, uint32_t sid)
{
	if (!b->trace[slot])
		b->trace[slot] = calloc(1, sizeof(*b->trace[slot]));
	b->dirty[slot] = true;
	if (b->trace[slot])
		*trace_place(b->trace[slot], event) =
			(struct risk_trace_item){time, flow, sid, (uint8_t)event, true};
}

void risk_board_event(struct risk_board *b, uint32_t slot, enum risk_event event, double weight,
		      uint64_t time, uint64_t flow, uint32_t sid)
{
	risk_add(&b->tenant[slot], &b->config, time, event, weight);
	risk_board_trace(b, slot, event, time, flow, sid);
}

/* Where the dataplane's own number is newer, it comes again with its next news. */
static uint32_t domains_known(const struct risk_board *b, uint32_t slot, uint64_t now)
{
	uint64_t bits[SKETCH_WORDS] = {0};
	uint32_t met;

	if (b->met[slot])
		sketch_merge(b->met[slot], now, bits);
	met = sketch_estimate(bits);
	return met > b->tenant[slot].domains ? met : b->tenant[slot].domains;
}

void risk_board_reported(struct risk_board *b, uint32_t slot, const struct risk_sample *sample,
			 uint64_t now)
{
	struct risk_tenant *t = &b->tenant[slot];
	struct risk_sample s = *sample;

	s.callees = t->callees;
	s.domains = domains_known(b, slot, now);
	risk_count(t, &b->config, now, &s);
	b->dirty[slot] = true;
}

void risk_board_complaints(struct risk_board *b, uint32_t slot, double n, uint64_t now)
{
	risk_board_reported(b, slot, &(struct risk_sample){.complaints = n}, now);
}

void risk_board_met(struct risk_board *b, uint32_t slot, uint64_t domain, uint64_t now)
{
	if (!b->met[slot])
		b->met[slot] = calloc(1, sizeof(*b->met[slot]));
	b->dirty[slot] = true;
	if (b->met[slot])
		sketch_add(b->met[slot], now, domain);
}
