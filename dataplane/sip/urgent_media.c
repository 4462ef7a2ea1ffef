/* SPDX-License-Identifier: BSD-3-Clause */
/* From what the two ends of an emergency call say of their media to what passes. */
#include <arpa/inet.h>
#include <stdio.h>

#include "dataplane/inspect.h"
#include "dataplane/policy/prefix.h"
#include "dataplane/proto/sdp.h"
#include "dataplane/sip/calls.h"
#include "dataplane/sip/urgent.h"

#define TYPE_MAX 256 /* bytes of a Content-Type with folds */

static struct bytes description_of(const struct sip_message *msg, char unfolded[TYPE_MAX])
{
	unsigned index = 0;
	const struct sip_header *h = sip_header_find(msg, SIP_HEADER_CONTENT_TYPE, &index);

	if (!h || !msg->body.len)
		return bytes_of(NULL, 0);
	if (!h->folded)
		return sdp_in_body(h->value, msg->body);
	return sdp_in_body(bytes_of(unfolded, sip_header_unfold(h->value, unfolded, TYPE_MAX)),
			   msg->body);
}

static bool is_unspecified(const struct sdp_connection *at)
{
	static const uint8_t zero[16];

	return at->family && memcmp(at->addr, zero, at->family == 4 ? 4 : 16) == 0;
}

/* Of one host, which is elsewhere. */
static bool is_unicast(const struct sdp_connection *at)
{
	static const uint8_t loopback[16] = {[15] = 1};

	if (at->family == 4)
		return at->addr[0] && at->addr[0] < 224 && at->addr[0] != 127;
	return at->family == 6 && at->addr[0] != 0xff && memcmp(at->addr, loopback, 16) != 0;
}

/* Without a sender's word RTCP comes to the next port (RFC 3550 11, RFC 3605 2.1). */
static void ports_read(const struct sdp_media *m, struct urgent_end *end)
{
	end->port[0] = m->port;
	end->port[1] = m->port < UINT16_MAX ? m->port + 1 : m->port;
	if (m->rtcp_port >= MEDIA_PORT_LEAST)
		end->port[1] = m->rtcp_port;
	end->mux = m->rtcp_mux;
}

/* The tenant's address, or nobody else's: else the one that its SIP comes from. */
static void inside_read(const struct worker *w, const struct sdp_media *m, struct urgent_end *end)
{
	const struct flow *f = w->at.flow;

	if (m->at.family && prefix_lookup(&w->policy->prefixes, f->key.vlan[0], m->at.family,
					  m->at.addr) == f->tenant) {
		end->family = m->at.family;
		memcpy(end->addr, m->at.addr, sizeof(end->addr));
		ports_read(m, end);
		return;
	}
	end->family = f->key.family;
	memcpy(end->addr, f->key.addr[w->at.side], sizeof(end->addr));
	end->mux = m->rtcp_mux;
}

static bool is_datagrams(const struct sdp_media *m)
{
	return !bytes_case_starts(m->proto, BYTES("TCP"));
}

static void end_read(const struct worker *w, const struct sdp_media *m, bool outbound,
		     struct urgent_end *end)
{
	/* On hold (RFC 3264 8.4): it is still there. */
	if (m->port && is_unspecified(&m->at))
		return;
	*end = (struct urgent_end){.family = 0};
	if (m->port < MEDIA_PORT_LEAST || !is_datagrams(m))
		return;
	if (outbound) {
		inside_read(w, m, end);
	} else if (is_unicast(&m->at)) {
		end->family = m->at.family;
		memcpy(end->addr, m->at.addr, sizeof(end->addr));
		ports_read(m, end);
	}
}

bool urgent_describe(struct worker *w, const struct sip_message *msg, bool outbound,
		     struct urgent_call *call)
{
	struct urgent_end *ends = call->end[outbound ? URGENT_INSIDE : URGENT_OUTSIDE];
	char unfolded[TYPE_MAX];
	struct sdp_medias medias = {.lines.rest = description_of(msg, unfolded)};
	struct sdp_media m;
	unsigned n = 0;

	if (!medias.lines.rest.len)
		return false;
	while (n < URGENT_MEDIA && sdp_media_next(&medias, &m))
		end_read(w, &m, outbound, &ends[n++]);
	while (n < URGENT_MEDIA)
		ends[n++] = (struct urgent_end){.family = 0};
	return true;
}

