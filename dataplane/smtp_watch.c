/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp_watch.h"

#include <string.h>

#include "bpf/check.h"
#include "dataplane/distinct.h"
#include "dataplane/mail_watch.h"
#include "dataplane/relay_words.h"

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

void smtp_recipient_read(struct smtp_ctx *c, struct bytes address, struct smtp_recipient *to)
{
	if (c->f->flags & FLOW_OUTBOUND)
		list_form_of(address, &to->form);
	else
		to->form.len = 0;
	to->hash = list_suppressed_hash(c->w->policy, c->f->tenant, c->w->watch->key, &to->form);
	to->domain = to->hash ? distinct_hash(c->w, domain_of(&to->form)) : 0;
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

	if (!numbers(c)->new_recipients || !to->hash || !refuses(c, REASON_NEW_RECIPIENTS))
		return false;
	watch = watch_of(c);
	share = strangers_of(watch, c);
	return mail_share_is_over(&share, c->w->now) &&
	       !known_set_has(&watch->known, mail_watch_key(watch, c->f->tenant, to->hash),
			      c->w->now / DAY, numbers(c)->recipients_days);
}

bool smtp_watch_refuses_first(struct smtp_ctx *c, const struct smtp_recipient *to,
			      const struct smtp_command *cmd)
{
	const struct gcra *per_domain = &slot_of(c)->per_domain;

	if (is_suppressed(c, to) &&
	    smtp_check(c, REASON_SUPPRESSED, "recipient", cmd->address, cmd->at, false))
		return true;
	if (is_harvesting(c) &&
	    smtp_check(c, REASON_HARVEST, "recipient", cmd->address, cmd->at, false))
		return true;
	if (is_one_stranger_too_many(c, to) &&
	    smtp_check(c, REASON_NEW_RECIPIENTS, "recipient", cmd->address, cmd->at, false))
		return true;
	if (!per_domain->interval || !to->hash || !check_is_on(c->w, REASON_PER_DOMAIN))
		return false;
	if (count_min_take(&watch_of(c)->domains,
			   mail_watch_key(c->w->watch, c->f->tenant, to->domain), per_domain,
			   c->w->now))
		return false;
	return smtp_check(c, REASON_PER_DOMAIN, "recipient", cmd->address, cmd->at, false);
}

/* Different ones in a day: those of today are known. */
static bool is_of_today(const struct smtp_ctx *c, uint64_t thing)
{
	const struct mail_watch *watch = c->w->watch;

	return known_set_has(&watch->known, mail_watch_key(watch, c->f->tenant, thing),
			     c->w->now / DAY, 0);
}

/* Is it one more than there may be? Where that is only told, with the first beyond. */
static bool is_one_more(struct smtp_ctx *c, enum reason reason, uint64_t thing,
			_Atomic uint64_t *word, uint32_t most)
{
	watch_of(c);
	if (is_of_today(c, thing))
		return false;
	if (refuses(c, reason))
		return !mail_watch_day_add(word, c->w->now, most);
	return mail_watch_day_add(word, c->w->now, 0) == most + 1;
}

static bool are_limited(const struct smtp_ctx *c, enum reason reason, uint32_t most)
{
	return most && check_is_on(c->w, reason);
}

static bool refuses_distinct(struct smtp_ctx *c, const struct smtp_recipient *to,
			     const struct smtp_command *cmd)
{
	struct tenant_watch *t = &c->w->watch->tenant[c->f->tenant];
	const uint32_t recipients = slot_of(c)->distinct_recipients;
	const uint32_t domains = slot_of(c)->distinct_domains;

	if (are_limited(c, REASON_DISTINCT_DOMAINS, domains) &&
	    is_one_more(c, REASON_DISTINCT_DOMAINS, to->domain, &t->day_domains, domains) &&
	    smtp_check(c, REASON_DISTINCT_DOMAINS, "recipient", cmd->address, cmd->at, false))
		return true;
	if (!are_limited(c, REASON_DISTINCT_RECIPIENTS, recipients) ||
	    !is_one_more(c, REASON_DISTINCT_RECIPIENTS, to->hash, &t->day_recipients, recipients) ||
	    !smtp_check(c, REASON_DISTINCT_RECIPIENTS, "recipient", cmd->address, cmd->at, false))
		return false;
	if (are_limited(c, REASON_DISTINCT_DOMAINS, domains) && !is_of_today(c, to->domain))
		mail_watch_day_undo(&t->day_domains, c->w->now);
	return true;
}

bool smtp_watch_refuses_last(struct smtp_ctx *c, const struct smtp_recipient *to,
			     const struct smtp_command *cmd)
{
	const struct policy_mail *m = numbers(c);

	if (to->hash && refuses_distinct(c, to, cmd))
		return true;
	if (!m->mailbomb || !to->hash || !check_is_on(c->w, REASON_MAILBOMB))
		return false;
	if (count_min_add(&watch_of(c)->recipients,
			  mail_watch_key(c->w->watch, c->f->tenant, to->hash), c->w->now,
			  m->mailbomb_window, m->mailbomb))
		return false;
	return smtp_check(c, REASON_MAILBOMB, "recipient", cmd->address, cmd->at, false);
}

/* The tenant wrote to one in the domain, and to this one. */
static void meet_of_today(struct smtp_ctx *c, const struct smtp_recipient *to)
{
	struct mail_watch *watch = c->w->watch;
	const uint64_t day = c->w->now / DAY;

	if (are_limited(c, REASON_DISTINCT_DOMAINS, slot_of(c)->distinct_domains))
		known_set_meet(&watch_of(c)->known, mail_watch_key(watch, c->f->tenant, to->domain),
			       day, 0);
	if (are_limited(c, REASON_DISTINCT_RECIPIENTS, slot_of(c)->distinct_recipients))
		known_set_meet(&watch_of(c)->known, mail_watch_key(watch, c->f->tenant, to->hash),
			       day, 0);
}

static void meet(struct smtp_ctx *c, const struct smtp_recipient *to)
{
	const struct policy_mail *m = numbers(c);
	struct mail_watch *watch;
	struct mail_share share;
	uint64_t began = 0;
	bool known;

	if (!m->new_recipients || !check_is_on(c->w, REASON_NEW_RECIPIENTS))
		return;
	watch = watch_of(c);
	if (!atomic_compare_exchange_strong(&watch->began, &began, c->w->now))
		began += m->recipients_learn;
	else
		began = c->w->now + m->recipients_learn;
	known = known_set_meet(&watch->known, mail_watch_key(watch, c->f->tenant, to->hash),
			       c->w->now / DAY, m->recipients_days);
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
	meet(c, to);
	meet_of_today(c, to);
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
	count = count_min_add(&watch_of(c)->bodies, mail_watch_key(c->w->watch, c->f->tenant, hash),
			      c->w->now, numbers(c)->same_body_window, 0);
	if (count <= most)
		return false;
	/* Told with the first beyond, and then with every so many more. */
	if (!refuses(c, REASON_SAME_BODY) && (count - 1) % most)
		return false;
	return smtp_check(c, REASON_SAME_BODY, "message", bytes_of(mail->from, mail->from_len), end,
			  true);
}
