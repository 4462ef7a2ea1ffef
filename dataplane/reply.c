/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate says itself: packets made from the one in hand, turned towards
 * the client, with a payload of our own.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "dataplane/checksum.h"
#include "dataplane/inspect.h"
#include "dataplane/proto/sip_reply.h"
#include "dataplane/tcp.h"

#define REPLY_MAX 2048 /* bytes of payload; fits an mbuf of the small pool with its headers */

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/* The link header as it came; Ethernet's addresses change places when the packet turns back. */
static uint32_t copy_link(uint8_t *to, const struct rte_mbuf *m, const struct headers *h, bool turn)
{
	const uint8_t *from = rte_pktmbuf_mtod(m, const uint8_t *);

	memcpy(to, from, h->l3);
	if (turn && packet_meta((struct rte_mbuf *)(uintptr_t)m)->link == LINK_ETHERNET) {
		memcpy(to, from + 6, 6);
		memcpy(to + 6, from, 6);
	}
	return h->l3;
}

static uint32_t put_ipv4(uint8_t *ip, const struct flow *f, unsigned src, uint32_t payload)
{
	uint16_t sum;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, 20 + payload);
	ip[6] = 0x40; /* don't fragment */
	ip[8] = 64;
	ip[9] = f->key.proto;
	memcpy(ip + 12, f->key.addr[src], 4);
	memcpy(ip + 16, f->key.addr[!src], 4);
	sum = checksum_finish(checksum_add(0, ip, 20));
	memcpy(ip + 10, &sum, 2);
	return 20;
}

static uint32_t put_ipv6(uint8_t *ip, const struct flow *f, unsigned src, uint32_t payload)
{
	memset(ip, 0, 8);
	ip[0] = 0x60;
	put16(ip + 4, payload);
	ip[6] = f->key.proto;
	ip[7] = 64;
	memcpy(ip + 8, f->key.addr[src], 16);
	memcpy(ip + 24, f->key.addr[!src], 16);
	return 40;
}

static uint64_t pseudo_sum(const struct flow *f, unsigned src, uint32_t len)
{
	if (f->key.family == 4)
		return checksum_pseudo_ipv4(f->key.addr[src], f->key.addr[!src], f->key.proto,
					    (uint16_t)len);
	return checksum_pseudo_ipv6(f->key.addr[src], f->key.addr[!src], f->key.proto, len);
}

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
	p += copy_link(p, like, h, w->at.to_server);
	p += f->key.family == 4 ? put_ipv4(p, f, src, l4) : put_ipv6(p, f, src, l4);
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

void reply_sip(struct worker *w, struct flow *f, const struct sip_message *request,
	       const struct refusal *r, const struct sip_answer *answer)
{
	static const uint8_t seed[SIPHASH_KEY_SIZE] = "postern";
	bool udp = f->key.proto == IPPROTO_UDP;
	uint32_t head = udp ? 8 : 20;
	struct sip_reply reply = {
		.code = answer->code,
		.reason = answer->phrase,
		.retry_after = answer->retry_after,
		.rport = f->key.port[w->at.side],
		.seed = seed,
	};
	char text[REPLY_MAX];
	size_t len;
	struct rte_mbuf *m;
	uint8_t *p;

	if (r->rule) {
		const char *msg = ruleset_string(w->matcher->ruleset, r->rule->msg);

		reply.warning = bytes_of(msg, strlen(msg));
	}
	len = sip_reply_build(request, &reply, text, sizeof(text));
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
