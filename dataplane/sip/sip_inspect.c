/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP messages, from streams and datagrams: counted, told of, followed as calls, and judged. */
#include <stdio.h>

#include "dataplane/policy/distinct.h"
#include "dataplane/sip/sip_checks.h"
#include "dataplane/sip/sip_sink.h"
#include "dataplane/tcp/editor.h"

size_t sip_session_size(void)
{
	return sizeof(struct sip_session);
}

static void sip_event(struct sip_ctx *c, const struct sip_message *msg)
{
	struct event_builder e = event_start(c->w, EVENT_SIP);
	char code[8];

	if (!e.head)
		return;
	if (msg->kind == SIP_REQUEST) {
		event_put_bytes(&e, FIELD_KEY_SIP_METHOD, msg->method);
		event_put_bytes(&e, FIELD_KEY_SIP_URI, msg->uri);
		event_put_bytes(&e, FIELD_KEY_SIP_REQUEST_LINE, msg->start_line);
	} else {
		snprintf(code, sizeof(code), "%u", msg->code);
		event_put_text(&e, FIELD_KEY_SIP_CODE, code);
		event_put_bytes(&e, FIELD_KEY_SIP_REASON, msg->reason);
		event_put_bytes(&e, FIELD_KEY_SIP_RESPONSE_LINE, msg->start_line);
	}
	event_put_bytes(&e, FIELD_KEY_SIP_VERSION, msg->version);
	event_put_bytes(&e, FIELD_KEY_SIP_CALL_ID, msg->call_id);
	event_put_bytes(&e, FIELD_KEY_SIP_CSEQ, msg->cseq);
	event_put_bytes(&e, FIELD_KEY_SIP_FROM, msg->from.uri);
	event_put_bytes(&e, FIELD_KEY_SIP_TO, msg->to.uri);
	event_send(c->w, &e);
}

static void count_message(struct worker *w, enum sip_result result, const struct sip_message *msg)
{
	w->counters->sip.malformed += result == SIP_MALFORMED;
	if (msg->kind == SIP_REQUEST)
		count_name(w->counters->sip.requests, msg->method);
	else if (msg->kind == SIP_RESPONSE)
		w->counters->sip.responses[msg->code]++;
}

/* The tenant whose call a message belongs to: its own if it calls, nobody's if it is called. */
static uint32_t tenant_followed(const struct flow *f, const struct sip_message *msg, bool outbound)
{
	if (msg->kind == SIP_REQUEST && msg->method_id != SIP_METHOD_INVITE)
		return f->tenant; /* but the other one may have called: follow_call() */
	return outbound == (msg->kind == SIP_REQUEST) ? f->tenant : 0;
}

static uint32_t follow_call(struct sip_ctx *c, const struct sip_message *msg, bool outbound,
			    uint32_t *events)
{
	uint32_t tenant = tenant_followed(c->f, msg, outbound);
	bool either = msg->kind == SIP_REQUEST && msg->method_id != SIP_METHOD_INVITE;

	*events = calls_message(c->w, tenant, msg, &c->call);
	if (either && tenant && (*events & CALL_EVENT_MIDSTREAM)) {
		tenant = 0;
		*events = calls_message(c->w, 0, msg, &c->call);
	}
	return tenant;
}

static bool sent_by_tenant(const struct flow *f, unsigned side)
{
	return f->tenant && !!(f->flags & FLOW_OUTBOUND) == flow_from_client(f, side);
}

/* Whom the request asks for: several will want to know. */
static void read_callee(struct sip_ctx *c, const struct sip_message *msg)
{
	struct sip_uri uri;

	sip_uri_parse(msg->uri, &uri);
	c->is_sos = sip_uri_is_sos(&uri);
	c->has_callee = sip_number_read(&uri, &c->callee);
}

static struct bytes callee_of(const struct sip_ctx *c, const struct sip_message *msg)
{
	return c->has_callee ? bytes_of(c->callee.digits, c->callee.len) : msg->uri;
}

