/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_match.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/list.h"

#define CANDIDATES 8
#define HOUR       3600 /* s in which one server's word about block lists is one */

static const char *const names[] = {
#define X(id, name, text) name,
	FEEDBACK_RESULTS(X)
#undef X
};
static const char *const texts[] = {
#define X(id, name, text) text,
	FEEDBACK_RESULTS(X)
#undef X
};
static const char *const bys[] = {
#define X(id, name) name,
	FEEDBACK_BYS(X)
#undef X
};

const char *feedback_result_name(enum feedback_result result)
{
	return names[result];
}

const char *feedback_result_text(enum feedback_result result)
{
	return texts[result];
}

const char *feedback_by_name(enum feedback_by by)
{
	return bys[by];
}

/* Keys: what kind of thing it is, and what tells it from others of its kind. */

enum thing {
	THING_MESSAGE = 'm',   /* a Message-ID */
	THING_BOUNCE = 'i',    /* a recipient that the gate saw bounce */
	THING_BLOCK = 'l',     /* a server that spoke of a block list to the gate */
	THING_COMPLAINT = 'c', /* counted, as those that follow */
	THING_DELIVERY = 'd',
	THING_FAILURE = 'f',
	THING_ACCEPTED = 'a',
	THING_LISTED = 'b',
	THING_COMPLAINTS = 'C', /* how many counted of a message; of delivery reports alone: */
	THING_FAILURES = 'F',
	THING_LISTINGS = 'B',
};

static uint64_t key_of(const struct feedback_table *t, enum thing thing, const void *a,
		       size_t a_len, const void *b, size_t b_len)
{
	const uint8_t kind = (uint8_t)thing;
	struct siphash h;

	feedback_table_hash(t, &h);
	siphash_add(&h, &kind, 1);
	siphash_add(&h, &a_len, sizeof(a_len));
	siphash_add(&h, a, a_len);
	siphash_add(&h, b, b_len);
	return feedback_table_key(&h);
}

static uint64_t message_key(const struct feedback_table *t, enum thing thing, const char *id)
{
	return key_of(t, thing, id, strlen(id), "", 0);
}

/* Of a message and a recipient; one that is no address (RFC 6590 redacts) is what it is. */
static uint64_t item_key(const struct feedback_table *t, enum thing thing,
			 const struct feedback_item *item)
{
	uint8_t form[LIST_TEXT_MAX];
	size_t len = list_address(item->rcpt, strlen(item->rcpt), form);

	return key_of(t, thing, item->message_id, strlen(item->message_id),
		      len ? (const void *)form : item->rcpt, len ? len : strlen(item->rcpt));
}

static uint64_t recipient_key(const struct feedback_table *t, uint64_t recipient)
{
	return key_of(t, THING_BOUNCE, &recipient, sizeof(recipient), "", 0);
}

void feedback_left_for(struct feedback_memory *m, const char *id, uint32_t tenant,
		       enum feedback_flag flag, uint32_t recipients, int64_t now)
{
	if (*id)
		feedback_table_add(&m->messages, message_key(&m->messages, THING_MESSAGE, id),
				   tenant, flag, recipients, now, m->rules.keep);
}

void feedback_remember(struct feedback_memory *m, const char *id, uint32_t tenant,
		       enum feedback_flag flag, int64_t now)
{
	feedback_left_for(m, id, tenant, flag, 0, now);
}

void feedback_saw_bounce(struct feedback_memory *m, uint32_t tenant, uint64_t recipient,
			 int64_t now)
{
	if (recipient)
		feedback_table_put(&m->reports, recipient_key(&m->reports, recipient), tenant,
				   FEEDBACK_BY_GATE, now, m->rules.keep);
}

void feedback_saw_block(struct feedback_memory *m, uint32_t tenant, const char *server, int64_t now)
{
	feedback_table_put(&m->reports, message_key(&m->reports, THING_BLOCK, server), tenant,
			   FEEDBACK_BY_GATE, now, m->rules.keep);
}