/* What is to pass by the how manieth m= line. False: nothing. */
static bool wanted_of(const struct urgent_call *call, unsigned i, struct media *wanted)
{
	const struct urgent_end *in = &call->end[URGENT_INSIDE][i];
	const struct urgent_end *out = &call->end[URGENT_OUTSIDE][i];
	const bool mux = in->mux && out->mux;

	*wanted = (struct media){.tenant = call->tenant, .family = in->family};
	if (!in->family || in->family != out->family)
		return false;
	memcpy(wanted->inside, in->addr, sizeof(wanted->inside));
	memcpy(wanted->outside, out->addr, sizeof(wanted->outside));
	for (unsigned k = 0; k < 2; k++) {
		wanted->inside_port[k] = in->port[mux ? 0 : k];
		wanted->outside_port[k] = out->port[mux ? 0 : k];
	}
	return true;
}

static bool is_same(const struct media *a, const struct media *b)
{
	return a->family == b->family && !memcmp(a->inside, b->inside, sizeof(a->inside)) &&
	       !memcmp(a->outside, b->outside, sizeof(a->outside)) &&
	       !memcmp(a->inside_port, b->inside_port, sizeof(a->inside_port)) &&
	       !memcmp(a->outside_port, b->outside_port, sizeof(a->outside_port));
}

static void end_write(char *to, size_t size, uint8_t family, const uint8_t addr[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(family == 6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	if (port)
		snprintf(to, size, family == 6 ? "[%s]:%u" : "%s:%u", text, port);
	else
		snprintf(to, size, "%s", text);
}

static void tell(struct worker *w, const struct media *m)
{
	char in[64], out[64], both[sizeof(in) + sizeof(out)];
	struct refusal r = {
		.verdict = VERDICT_PASS, .reason = REASON_EMERGENCY_MEDIA, .object = "media"};

	end_write(in, sizeof(in), m->family, m->inside, m->inside_port[0]);
	end_write(out, sizeof(out), m->family, m->outside, m->outside_port[0]);
	r.detail = bytes_of(both, (size_t)snprintf(both, sizeof(both), "%s %s", in, out));
	refusal_declare(w, &r, NULL);
}

/* What was said before goes on for a moment: packets are on their way (RFC 3264 8.3.1). */
static void leave(struct urgent_table *t, struct urgent_call *call, unsigned i, uint64_t now)
{
	struct media *m = media_table_get(&t->media, &call->now[i]);

	if (!m)
		return;
	media_table_remove(&t->media, &call->left[i]);
	__atomic_store_n(&m->until, RTE_MIN(m->until, now + URGENT_LEFT), __ATOMIC_RELAXED);
	call->left[i] = call->now[i];
	call->now[i] = (struct media_ref){0, 0};
}

static void settle_one(struct worker *w, struct urgent_call *call, unsigned i, uint64_t now)
{
	struct urgent_table *t = &w->calls->urgent;
	struct media wanted, *m = media_table_get(&t->media, &call->now[i]);
	const bool any = wanted_of(call, i, &wanted);

	wanted.idle = w->policy->timeouts.emergency_media;
	wanted.until = now + w->policy->timeouts.call;
	if (any && m && m->expires > now && m->until > now && is_same(m, &wanted)) {
		__atomic_store_n(&m->until, wanted.until, __ATOMIC_RELAXED);
		media_table_hear(m, now);
		return;
	}
	leave(t, call, i, now);
	if (!any)
		return;
	if (media_table_add(&t->media, &wanted, now, &call->now[i]))
		tell(w, &wanted);
	else
		worker_note(w, call->tenant, REASON_CALL_BUDGET);
}

void urgent_settle(struct worker *w, struct urgent_call *call, uint64_t now)
{
	for (unsigned i = 0; i < URGENT_MEDIA; i++)
		settle_one(w, call, i, now);
}

void urgent_end_media(struct urgent_table *t, const struct urgent_call *call)
{
	for (unsigned i = 0; i < URGENT_MEDIA; i++) {
		media_table_remove(&t->media, &call->now[i]);
		media_table_remove(&t->media, &call->left[i]);
	}
}
