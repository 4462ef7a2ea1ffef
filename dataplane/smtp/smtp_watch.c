/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp/smtp_watch.h"

#include <string.h>

#include "bpf/check.h"
#include "bpf/siphash.h"
#include "dataplane/smtp/mail_watch.h"
#include "dataplane/smtp/relay_words.h"

#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)

static const struct policy_mail *numbers(const struct smtp_ctx *c)
{
	return &c->w->policy->mail;
}

static const struct tenant_slot *slot_of(const struct smtp_ctx *c)
{
	return &c->w->policy->slots[c->f->tenant];
}

/* What is found when there is nothing to refuse any more. */
static void tell(struct smtp_ctx *c, enum reason reason, const char *object)
{
	const uint64_t shadow = c->w->policy->slots[c->f->tenant].shadow_checks;
	const struct refusal r = {
		.verdict = VERDICT_ALERT,
		.reason = reason,
		.object = object,
		.shadow = shadow >> policy_check_of(reason) & 1,
	};

	if (!refusal_declare(c->w, &r, NULL))
		return;
	if (c->w->at.ending)
		worker_note(c->w, c->f->tenant, reason);
	else
		slot_decide(c->w, c->w->at.slot, VERDICT_ALERT, reason);
}

/* What is only told of is told when it comes to be, not each time that it still is. */
static bool refuses(const struct smtp_ctx *c, enum reason reason)
{
	return c->w->policy->actions[reason] >= VERDICT_DROP;
}

/* What workers share is touched in the packets' order. */
static struct mail_watch *watch_of(const struct smtp_ctx *c)
{
	order_wait(c->w->order, c->w->index, c->w->packet);
	return c->w->watch;
}

/* Every address in its normal form has one. */
static struct bytes domain_of(const struct list_form *address)
{
	const uint8_t *at = memrchr(address->text, '@', address->len);

	return bytes_of(at + 1, address->len - (size_t)(at + 1 - address->text));
}

/* What is looked at of a recipient: once, since control may change the tenant's slot meanwhile. */
enum look {
	LOOK_MAILBOMB = 1 << 0,
	LOOK_NEW = 1 << 1,
	LOOK_PER_DOMAIN = 1 << 2,
	LOOK_RECIPIENTS = 1 << 3,
	LOOK_DOMAINS = 1 << 4,
	LOOK_KNOWN = LOOK_NEW | LOOK_RECIPIENTS,
};

static uint8_t looks_of(const struct smtp_ctx *c)
{
	const struct policy_mail *m = numbers(c);
	const struct tenant_slot *slot = slot_of(c);
	const struct {
		enum reason reason;
		enum look look;
		uint64_t number;
	} all[] = {
		{REASON_MAILBOMB, LOOK_MAILBOMB, m->mailbomb},
		{REASON_NEW_RECIPIENTS, LOOK_NEW, m->new_recipients},
		{REASON_PER_DOMAIN, LOOK_PER_DOMAIN, slot->per_domain.interval},
		{REASON_DISTINCT_RECIPIENTS, LOOK_RECIPIENTS, slot->distinct_recipients},
		{REASON_DISTINCT_DOMAINS, LOOK_DOMAINS, slot->distinct_domains},
	};
	uint8_t looks = 0;

	for (size_t i = 0; i < RTE_DIM(all); i++)
		if (all[i].number && check_is_on(c->w, all[i].reason))
			looks |= all[i].look;
	return looks;
}

/* By the key that comes back with what is known (known_file.h); the lists' may not. */
static uint64_t hash_of(const struct smtp_ctx *c, struct bytes thing)
{
	return siphash(c->w->watch->key, thing.p, thing.len);
}

static uint64_t recipient_hash(const struct smtp_ctx *c, const struct smtp_recipient *to)
{
	return hash_of(c, bytes_of(to->form.text, to->form.len));
}

static struct sketch_rows tenant_rows(const struct smtp_ctx *c)
{
	return sketch_rows_of(mail_watch_key(c->w->watch, slot_of(c)->id, 0).tenant);
}

/*
 * Each of some sixteen lines lies somewhere else, and nobody has it: all are on their way together
 * while others are decided on, instead of a check's after the one's before it.
 */