void feedback_forget(struct feedback_memory *m, uint32_t tenant, uint64_t recipient)
{
	feedback_table_remove(&m->reports, recipient_key(&m->reports, recipient), tenant);
}

/* One item on its way */

struct work {
	struct feedback_memory *m;
	const struct feedback_item *item;
	const struct feedback_world *world;
	int64_t now;
	bool dry;
	bool read;           /* the gate read the mail itself */
	bool trusted;        /* what it says may count */
	uint32_t recipients; /* of the mail, as far as the gate and logs told; 0: nobody did */
	struct feedback_match *match;
};

/* A tenant whose mail had this Message-ID, or who has the address. */
static void find_tenant(struct work *w)
{
	const struct feedback_table *t = &w->m->messages;
	struct feedback_found found[CANDIDATES];
	const uint32_t owner = *w->item->address ? w->world->owner(w->world->ctx, w->item->address)
						 : 0;
	const uint32_t tagged = *w->item->tag ? w->world->tagged(w->world->ctx, w->item->tag) : 0;
	unsigned n = 0, kept, mine = CANDIDATES;

	if (*w->item->message_id)
		n = feedback_table_find(t, message_key(t, THING_MESSAGE, w->item->message_id),
					w->now, w->m->rules.keep, found, CANDIDATES);
	kept = n < CANDIDATES ? n : CANDIDATES;
	for (unsigned i = 0; i < kept; i++)
		if (owner ? found[i].tenant == owner : n == 1)
			mine = i;
	/* A log's addresses are the provider's own word. */
	if (w->item->source == FEEDBACK_LOG && owner) {
		w->match->by = FEEDBACK_BY_ADDRESS;
		w->match->tenant = owner;
		w->trusted = true;
	} else if (mine < kept) {
		w->match->by = FEEDBACK_BY_MESSAGE_ID;
		w->match->tenant = found[mine].tenant;
		w->trusted = true;
	} else if (n) {
		w->match->result = FEEDBACK_AMBIGUOUS;
	} else if (tagged && (!owner || tagged == owner)) {
		w->match->by = FEEDBACK_BY_TAG;
		w->match->tenant = tagged;
		w->trusted = tagged == owner;
	} else if (owner) {
		w->match->by = FEEDBACK_BY_ADDRESS;
		w->match->tenant = owner;
		w->trusted = w->m->rules.by_address;
	}
	if (mine < kept) {
		w->read = found[mine].flags & FEEDBACK_BY_GATE;
		w->recipients = found[mine].count;
	}
}

/* Whether it is the first of its kind; remembers it. */
static bool is_first(struct work *w, uint64_t key)
{
	struct feedback_table *t = &w->m->reports;
	const uint32_t tenant = w->match->tenant, keep = w->m->rules.keep;

	if (w->dry)
		return !feedback_table_has(t, key, tenant, w->now, keep, NULL);
	return feedback_table_put(t, key, tenant,
				  w->item->source == FEEDBACK_LOG ? FEEDBACK_BY_LOG : 0, w->now,
				  keep);
}

static bool was_seen(const struct work *w, uint64_t key, uint32_t within)
{
	return feedback_table_has(&w->m->reports, key, w->match->tenant, w->now, within, NULL);
}

static uint64_t total_key(const struct work *w, enum thing total)
{
	return message_key(&w->m->reports, total, w->item->message_id);
}

/* For how many more the reports of this mail may count. */
static uint32_t room_for(const struct work *w, enum thing total)
{
	const uint32_t most = w->recipients ? w->recipients : w->m->rules.incidents;
	const uint32_t counted = feedback_table_count(&w->m->reports, total_key(w, total),
						      w->match->tenant, w->now, w->m->rules.keep);

	/* So many that the counts don't go on. */
	if (most >= FEEDBACK_COUNT_MAX)
		return FEEDBACK_COUNT_MAX;
	return counted < most ? most - counted : 0;
}

