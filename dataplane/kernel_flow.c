/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/kernel_flow.h"

#include <netinet/in.h>

#include "bpf/event_record.h"
#include "bpf/stage_packet.h"
#include "bpf/stage_result.h"
#include "dataplane/inspect.h"
#include "dataplane/tcp/editor.h"

static uint32_t place_of(const struct flow *f)
{
	return (uint32_t)f->hash % FLOW_EPOCHS;
}

/* Other flows' workers may count up the same word. */
static void epoch_end(uint64_t *epoch)
{
	__atomic_fetch_add(epoch, 1, __ATOMIC_SEQ_CST);
}

void kernel_flow_forget_all(uint64_t *epochs)
{
	for (uint32_t i = 0; i < FLOW_EPOCHS; i++)
		epoch_end(&epochs[i]);
}

/* Nothing of it waits, was changed, or is about to end. */
static bool is_plain(const struct flow *f)
{
	const struct tcp_half *a = &f->half[0], *b = &f->half[1];

	return !f->editor && f->state == FLOW_ESTABLISHED && !a->ahead.head && !b->ahead.head &&
	       !((a->flags | b->flags) & (HALF_WAITING | HALF_FIN));
}

static enum flow_decision decision_of(const struct worker *w, const struct flow *f)
{
	const unsigned tls = FLOW_UNINSPECTED | FLOW_ENCRYPTED;

	/* Another connection has its ports, and its epoch is that one's. */
	if (f->successor)
		return FLOW_UNDECIDED;
	/* The gate still speaks with the client, or with the server. */
	if (f->flags & FLOW_REFUSED)
		return f->editor && f->editor->phase != EDITOR_DONE ? FLOW_UNDECIDED : FLOW_DROP;
	if ((f->flags & tls) == tls && is_plain(f) &&
	    w->policy->slots[f->tenant].state != TENANT_SUSPENDED)
		return FLOW_PASS;
	return FLOW_UNDECIDED;
}

/* Shorter than it takes to forget a flow that nobody hears of. */
static uint64_t time_of(const struct worker *w)
{
	return RTE_MIN(KERNEL_FLOW_TIME, w->policy->timeouts.tcp_established / 2);
}

static uint64_t epoch_of(const struct worker *w, const struct flow *f)
{
	return __atomic_load_n(&w->epochs[place_of(f)], __ATOMIC_SEQ_CST);
}

static void tell(struct worker *w, struct flow *f, enum flow_decision decision)
{
	const struct kernel_flow k = {
		.key = f->key,
		.verdict = {.expires = (uint64_t)((int64_t)w->now + w->monotonic) + time_of(w),
			    .decision = (uint16_t)decision,
			    .own = !!(f->flags & FLOW_OUTBOUND),
			    .place = place_of(f),
			    .epoch = epoch_of(w, f)},
	};
	struct event_builder e = event_start(w, EVENT_KERNEL);

	f->told = w->now + time_of(w);
	f->told_epoch = (uint32_t)k.verdict.epoch;
	event_put_str(&e, FIELD_KEY_KERNEL_FLOW, &k, sizeof(k));
	event_send(w, &e);
}

void kernel_flow_look(struct worker *w, struct flow *f, uint8_t tcp_flags)
{
	enum flow_decision decision;
	unsigned enough;

	if (!w->epochs || f->key.proto != IPPROTO_TCP)
		return;
	if (tcp_flags & STAGE_TCP_SYN)
		epoch_end(&w->epochs[place_of(f)]);
	/* Nearly every flow is neither. */
	if (!(f->flags & (FLOW_REFUSED | FLOW_ENCRYPTED)) || !w->policy->flow_verdicts ||
	    (w->now < f->told && (uint32_t)epoch_of(w, f) == f->told_epoch))
		return;
	decision = decision_of(w, f);
	enough = decision == FLOW_DROP ? KERNEL_FLOW_DROP : KERNEL_FLOW_PASS;
	if (decision != FLOW_UNDECIDED && ++f->unread < enough)
		return;
	if (decision == FLOW_UNDECIDED) {
		f->unread = 0;
		return;
	}
	f->unread = 0;
	tell(w, f, decision);
}