static void take_message(struct sip_ctx *c, enum sip_result result, const struct sip_message *msg)
{
	struct worker *w = c->w;
	bool outbound = sent_by_tenant(c->f, w->at.side);
	uint32_t tenant, calls;

	if (result == SIP_NOT_SIP)
		return;
	count_message(w, result, msg);
	if (result == SIP_MALFORMED)
		worker_note(w, c->f->tenant, REASON_SIP_MALFORMED);
	if (msg->kind == SIP_NEITHER) {
		if (may_decide(w) && w->policy->on_loss[REASON_SIP_MALFORMED] >= VERDICT_DROP)
			slot_decide(w, w->at.slot, VERDICT_DROP, REASON_SIP_MALFORMED);
		return;
	}
	sip_event(c, msg);
	if (may_decide(w) && sip_refused_before(c, msg))
		return;
	c->is_sos = c->has_callee = false;
	if (outbound && (sip_is_new_call(msg) || sip_is_text(msg)))
		read_callee(c, msg);
	tenant = follow_call(c, msg, outbound, &calls);
	if (tenant && (calls & CALL_EVENT_ATTEMPT))
		distinct_callee(w, tenant, callee_of(c, msg));
	if (!may_decide(w))
		return;
	c->repeated = calls & CALL_EVENT_REPEATED;
	if (c->call.refused || reply_sip_is_acked(msg))
		sip_absorb(c, msg);
	else if (!sip_judge(c, msg, calls, outbound))
		urgent_follow(w, c->urgent, msg, outbound, calls);
	else if (sip_is_new_call(msg) && !c->repeated)
		calls_refuse(w, tenant, msg, c->answer.code);
}

static uint32_t tenant_of(const struct burst *b, unsigned i, const struct sip_message *msg)
{
	const struct flow *f = b->flow[i];

	return tenant_followed(f, msg, sent_by_tenant(f, b->hdr[i].side));
}

/* What a call counts, and what an attempt does. */
static void prefetch_counters(const struct tenant_counters *t, bool is_new)
{
	rte_prefetch0(&t->calls);
	if (!is_new)
		return;
	rte_prefetch0(&t->callees);
	rte_prefetch0((const uint8_t *)(&t->callees + 1) - 1);
}

void sip_read_datagram(const struct worker *w, const struct burst *b, unsigned i,
		       struct sip_read *out)
{
	const struct headers *h = &b->hdr[i];
	struct sip_message *msg = &out->msg;
	uint32_t tenant;

	out->result = sip_parse(rte_pktmbuf_mtod_offset(b->pkt[i], uint8_t *, h->payload),
				h->payload_len, msg);
	/* What the capture cut off is not the sender's fault. */
	if (h->missing && out->result == SIP_MALFORMED && msg->kind != SIP_NEITHER)
		out->result = SIP_OK;
	if (!msg->call_id.len)
		return;
	msg->call_hash = call_hash(w->calls->table, msg);
	tenant = tenant_of(b, i, msg);
	call_prefetch_index(w->calls->table, tenant, msg->call_hash);
	if (tenant)
		prefetch_counters(&w->tenants[tenant], sip_is_new_call(msg));
}

void sip_prefetch_call(const struct worker *w, const struct burst *b, unsigned i,
		       const struct sip_read *read)
{
	const struct sip_message *msg = &read->msg;

	if (msg->call_hash)
		call_prefetch(w->calls->table, tenant_of(b, i, msg), msg->call_hash);
}

void sip_inspect_datagram(struct worker *w, struct flow *f, const struct sip_read *read)
{
	struct sip_ctx c = {.w = w, .f = f};

	take_message(&c, read->result, &read->msg);
}