static void use_room(struct work *w, enum thing total, uint32_t n)
{
	if (!w->dry)
		feedback_table_add(&w->m->reports, total_key(w, total), w->match->tenant, 0, n,
				   w->now, w->m->rules.keep);
}

static enum feedback_result count_complaint(struct work *w)
{
	const uint64_t key = item_key(&w->m->reports, THING_COMPLAINT, w->item);
	const uint32_t room = room_for(w, THING_COMPLAINTS), most = w->m->rules.incidents;
	uint32_t n = w->item->incidents < most ? w->item->incidents : most;

	/* What doesn't count takes no place of what does. */
	if (!room && !was_seen(w, key, w->m->rules.keep))
		return FEEDBACK_EXCESS;
	if (!is_first(w, key))
		return FEEDBACK_DUPLICATE;
	n = n < room ? n : room;
	use_room(w, THING_COMPLAINTS, n);
	w->match->counts.complaints = n;
	return FEEDBACK_COUNTED;
}

/* That the recipient was asked for: once, whatever became of it then. */
static void count_recipient(struct work *w)
{
	if (!w->read && is_first(w, item_key(&w->m->reports, THING_DELIVERY, w->item)))
		w->match->counts.recipients = 1;
}

static bool seen_by_gate(const struct work *w)
{
	const uint64_t recipient =
		w->world->recipient(w->world->ctx, w->match->tenant, w->item->rcpt);

	return recipient && was_seen(w, recipient_key(&w->m->reports, recipient), w->m->rules.seen);
}

/* Whether it is the first word of this recipient's failure, and one that may count. */
static enum feedback_result count_failure(struct work *w)
{
	const uint64_t key = item_key(&w->m->reports, THING_FAILURE, w->item);
	const bool is_report = w->item->source == FEEDBACK_DSN;

	if (is_report && !room_for(w, THING_FAILURES) && !was_seen(w, key, w->m->rules.keep))
		return FEEDBACK_EXCESS;
	if (!is_first(w, key))
		return FEEDBACK_DUPLICATE;
	if (is_report)
		use_room(w, THING_FAILURES, 1);
	return FEEDBACK_COUNTED;
}

static enum feedback_result count_hard(struct work *w)
{
	enum feedback_result result;

	if (seen_by_gate(w))
		return FEEDBACK_SEEN;
	result = count_failure(w);
	if (result != FEEDBACK_COUNTED)
		return result;
	w->match->counts.bounced = 1;
	count_recipient(w);
	return FEEDBACK_COUNTED;
}

/* "Later" is no answer, as it is none inline: only a 5yz is one of a recipient's. */
static enum feedback_result count_soft(struct work *w)
{
	enum feedback_result result;

	if (w->item->code / 100 != 5 && w->item->status[0] != '5')
		return FEEDBACK_NOTED;
	result = count_failure(w);
	if (result != FEEDBACK_COUNTED)
		return result;
	if (w->read)
		return FEEDBACK_SEEN;
	count_recipient(w);
	return FEEDBACK_COUNTED;
}

/* What left through a log's server, and TLS hid. */
static enum feedback_result count_delivered(struct work *w)
{
	if (w->item->source != FEEDBACK_LOG)
		return FEEDBACK_NOTED;
	if (w->read)
		return FEEDBACK_SEEN;
	count_recipient(w);
	if (!w->match->counts.recipients)
		return FEEDBACK_DUPLICATE;
	w->match->counts.delivered =
		is_first(w, message_key(&w->m->reports, THING_ACCEPTED, w->item->message_id));
	return FEEDBACK_COUNTED;
}

