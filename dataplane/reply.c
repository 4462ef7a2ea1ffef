/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate says itself: packets made from the one in hand, turned towards
 * the client, with a payload of our own.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "dataplane/checksum.h"
#include "dataplane/inspect.h"
#include "dataplane/packet_write.h"
#include "dataplane/proto/sip_reply.h"
#include "dataplane/tcp.h"

#define REPLY_MAX \
	SIP_ANSWER_MAX /* bytes of payload; fits an mbuf of the small pool with its headers */

/* Towards the client, from the server's address; `l4` bytes from the transport header on. */
static struct rte_mbuf *reply_begin(struct worker *w, struct flow *f, uint32_t l4, uint8_t **at)
{
	unsigned slot = w->at.slot, src = !f->client;
	struct rte_mbuf *like = w->burst.pkt[slot];
	const struct headers *h = &w->burst.hdr[slot];
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->mbufs);
	uint8_t *p;

	if (!m)
		return NULL;
	if (h->l3 + 40 + l4 > rte_pktmbuf_tailroom(m)) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	p = rte_pktmbuf_mtod(m, uint8_t *);
	link_write(p, rte_pktmbuf_mtod(like, const uint8_t *), h->l3, packet_meta(like)->link,
		   w->at.to_server);
	p += h->l3;
	p += ip_write(p, f, src, l4);
	*at = p;
	m->data_len = (uint16_t)(p - rte_pktmbuf_mtod(m, uint8_t *) + l4);
	m->pkt_len = m->data_len;
	*packet_meta(m) = (struct packet_meta){
		.time = w->now,
		.number = w->packet,
		.decided = w->packet,
		.wirelen = m->pkt_len,
		.link = packet_meta(like)->link,
		.flags = PACKET_FROM_GATE,
	};
	return m;
}

static void reply_send(struct worker *w, struct flow *f, struct rte_mbuf *m)
{
	struct burst *b = &w->burst;
	enum port_role port = f->tenant && !(f->flags & FLOW_OUTBOUND) ? PORT_OUTSIDE : PORT_INSIDE;

	/* To where the client's packets come from. */
	if (w->options.live) {
		port = packet_meta(b->pkt[w->at.slot])->role;
		if (w->at.to_server)
			port = port == PORT_INSIDE ? PORT_OUTSIDE : PORT_INSIDE;
	}
	packet_meta(m)->reason = b->reason[w->at.slot];
	packet_meta(m)->role = port;
	if (b->tx_count[port] == RTE_DIM(b->tx[port]))
		rte_pktmbuf_free(m);
	else
		b->tx[port][b->tx_count[port]++] = m;
}

void reply_smtp(struct worker *w, struct flow *f, const char *text)
{
	const struct tcp_half *client = &f->half[f->client], *server = &f->half[!f->client];
	uint32_t len = (uint32_t)strnlen(text, 512);
	struct rte_mbuf *m;
	uint16_t sum;
	uint8_t *p;
	/* In the place of what the server just said, if that is what is withheld. */
	uint32_t seq = server->inspected;

	if (!w->at.to_server)
		seq = packet_meta(w->burst.pkt[w->at.slot])->seq;
	m = reply_begin(w, f, 20 + len + 2, &p);
	if (!m)
		return;
	memset(p, 0, 20);
	put16(p, f->key.port[!f->client]);
	put16(p + 2, f->key.port[f->client]);
	put32(p + 4, seq);
	put32(p + 8, client->inspected);
	p[12] = 5 << 4;
	p[13] = TCP_ACK | 0x08;
	put16(p + 14, 65535);
	memcpy(p + 20, text, len);
	memcpy(p + 20 + len, "\r\n", 2);
	sum = checksum_finish(checksum_add(pseudo_sum(f, !f->client, 22 + len), p, 22 + len));
	memcpy(p + 16, &sum, 2);
	reply_send(w, f, m);
}

static void put_udp(struct flow *f, uint8_t *p, uint32_t len)
{
	uint16_t sum;

	put16(p, f->key.port[!f->client]);
	put16(p + 2, f->key.port[f->client]);
	put16(p + 4, 8 + len);
	memset(p + 6, 0, 2);
	sum = checksum_finish(checksum_add(pseudo_sum(f, !f->client, 8 + len), p, 8 + len));
	/* RFC 768: zero would mean "none". */
	if (sum == 0)
		sum = 0xffff;
	memcpy(p + 6, &sum, 2);
}

static void put_tcp(struct flow *f, uint8_t *p, uint32_t len)
{
	uint16_t sum;

	memset(p, 0, 20);
	put16(p, f->key.port[!f->client]);
	put16(p + 2, f->key.port[f->client]);
	put32(p + 4, f->half[!f->client].inspected);
	put32(p + 8, f->half[f->client].inspected);
	p[12] = 5 << 4;
	p[13] = TCP_ACK | 0x08;
	put16(p + 14, 65535);
	sum = checksum_finish(checksum_add(pseudo_sum(f, !f->client, 20 + len), p, 20 + len));
	memcpy(p + 16, &sum, 2);
}

size_t reply_sip_text(const struct worker *w, const struct flow *f,
		      const struct sip_message *request, const struct refusal *r,
		      const struct sip_answer *answer, char *text, size_t size)
{
	static const uint8_t seed[SIPHASH_KEY_SIZE] = "postern";
	struct sip_reply reply = {
		.code = answer->code,
		.reason = answer->phrase,
		.retry_after = answer->retry_after,
		.rport = f->key.port[w->at.side],
		.seed = seed,
	};

	if (r->rule) {
		const char *msg = ruleset_string(w->matcher->ruleset, r->rule->msg);

		reply.warning = bytes_of(msg, strlen(msg));
	}
	return sip_reply_build(request, &reply, text, size);
}

void reply_sip(struct worker *w, struct flow *f, const struct sip_message *request,
	       const struct refusal *r, const struct sip_answer *answer)
{
	bool udp = f->key.proto == IPPROTO_UDP;
	uint32_t head = udp ? 8 : 20;
	char text[REPLY_MAX];
	size_t len = reply_sip_text(w, f, request, r, answer, text, sizeof(text));
	struct rte_mbuf *m;
	uint8_t *p;

	if (!len || !w->at.to_server)
		return;
	m = reply_begin(w, f, head + (uint32_t)len, &p);
	if (!m)
		return;
	memcpy(p + head, text, len);
	if (udp)
		put_udp(f, p, (uint32_t)len);
	else
		put_tcp(f, p, (uint32_t)len);
	reply_send(w, f, m);
}
