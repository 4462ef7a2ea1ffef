/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate says itself: packets made from the one in hand, turned towards
 * the client, with a payload of our own.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "dataplane/inspect.h"
#include "dataplane/packet_write.h"
#include "dataplane/policy/prefix.h"
#include "dataplane/proto/sip_reply.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/tcp.h"

#define REPLY_MAX \
	SIP_ANSWER_MAX /* bytes of payload; fits an mbuf of the small pool with its headers */

/*
 * Towards the end at place `to` in the key, from the other one's address; `l4` bytes from the
 * transport header on.
 */
static struct rte_mbuf *reply_begin(struct worker *w, struct flow *f, unsigned to, uint32_t l4,
				    uint8_t **at)
{
	unsigned slot = w->at.slot;
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
		   to == w->at.side);
	p += h->l3;
	p += ip_write(p, f, !to, l4);
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

static enum port_role other_port(enum port_role port)
{
	return port == PORT_INSIDE ? PORT_OUTSIDE : PORT_INSIDE;
}

static void reply_send(struct worker *w, struct flow *f, unsigned to, struct rte_mbuf *m)
{
	struct burst *b = &w->burst;
	bool inside = !f->tenant || !!(f->flags & FLOW_OUTBOUND) == (to == f->client);
	enum port_role port = inside ? PORT_INSIDE : PORT_OUTSIDE;

	/* To where the packets of that end come from. */
	if (w->options.live) {
		port = packet_meta(b->pkt[w->at.slot])->role;
		if (to == w->at.side)
			port = other_port(port);
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
	m = reply_begin(w, f, f->client, 20 + len + 2, &p);
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
	reply_send(w, f, f->client, m);
}

static void put_udp(struct flow *f, unsigned to, uint8_t *p, uint32_t len)
{
	uint16_t sum;

	put16(p, f->key.port[!to]);
	put16(p + 2, f->key.port[to]);
	put16(p + 4, 8 + len);
	memset(p + 6, 0, 2);
	sum = checksum_finish(checksum_add(pseudo_sum(f, !to, 8 + len), p, 8 + len));
	/* RFC 768: zero would mean "none". */
	if (sum == 0)
		sum = 0xffff;
	memcpy(p + 6, &sum, 2);
}

static void put_tcp(struct flow *f, unsigned to, uint8_t *p, uint32_t len)
{
	uint16_t sum;

	memset(p, 0, 20);
	put16(p, f->key.port[!to]);
	put16(p + 2, f->key.port[to]);
	put32(p + 4, f->half[!to].inspected);
	put32(p + 8, f->half[to].inspected);
	p[12] = 5 << 4;
	p[13] = TCP_ACK | 0x08;
	put16(p + 14, 65535);
	sum = checksum_finish(checksum_add(pseudo_sum(f, !to, 20 + len), p, 20 + len));
	memcpy(p + 16, &sum, 2);
}

static const uint8_t tag_seed[SIPHASH_KEY_SIZE] = "postern";

/* An address of the flow's family, in words. */
static bool address_read(const struct flow *f, struct bytes text, uint8_t addr[16])
{
	char host[INET6_ADDRSTRLEN];

	if (text.len >= sizeof(host))
		return false;
	memset(addr, 0, 16);
	if (text.len)
		memcpy(host, text.p, text.len);
	host[text.len] = '\0';
	return inet_pton(f->key.family == 4 ? AF_INET : AF_INET6, host, addr) == 1;
}

/* RFC 3261 18.2.1: sent-by is a name or another address. RFC 3581 4: or rport asks for it. */
static bool wants_received(const struct flow *f, unsigned side, const struct sip_via *via)
{
	struct bytes ignored;
	uint8_t addr[16];

	return sip_param(via->params, BYTES("rport"), &ignored) ||
	       !address_read(f, via->host, addr) ||
	       memcmp(addr, f->key.addr[side], f->key.family == 4 ? 4 : 16) != 0;
}

/*
 * RFC 3261 18.2.2: an answer goes to maddr, before all else. Here only to the same tenant's: the
 * gate would send strangers what somebody else asked for.
 */
static bool answered_at_maddr(const struct worker *w, const struct flow *f,
			      const struct sip_via *via, uint8_t addr[16])
{
	struct bytes maddr;

	if (!f->tenant || !sip_param(via->params, BYTES("maddr"), &maddr))
		return false;
	if (maddr.len > 1 && maddr.p[0] == '[' && maddr.p[maddr.len - 1] == ']')
		maddr = bytes_of(maddr.p + 1, maddr.len - 2);
	return address_read(f, maddr, addr) && prefix_lookup(&w->policy->prefixes, f->key.vlan[0],
							     f->key.family, addr) == f->tenant;
}

/*
 * Where an answer over UDP goes, as the flow's end at place `to`. RFC 3261 18.2.2: the port of
 * sent-by, at the packet's source; RFC 3581 4: its port, too, where the client asks for that.
 */
static void answered_end(const struct worker *w, struct flow *f, unsigned to,
			 const struct sip_message *request)
{
	struct bytes ignored;
	struct sip_via via;
	uint8_t addr[16];
	bool maddr;

	sip_message_via(request, &via);
	if (!via.host.len)
		return;
	maddr = answered_at_maddr(w, f, &via, addr);
	if (maddr)
		memcpy(f->key.addr[to], addr, sizeof(addr));
	if (maddr || !sip_param(via.params, BYTES("rport"), &ignored))
		f->key.port[to] = via.port ? via.port : 5060;
}

bool reply_sip_is_acked(const struct sip_message *ack)
{
	return sip_reply_is_acked(ack, tag_seed);
}

size_t reply_sip_text(const struct worker *w, const struct flow *f,
		      const struct sip_message *request, const struct sip_answer *answer,
		      char *text, size_t size)
{
	unsigned side = w->at.side;
	char received[INET6_ADDRSTRLEN];
	struct sip_via via;
	struct sip_reply reply = {
		.code = answer->code,
		.reason = answer->phrase,
		.warning = answer->warning,
		.retry_after = answer->retry_after,
		.rport = f->key.port[side],
		.seed = tag_seed,
	};

	sip_message_via(request, &via);
	if (wants_received(f, side, &via) &&
	    inet_ntop(f->key.family == 4 ? AF_INET : AF_INET6, f->key.addr[side], received,
		      sizeof(received)))
		reply.received = bytes_of(received, strlen(received));
	return sip_reply_build(request, &reply, text, size);
}

void reply_sip(struct worker *w, struct flow *f, const struct sip_message *request,
	       const struct sip_answer *answer)
{
	unsigned to = w->at.side;
	bool udp = f->key.proto == IPPROTO_UDP;
	uint32_t head = udp ? 8 : 20;
	char text[REPLY_MAX];
	size_t len = reply_sip_text(w, f, request, answer, text, sizeof(text));
	struct flow answered = *f;
	struct rte_mbuf *m;
	uint8_t *p;

	if (!len)
		return;
	if (udp)
		answered_end(w, &answered, to, request);
	m = reply_begin(w, &answered, to, head + (uint32_t)len, &p);
	if (!m)
		return;
	memcpy(p + head, text, len);
	if (udp)
		put_udp(&answered, to, p, (uint32_t)len);
	else
		put_tcp(f, to, p, (uint32_t)len);
	reply_send(w, f, to, m);
}