static void fetch(const struct smtp_ctx *c, const struct sketch_rows *tenant,
		  struct smtp_recipient *to)
{
	const struct policy *policy = c->w->policy;
	const struct mail_watch *watch = c->w->watch;
	const struct sketch_rows recipient = sketch_rows_of(recipient_hash(c, to));
	const struct sketch_rows domain = sketch_rows_of(to->domain);

	to->looks = looks_of(c);
	if (to->looks & LOOK_PER_DOMAIN) {
		to->in_domain = sketch_place_at(tenant, &domain, watch->domains.width);
		count_min_prefetch(&watch->domains, &to->in_domain);
	}
	if (to->looks & LOOK_DOMAINS) {
		to->known_domain = sketch_place_at(tenant, &domain, watch->known.width);
		known_set_prefetch(&watch->known, &to->known_domain);
	}
	if (to->looks & LOOK_KNOWN) {
		to->known = sketch_place_at(tenant, &recipient, watch->known.width);
		known_set_prefetch(&watch->known, &to->known);
	}
	if (to->looks & LOOK_MAILBOMB) {
		to->mails = sketch_place_at(tenant, &recipient, watch->recipients.width);
		count_min_prefetch(&watch->recipients, &to->mails);
	}
	if (policy->sets && policy->mail.suppress && check_is_on(c->w, REASON_SUPPRESSED))
		list_sets_prefetch(policy->sets, policy->slots[c->f->tenant].id, LIST_SUPPRESSED,
				   to->hash);
}

static void read_address(const struct smtp_ctx *c, const struct sketch_rows *tenant,
			 struct bytes address, struct smtp_recipient *to)
{
	list_form_of(address, &to->form);
	to->looks = 0;
	to->hash = list_suppressed_hash(c->w->policy, c->f->tenant, c->w->watch->key, &to->form);
	to->domain = to->hash ? hash_of(c, domain_of(&to->form)) : 0;
	if (to->hash)
		fetch(c, tenant, to);
}

/* The address of a line that is surely a RCPT command as most clients write it; else empty. */
static struct bytes address_of(struct bytes line)
{
	static const struct bytes begin = BYTES("RCPT TO:<");
	const uint8_t *end;

	if (!bytes_case_starts(line, begin))
		return bytes_of(NULL, 0);
	line = bytes_of(line.p + begin.len, line.len - begin.len);
	end = bytes_chr(line, '>');
	return end ? bytes_of(line.p, (size_t)(end - line.p)) : bytes_of(NULL, 0);
}

/* Reads on behind the last line that was, as far as there are RCPTs and room. */
static void read_ahead(struct smtp_ctx *c)
{
	struct smtp_ahead *a = c->ahead;
	const uint8_t *end = c->fed.p + c->fed.len;

	while (a->count < SMTP_AHEAD && a->next < end) {
		const uint8_t *lf = memchr(a->next, '\n', (size_t)(end - a->next));
		const unsigned i = (a->first + a->count) % SMTP_AHEAD;

		if (!lf)
			return;
		a->address[i] = address_of(bytes_of(a->next, (size_t)(lf - a->next)));
		if (!a->address[i].len)
			return;
		read_address(c, &a->tenant, a->address[i], &a->to[i]);
		a->count++;
		a->next = lf + 1;
	}
}

static bool is_fed(const struct smtp_ctx *c, struct bytes address)
{
	return c->ahead && address.len && address.p >= c->fed.p &&
	       address.p < c->fed.p + c->fed.len;
}

/* The next one that was read ahead, if it is this one. */
static bool is_next(struct smtp_ahead *a, struct bytes address)
{
	const unsigned next = (a->first + 1) % SMTP_AHEAD;

	if (a->count < 2 || a->address[next].p != address.p || a->address[next].len != address.len)
		return false;
	a->first = (uint8_t)next;
	a->count--;
	return true;
}

/* None of those that were read ahead, or the first. */
static void begin_at(struct smtp_ctx *c, struct bytes address)
{
	const uint8_t *end = c->fed.p + c->fed.len;
	const uint8_t *lf = memchr(address.p, '\n', (size_t)(end - address.p));
	struct smtp_ahead *a = c->ahead;

	if (!a->has_tenant)
		a->tenant = tenant_rows(c);
	a->has_tenant = true;
	a->count = 1;
	a->address[a->first] = address;
	read_address(c, &a->tenant, address, &a->to[a->first]);
	a->next = lf ? lf + 1 : end;
}

