/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the parsers and the verdict: what each protocol's sink is made of.
 * All of it runs on the worker, for the packet in w->at.
 */
#ifndef POSTERN_INSPECT_H
#define POSTERN_INSPECT_H

#include "bpf/event_record.h"
#include "dataplane/match/match.h"
#include "dataplane/proto/bytes.h"
#include "dataplane/proto/sip.h"
#include "dataplane/worker.h"

/* SMTP over TCP. Returns how many bytes the parser took; fewer: it waits for the server. */
size_t smtp_inspect(struct worker *w, struct flow *f, bool to_server, const uint8_t *p, size_t len);
void smtp_inspect_gap(struct worker *w, struct flow *f, bool to_server, uint32_t bytes);
bool smtp_inspect_waiting(const struct flow *f);
/* The client's bytes that wait were sent after what the server says behind a gap. */
void smtp_inspect_client_is_later(struct flow *f);
/* Nobody will answer: go on. */
void smtp_inspect_release(struct worker *w, struct flow *f);
/* The flow is over; its session block can be read until the caller gives it back. */
void smtp_inspect_end(struct worker *w, struct flow *f);
/* What the client called the server before it went on in TLS; empty: nothing. Until the end. */
struct bytes smtp_inspect_server_name(const struct flow *f);
size_t smtp_session_size(void);
size_t mail_size(void);

/* SIP over TCP and UDP. */
void sip_inspect_stream(struct worker *w, struct flow *f, bool to_server, const uint8_t *p,
			size_t len);
void sip_inspect_gap(struct worker *w, struct flow *f, bool to_server, uint32_t bytes);

/* A datagram's message, read ahead of its turn. */
struct sip_read {
	enum sip_result result;
	struct sip_message msg;
};

/*
 * Reads slot i's datagram: nothing is decided or counted yet, but the call's place in the table
 * is on its way into the cache; with sip_prefetch_call(), a little later, the call itself.
 */
void sip_read_datagram(const struct worker *w, const struct burst *b, unsigned i,
		       struct sip_read *out);
void sip_prefetch_call(const struct worker *w, const struct burst *b, unsigned i,
		       const struct sip_read *read);
void sip_inspect_datagram(struct worker *w, struct flow *f, const struct sip_read *read);
void sip_inspect_end(struct worker *w, struct flow *f);
size_t sip_session_size(void);

/* A connection's first SYN: suspended tenants and those too fast are refused, one way or another.
 */
void admit_connection(struct worker *w, struct flow *f);

/* From here on it is TLS: what is in it can't be read. */
void flow_encrypted(struct worker *w, struct flow *f);

/* The parser gave up on this flow: it is forwarded unread, or not, as the policy says. */
void flow_give_up(struct worker *w, struct flow *f, enum reason reason);

/* Rules ------------------------------------------------------------------ */

struct match_flow match_flow_of(const struct worker *w, struct flow *f, bool to_server);

/* The strongest thing that rules said of one transaction so far. */
struct finding {
	enum verdict verdict;
	bool passed;
	const struct ruleset_rule *rule;
};

/*
 * Tells of all hits that the matcher collected (an `alert` event each) and raises the finding.
 * A pass rule ends it: nothing after it raises the finding. `context`: what matched, or empty:
 * never a body.
 */
void findings_take(struct worker *w, struct finding *finding, struct bytes context);

/* A SIP message, which w->at has, by all rules at once. */
struct finding sip_scan(struct worker *w, struct flow *f, const struct sip_message *msg);

/* Not when its packet is gone already, or the session was refused before. */
static inline bool may_decide(const struct worker *w)
{
	return !w->at.ending && !w->at.ghost;
}

/* Decisions -------------------------------------------------------------- */

/* What is refused, for the event. */
struct refusal {
	enum verdict verdict; /* DROP or REJECT */
	enum reason reason;
	const struct ruleset_rule *rule; /* REASON_RULE */
	const char *object; /* connection message recipient sender call request packet */
	struct bytes detail;
	bool shadow;
	bool ends_session; /* nothing of the flow goes on after it */
};