/* The peer's message ends there. */
static void answers_due(struct sip_ctx *c, uint64_t end)
{
	const struct sip_session *s = c->f->session;
	unsigned side = c->w->at.side;

	if (!c->w->options.edits || c->w->at.ending || side == editor_asker_of(c->f))
		return;
	while (editor_due(c->w, c->f, s->begin[side] + (uint32_t)end))
		;
}

static void on_message(void *ctx, const struct sip_frame *frame, enum sip_result result,
		       const struct sip_message *msg)
{
	struct sip_ctx *c = ctx;

	c->begin = frame->begin;
	c->end = frame->end;
	if (c->w->at.ghost && c->w->options.edits)
		return;
	take_message(c, result, msg);
	answers_due(c, frame->end);
}

static void on_lost(void *ctx, uint64_t offset, enum sip_lost why)
{
	struct sip_ctx *c = ctx;

	worker_note(c->w, c->f->tenant,
		    why == SIP_LOST_BUDGET ? REASON_PARSER_BUDGET : REASON_SIP_LOST);
}

static const struct sip_sink sink = {.message = on_message, .lost = on_lost};

static struct sip_session *session_open(struct worker *w, struct flow *f)
{
	struct sip_session *s = f->session;

	if (s)
		return s;
	s = pool_get(block_pool_for(&w->sessions, f->tenant));
	if (!s) {
		flow_give_up(w, f, REASON_PARSER_BUDGET);
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	for (unsigned side = 0; side < 2; side++) {
		const struct tcp_half *half = &f->half[side];

		s->begin[side] = half->flags & HALF_SYN ? half->isn + 1 : half->next;
	}
	f->session = s;
	return s;
}

/* Answers come between the peer's messages; what may yet be refused waits. */
static void edit_stream(struct worker *w, struct flow *f, const struct sip_session *s)
{
	unsigned asker = editor_asker_of(f), side = w->at.side;
	const struct sip_framer *peer = &s->framer[!asker], *own = &s->framer[side];

	while (sip_frame_settled(peer) == peer->offset &&
	       editor_due(w, f, s->begin[!asker] + (uint32_t)peer->offset))
		;
	if (side == asker && !(f->flags & FLOW_REFUSED))
		editor_hold(w, f, s->begin[side] + (uint32_t)sip_frame_settled(own),
			    s->begin[side] + (uint32_t)own->offset);
}

void sip_inspect_stream(struct worker *w, struct flow *f, bool to_server, const uint8_t *p,
			size_t len)
{
	struct sip_session *s = session_open(w, f);
	struct sip_framer *framer;
	struct sip_ctx c = {.w = w, .f = f};

	if (!s)
		return;
	if (!s->looked_at) {
		s->looked_at = true;
		if (len >= 3 && p[0] == 0x16 && p[1] == 3) {
			flow_encrypted(w, f);
			flow_give_up(w, f, REASON_SIP_ENCRYPTED);
			return;
		}
	}
	framer = &s->framer[w->at.side];
	w->at.offset = framer->offset;
	if (!w->at.ending)
		s->begin[w->at.side] = packet_meta(w->burst.pkt[w->at.slot])->seq -
				       (uint32_t)framer->offset;
	sip_frame_feed(framer, p, len, block_pool_for(&w->frames, f->tenant), &sink, &c);
	if (w->options.edits && !w->at.ending)
		edit_stream(w, f, s);
}

void sip_inspect_gap(struct worker *w, struct flow *f, bool to_server, uint32_t bytes)
{
	struct sip_session *s = session_open(w, f);
	struct sip_ctx c = {.w = w, .f = f};

	if (s)
		sip_frame_gap(&s->framer[w->at.side], bytes, block_pool_for(&w->frames, f->tenant),
			      &sink, &c);
}

void sip_inspect_end(struct worker *w, struct flow *f)
{
	struct sip_session *s = f->session;
	struct proto_pool *frames = block_pool_for(&w->frames, f->tenant);

	if (!s)
		return;
	sip_frame_fini(&s->framer[0], frames);
	sip_frame_fini(&s->framer[1], frames);
}