const struct smtp_recipient *smtp_recipient_read(struct smtp_ctx *c, struct bytes address,
						 struct smtp_recipient *room)
{
	struct sketch_rows tenant;

	if (!(c->f->flags & FLOW_OUTBOUND)) {
		room->form.len = 0;
		room->hash = room->domain = 0;
		room->looks = 0;
		return room;
	}
	if (!is_fed(c, address)) {
		tenant = tenant_rows(c);
		read_address(c, &tenant, address, room);
		return room;
	}
	if (!is_next(c->ahead, address))
		begin_at(c, address);
	read_ahead(c);
	return &c->ahead->to[c->ahead->first];
}

static bool is_suppressed(struct smtp_ctx *c, const struct smtp_recipient *to)
{
	const struct policy *policy = c->w->policy;
	const struct list_sets *sets = policy->sets;
	uint64_t end;

	if (!to->hash || !policy->mail.suppress || !check_is_on(c->w, REASON_SUPPRESSED))
		return false;
	end = mail_watch_suppressed(watch_of(c), c->f->tenant, to->hash, c->w->now);
	/* What the list has taken over is the list's. */
	if (end && (!sets || end > policy->mail.suppress + sets->settled))
		return true;
	return list_suppressed(policy, c->f->tenant, to->hash, c->w->now);
}

/* Harvesting: addresses that are tried out. */
static struct mail_share harvest_of(struct mail_watch *watch, const struct smtp_ctx *c)
{
	struct tenant_watch *t = &watch->tenant[c->f->tenant];
	const struct policy_mail *m = numbers(c);

	return (struct mail_share){&t->probes, &t->tries, m->harvest_window, m->harvest,
				   m->harvest_share};
}

static bool is_harvesting(struct smtp_ctx *c)
{
	struct mail_share share;

	if (!numbers(c)->harvest || !refuses(c, REASON_HARVEST))
		return false;
	share = harvest_of(watch_of(c), c);
	return mail_share_is_over(&share, c->w->now);
}

static void harvest_count(struct smtp_ctx *c, uint32_t probes, uint32_t tries)
{
	struct mail_share share;

	if (!numbers(c)->harvest || !check_is_on(c->w, REASON_HARVEST))
		return;
	share = harvest_of(watch_of(c), c);
	if (mail_share_add(&share, c->w->now, probes, tries))
		tell(c, REASON_HARVEST, "connection");
}

/* Whom nobody of the tenant's wrote to before. */
static struct mail_share strangers_of(struct mail_watch *watch, const struct smtp_ctx *c)
{
	struct tenant_watch *t = &watch->tenant[c->f->tenant];
	const struct policy_mail *m = numbers(c);

	return (struct mail_share){&t->strangers, &t->recipients, m->recipients_window,
				   m->new_recipients, m->recipients_share};
}

static bool is_one_stranger_too_many(struct smtp_ctx *c, const struct smtp_recipient *to)
{
	struct mail_watch *watch;
	struct mail_share share;

	if (!(to->looks & LOOK_NEW) || !refuses(c, REASON_NEW_RECIPIENTS))
		return false;
	watch = watch_of(c);
	share = strangers_of(watch, c);
	return mail_share_is_over(&share, c->w->now) &&
	       !known_set_has_at(&watch->known, &to->known, c->w->now / DAY,
				 numbers(c)->recipients_days);
}

bool smtp_watch_refuses_first(struct smtp_ctx *c, const struct smtp_recipient *to,
			      const struct smtp_command *cmd)
{
	if (is_suppressed(c, to) &&
	    smtp_check(c, REASON_SUPPRESSED, "recipient", cmd->address, cmd->at, false))
		return true;
	if (is_harvesting(c) &&
	    smtp_check(c, REASON_HARVEST, "recipient", cmd->address, cmd->at, false))
		return true;
	if (is_one_stranger_too_many(c, to) &&
	    smtp_check(c, REASON_NEW_RECIPIENTS, "recipient", cmd->address, cmd->at, false))
		return true;
	if (!(to->looks & LOOK_PER_DOMAIN) ||
	    count_min_take_at(&watch_of(c)->domains, &to->in_domain, &slot_of(c)->per_domain,
			      c->w->now))
		return false;
	return smtp_check(c, REASON_PER_DOMAIN, "recipient", cmd->address, cmd->at, false);
}

