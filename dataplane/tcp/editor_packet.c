/* SPDX-License-Identifier: BSD-3-Clause */
/* The gate's own packets on an edited connection, and the fields it changes in others'. */
#include <rte_mbuf.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/editor_internal.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_option.h"

#define STAMPS_LEN 12 /* two NOPs and the option: what RFC 7323 appendix A recommends */
#define WINDOW_MIN 4096

/* RFC 7323 3.2: serial numbers, like sequence numbers. */
static void stamp_note(struct editor_side *d, uint32_t stamp)
{
	if (seq_before(d->stamp, stamp))
		d->stamp = stamp;
}

bool editor_note(struct editor *e, struct burst *b, unsigned i)
{
	const struct headers *h = &b->hdr[i];
	const uint8_t *p = rte_pktmbuf_mtod(b->pkt[i], const uint8_t *), *stamps;
	struct editor_side *d = &e->side[h->side];

	bool news = d->window != get16(p + h->l4 + 14);

	d->window = get16(p + h->l4 + 14);
	d->role = packet_meta(b->pkt[i])->role;
	if (h->l3 <= EDITOR_LINK) {
		memcpy(d->link, p, h->l3);
		d->link_len = h->l3;
	}
	stamps = tcp_option_find(p + h->l4, TCP_OPTION_STAMPS, 10);
	if (stamps) {
		stamp_note(d, get32(stamps + 2));
		/* RFC 7323 3.2: an echo is valid with ACK only. */
		if (h->tcp_flags & TCP_ACK)
			stamp_note(&e->side[!h->side], get32(stamps + 6));
	}
	return news;
}

static uint16_t window_of(const struct editor *e, unsigned side)
{
	uint16_t least = (uint16_t)(WINDOW_MIN >> tcp_scale(e->flow, side));

	/* The gate itself reads what the client says now: it always has room. */
	if (e->phase >= EDITOR_CLOSING && side != e->flow->client)
		return RTE_MAX(e->side[side].window, least);
	return e->side[side].window;
}

static uint32_t put_stamps(uint8_t *p, const struct editor *e, unsigned side)
{
	p[0] = p[1] = TCP_OPTION_NOP;
	p[2] = TCP_OPTION_STAMPS;
	p[3] = 10;
	/* Not later than the latest that went by: TSval never goes back (RFC 7323 5.3). */
	put32(p + 4, e->side[side].stamp);
	put32(p + 8, e->side[!side].stamp);
	return STAMPS_LEN;
}

/* The TCP header, and the text behind it. Returns how long both are. */
static uint32_t put_tcp(uint8_t *p, struct editor *e, unsigned side, uint8_t flags, uint32_t seq,
			uint32_t ack, const uint8_t *text, uint32_t len)
{
	const struct flow *f = e->flow;
	uint32_t head = 20;
	uint16_t sum;

	memset(p, 0, 20);
	put16(p, f->key.port[side]);
	put16(p + 2, f->key.port[!side]);
	put32(p + 4, seq);
	put32(p + 8, flags & TCP_ACK ? ack : 0);
	p[13] = flags;
	put16(p + 14, window_of(e, side));
	if (e->timestamps && !(flags & TCP_RST))
		head += put_stamps(p + head, e, side);
	p[12] = (uint8_t)(head / 4 << 4);
	if (len)
		memcpy(p + head, text, len);
	sum = checksum_finish(checksum_add(pseudo_sum(f, side, head + len), p, head + len));
	memcpy(p + 16, &sum, 2);
	return head + len;
}

static void send_on(struct worker *w, const struct editor *e, unsigned side, struct rte_mbuf *m)
{
	struct burst *b = &w->burst;
	enum port_role port = e->side[side].role;

	*packet_meta(m) = (struct packet_meta){
		.time = w->now,
		.number = w->packet,
		.decided = w->packet,
		.wirelen = m->pkt_len,
		.link = e->link,
		.flags = PACKET_FROM_GATE,
		.reason = e->reason,
		.role = (uint8_t)port,
	};
	if (b->tx_count[port] == RTE_DIM(b->tx[port]))
		rte_pktmbuf_free(m);
	else
		b->tx[port][b->tx_count[port]++] = m;
}

void editor_say(struct worker *w, struct editor *e, unsigned side, uint8_t flags, uint32_t seq,
		const uint8_t *text, uint32_t len)
{
	const struct editor_side *d = &e->side[side];
	struct editor_side *to = &e->side[!side];
	uint32_t l4 = 20 + (e->timestamps && !(flags & TCP_RST) ? STAMPS_LEN : 0) + len;
	struct rte_mbuf *m = rte_pktmbuf_alloc(w->mbufs);
	uint32_t ack = editor_ack_for(e, !side);
	uint8_t *p;

	if (!m)
		return;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(p, d->link, d->link_len);
	p += d->link_len;
	p += ip_write(p, e->flow, side, l4);
	p += put_tcp(p, e, side, flags, seq, ack, text, len);
	m->data_len = (uint16_t)(p - rte_pktmbuf_mtod(m, uint8_t *));
	m->pkt_len = m->data_len;
	if (seq_before(to->told, ack))
		to->told = ack;
	to->spoken = true;
	send_on(w, e, side, m);
}