uint16_t feedback_server(const struct feedback_item *item, char address[FEEDBACK_IP])
{
	const char *open = strrchr(item->remote, '['), *close = open ? strchr(open, ']') : NULL;
	unsigned long port;

	address[0] = '\0';
	if (!close)
		return 0;
	feedback_ip(bytes_of(open + 1, (size_t)(close - open) - 1), address);
	port = close[1] == ':' ? strtoul(close + 2, NULL, 10) : 0;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/*
 * A mail's recipients at a domain hear the same words, as they would in one session on the wire,
 * where a rule speaks once of a mail.
 */
static uint64_t listing_key(const struct work *w, uint32_t sid)
{
	const struct feedback_table *t = &w->m->reports;
	const char *at = strrchr(w->item->rcpt, '@');
	uint8_t what[sizeof(sid) + LIST_TEXT_MAX];
	size_t len = at ? list_domain(at + 1, strlen(at + 1), what + sizeof(sid)) : 0;

	memcpy(what, &sid, sizeof(sid));
	return key_of(t, THING_LISTED, w->item->message_id, strlen(w->item->message_id), what,
		      sizeof(sid) + len);
}

/* s since the line was written: a log may be read a day later. */
static uint32_t age(const struct work *w)
{
	const int64_t s = w->item->time ? w->now - w->item->time : 0;

	return s > 0 ? (uint32_t)s : 0;
}

static void look_for_block_list(struct work *w)
{
	struct feedback_counts *counts = &w->match->counts;
	struct reply_hit hits[REPLY_HITS];
	char server[FEEDBACK_IP];
	unsigned n = *w->item->text ? w->world->judge(w->world->ctx, w->item, hits) : 0;

	if (!n)
		return;
	feedback_server(w->item, server);
	if (*server && was_seen(w, message_key(&w->m->reports, THING_BLOCK, server), HOUR + age(w)))
		return;
	if (w->item->source == FEEDBACK_DSN && !room_for(w, THING_LISTINGS))
		return;
	for (unsigned i = 0; i < n; i++)
		if (is_first(w, listing_key(w, hits[i].sid)))
			counts->listed[counts->listings++] = hits[i];
	if (w->item->source == FEEDBACK_DSN && counts->listings)
		use_room(w, THING_LISTINGS, 1);
}

static enum feedback_result count(struct work *w)
{
	enum feedback_result result;

	switch (w->item->kind) {
	case FEEDBACK_COMPLAINT:
		return count_complaint(w);
	case FEEDBACK_HARD:
		result = count_hard(w);
		look_for_block_list(w);
		break;
	case FEEDBACK_SOFT:
		result = count_soft(w);
		look_for_block_list(w);
		break;
	case FEEDBACK_DELAYED:
		result = FEEDBACK_NOTED;
		look_for_block_list(w);
		break;
	case FEEDBACK_DELIVERED:
		return count_delivered(w);
	default:
		return FEEDBACK_NOTED;
	}
	return w->match->counts.listings ? FEEDBACK_COUNTED : result;
}

struct feedback_match feedback_match(struct feedback_memory *m, const struct feedback_item *item,
				     const struct feedback_world *world, int64_t now, bool dry)
{
	struct feedback_match match = {.result = FEEDBACK_UNMATCHED};
	struct work w = {
		.m = m, .item = item, .world = world, .now = now, .dry = dry, .match = &match};

	find_tenant(&w);
	if (!match.tenant)
		return match;
	if (item->time && item->time < now - (int64_t)m->rules.keep) {
		match.result = FEEDBACK_STALE;
		return match;
	}
	/* Nothing tells a mail without an id, or one that only an address tells of, from the next.
	 */
	if (!w.trusted || !*item->message_id) {
		match.result = FEEDBACK_NOTED;
		return match;
	}
	match.result = count(&w);
	if (!dry && item->source == FEEDBACK_LOG)
		feedback_left_for(m, item->message_id, match.tenant, FEEDBACK_BY_LOG,
				  match.counts.recipients, now);
	return match;
}