/* Different ones in a day: those of today are known. */
static bool is_of_today(const struct smtp_ctx *c, const struct sketch_place *place)
{
	return known_set_has_at(&c->w->watch->known, place, c->w->now / DAY, 0);
}

/* Is it one more than there may be? Where that is only told, with the first beyond. */
static bool is_one_more(struct smtp_ctx *c, enum reason reason, const struct sketch_place *place,
			_Atomic uint64_t *word, uint32_t most)
{
	watch_of(c);
	if (is_of_today(c, place))
		return false;
	if (refuses(c, reason))
		return !mail_watch_day_add(word, slot_of(c)->id, c->w->now, most);
	return mail_watch_day_add(word, slot_of(c)->id, c->w->now, 0) == most + 1;
}

static bool refuses_domain(struct smtp_ctx *c, const struct smtp_recipient *to,
			   const struct smtp_command *cmd)
{
	struct tenant_watch *t = mail_watch_of(c->w->watch, c->f->tenant, slot_of(c)->id);

	return is_one_more(c, REASON_DISTINCT_DOMAINS, &to->known_domain, &t->day_domains,
			   slot_of(c)->distinct_domains) &&
	       smtp_check(c, REASON_DISTINCT_DOMAINS, "recipient", cmd->address, cmd->at, false);
}

static bool refuses_distinct(struct smtp_ctx *c, const struct smtp_recipient *to,
			     const struct smtp_command *cmd)
{
	struct tenant_watch *t = mail_watch_of(c->w->watch, c->f->tenant, slot_of(c)->id);

	if ((to->looks & LOOK_DOMAINS) && refuses_domain(c, to, cmd))
		return true;
	if (!(to->looks & LOOK_RECIPIENTS) ||
	    !is_one_more(c, REASON_DISTINCT_RECIPIENTS, &to->known, &t->day_recipients,
			 slot_of(c)->distinct_recipients) ||
	    !smtp_check(c, REASON_DISTINCT_RECIPIENTS, "recipient", cmd->address, cmd->at, false))
		return false;
	if ((to->looks & LOOK_DOMAINS) && !is_of_today(c, &to->known_domain))
		mail_watch_day_undo(&t->day_domains, slot_of(c)->id, c->w->now);
	return true;
}

bool smtp_watch_refuses_last(struct smtp_ctx *c, const struct smtp_recipient *to,
			     const struct smtp_command *cmd)
{
	const struct policy_mail *m = numbers(c);

	if (refuses_distinct(c, to, cmd))
		return true;
	if (!(to->looks & LOOK_MAILBOMB) ||
	    count_min_add_at(&watch_of(c)->recipients, &to->mails, c->w->now, m->mailbomb_window,
			     m->mailbomb))
		return false;
	return smtp_check(c, REASON_MAILBOMB, "recipient", cmd->address, cmd->at, false);
}

static void meet(struct smtp_ctx *c, const struct smtp_recipient *to)
{
	const struct policy_mail *m = numbers(c);
	struct mail_watch *watch;
	struct mail_share share;
	uint64_t began = 0;
	bool known;

	watch = watch_of(c);
	known = known_set_meet_at(&watch->known, &to->known, c->w->now / DAY, m->recipients_days);
	if (!(to->looks & LOOK_NEW))
		return;
	if (!atomic_compare_exchange_strong(&watch->began, &began, c->w->now))
		began += m->recipients_learn;
	else
		began = c->w->now + m->recipients_learn;
	/* Who has only just begun to know people knows nobody. */
	if (c->w->now < began)
		return;
	share = strangers_of(watch, c);
	if (mail_share_add(&share, c->w->now, !known, 1))
		tell(c, REASON_NEW_RECIPIENTS, "recipient");
}

void smtp_watch_rcpt(struct smtp_ctx *c, struct mail *mail, const struct smtp_recipient *to)
{
	struct tenant_counters *t = &c->w->tenants[c->f->tenant];

	/* As the server will number them. */
	if (mail && mail->asked < MAIL_ASKED)
		mail->asked_hash[mail->asked] = to->hash;
	if (mail)
		mail->asked++;
	if (!to->hash)
		return;
	sketch_add(&t->domains, c->w->now, to->domain);
	hll_add(&t->distinct_recipients, c->w->now, to->hash);
	if (to->looks & LOOK_KNOWN)
		meet(c, to);
	if (to->looks & LOOK_DOMAINS)
		known_set_meet_at(&watch_of(c)->known, &to->known_domain, c->w->now / DAY, 0);
}