/* SMTP: what is said for it: the rule's words or the policy's; never empty. */
const char *refusal_smtp_text(const struct worker *w, const struct refusal *r, char text[256]);

/* SIP: the same; where the policy has none, 403. The phrase lives as long as rules and policy. */
struct sip_answer {
	uint16_t code;
	uint16_t retry_after; /* seconds, 0: none */
	struct bytes phrase;
	struct bytes warning; /* the rule's name, for a header; empty: no rule's */
};

#define SIP_ANSWER_MAX 2048 /* bytes */

struct sip_answer refusal_sip_answer(const struct worker *w, const struct refusal *r);

/*
 * Events and counters of a refusal. Returns whether it is to be carried out: false in shadow mode.
 */
bool refusal_declare(struct worker *w, const struct refusal *r, const char *reply);

/*
 * Of a check (bpf/check.h): is it looked for at all? Then, when it was found in what the tenant
 * sends: true: `r`, which has its reason, object and detail, is to be carried out; what is only
 * told is told here. Shadow is in `r`.
 */
static inline bool check_is_on(const struct worker *w, enum reason reason)
{
	return w->policy->actions[reason] != VERDICT_PASS;
}
bool check_refuses(struct worker *w, uint32_t tenant, struct refusal *r);
/* The same of what can't be refused, or isn't the tenant's to hear: it is told, or off. */
void check_tell(struct worker *w, uint32_t tenant, struct refusal *r);

/* Why a suspended tenant's mail is refused: for now, or for good. */
static inline enum reason suspended_reason(const struct tenant_slot *slot)
{
	return slot->flags & TENANT_CLOSED ? REASON_TENANT_CLOSED : REASON_TENANT_SUSPENDED;
}

/*
 * Withholds [begin, end) of the sender's stream, as far as it is in this packet; the whole of
 * the packet if none is, or if it has too many cuts already.
 */
void cut_stream(struct worker *w, uint64_t begin, uint64_t end, enum verdict verdict,
		enum reason reason);

/* Takes one of a limit; in shadow it only counts. True: refuse. */
bool limit_exceeded(struct worker *w, struct flow *f, enum tenant_limit limit);

/* Keeps how near the tenant came to it. */
void limit_note(struct worker *w, uint32_t tenant, enum tenant_limit limit, uint64_t now);

/* Answers ---------------------------------------------------------------- */

/* Sends `text` to the flow's client in the server's name. */
void reply_smtp(struct worker *w, struct flow *f, const char *text);
/* The answer's text; 0: none can be made of the request. */
size_t reply_sip_text(const struct worker *w, const struct flow *f,
		      const struct sip_message *request, const struct sip_answer *answer,
		      char *text, size_t size);
/* Sends it to whoever sent the request, which is the packet's in hand. */
void reply_sip(struct worker *w, struct flow *f, const struct sip_message *request,
	       const struct sip_answer *answer);
/* The ACK of an answer that the gate made, whether that is remembered or not (RFC 3261 8.2.7). */
bool reply_sip_is_acked(const struct sip_message *ack);

/* Events ----------------------------------------------------------------- */

/* Starts a record about w->at's packet; NULL head when nobody listens or there is no room. */
struct event_builder event_start(struct worker *w, enum event_type type);
/* The same in memory of the caller's, for records that take several packets to fill. */
struct event_builder event_start_at(struct worker *w, void *buf, size_t size, enum event_type type);
void event_send(struct worker *w, struct event_builder *b);
/* Sends a record that was built elsewhere. */
void event_copy(struct worker *w, const struct event_head *e);

static inline void event_put_bytes(struct event_builder *b, enum field_key key, struct bytes s)
{
	event_put_str(b, key, s.p, s.len);
}

/* Names that tenants invent: counted up to a bound. */
void count_name(struct counted_name *table, struct bytes name);

#endif