bool smtp_watch_verify(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	if (!(c->f->flags & FLOW_OUTBOUND))
		return false;
	if (is_harvesting(c) &&
	    smtp_check(c, REASON_HARVEST, "recipient", cmd->argument, cmd->at, false))
		return true;
	harvest_count(c, 1, 1);
	return false;
}

/* The transaction that the server has come to: the client may be ahead of it. */
static const struct mail *mail_answered(const struct smtp_session *s)
{
	const struct mail *open[] = {s->pending, s->mail, s->nested};

	for (unsigned i = 0; i < RTE_DIM(open); i++)
		if (open[i] && open[i]->number == s->parser.mails)
			return open[i];
	return NULL;
}

/* Whom the server spoke of; 0: where something never came by, order says nothing for certain. */
static uint64_t asked_for(const struct smtp_ctx *c, const struct smtp_reply *r)
{
	const struct mail *mail = mail_answered(c->s);

	return !mail || c->s->unsure || r->rcpt >= mail->asked || r->rcpt >= MAIL_ASKED
		       ? 0
		       : mail->asked_hash[r->rcpt];
}

/* In force at once, and told, so that control keeps it. */
static void suppress(struct smtp_ctx *c, uint64_t hash)
{
	const struct policy *policy = c->w->policy;
	struct event_builder e;

	if (!hash || !policy->mail.suppress || !check_is_on(c->w, REASON_SUPPRESSED))
		return;
	mail_watch_suppress(watch_of(c), c->f->tenant, hash, c->w->now,
			    c->w->now + policy->mail.suppress);
	if (!policy->sets)
		return;
	e = event_start(c->w, EVENT_BOUNCED);
	event_put_uint(&e, FIELD_KEY_BOUNCED_HASH, hash);
	event_send(c->w, &e);
}

void smtp_watch_answer(struct smtp_ctx *c, const struct smtp_reply *r, bool hard)
{
	/* "Later" is no answer. */
	if (r->code / 100 != 2 && r->code / 100 != 5)
		return;
	if (hard)
		suppress(c, asked_for(c, r));
	harvest_count(c, hard, 1);
}

void smtp_watch_reply(struct smtp_ctx *c, const struct smtp_reply *r)
{
	const struct policy_mail *m = numbers(c);
	const struct flow *f = c->f;

	if (!m->relay_hosts || !may_decide(c->w) || r->code / 100 != 5 || r->withheld ||
	    !(f->flags & FLOW_OUTBOUND) || !check_is_on(c->w, REASON_RELAY) || !relay_is_denied(r))
		return;
	/* What is said in the reply's place is the last word. */
	if (mail_watch_host(watch_of(c), f->tenant, f->key.addr[!f->client], c->w->now,
			    m->relay_window, m->relay_hosts))
		smtp_check(c, REASON_RELAY, "connection", bytes_of(NULL, 0), r->at, true);
}

void smtp_watch_abort(struct smtp_ctx *c, const struct mail *mail, const struct smtp_abort *abort)
{
	/* What the gate refused, or ended, is the gate's doing. */
	if (!(c->f->flags & FLOW_OUTBOUND) || !mail || mail->data_asked || mail->rcpts_refused ||
	    abort->in_message || abort->by == SMTP_UNKNOWN || (c->f->flags & FLOW_REFUSED))
		return;
	harvest_count(c, abort->accepted, 0);
}

bool smtp_watch_refuses_message(struct smtp_ctx *c, const struct mail *mail, struct smtp_span end)
{
	const uint32_t most = slot_of(c)->same_body;
	const uint64_t hash = body_digest_end(&mail->body);
	uint32_t count;

	if (!most || !(c->f->flags & FLOW_OUTBOUND) || mail->incomplete || !hash ||
	    !check_is_on(c->w, REASON_SAME_BODY))
		return false;
	count = count_min_add(&watch_of(c)->bodies,
			      mail_watch_key(c->w->watch, slot_of(c)->id, hash), c->w->now,
			      numbers(c)->same_body_window, 0);
	if (count <= most)
		return false;
	/* Told with the first beyond, and then with every so many more. */
	if (!refuses(c, REASON_SAME_BODY) && (count - 1) % most)
		return false;
	return smtp_check(c, REASON_SAME_BODY, "message", bytes_of(mail->from, mail->from_len), end,
			  true);
}
