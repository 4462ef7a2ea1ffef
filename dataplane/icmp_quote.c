/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/icmp_quote.h"

#include "bpf/stage_decode.h"
#include "dataplane/flow_key.h"
#include "dataplane/packet_write.h"

STAGE_INLINE void stage_walk(const struct stage_cursor *c, struct stage_walk *w)
{
	stage_walk_step(c->base, c->limit, w);
}

bool icmp_quote_read(const struct rte_mbuf *m, const struct headers *h, struct icmp_quote *q)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *), *tcp;
	uint32_t end = (uint32_t)h->l4 + h->l4_len;
	struct stage_cursor c = {NULL, p, p + m->data_len, h->l4, end};
	uint32_t ip = h->l4 + 8u;

	if (h->class != CLASS_OTHER)
		return false;
	tcp = stage_quoted_tcp(&c, h->family, h->proto);
	if (!tcp)
		return false;
	*q = (struct icmp_quote){.tcp = (uint16_t)(tcp - p)};
	q->len = (uint16_t)(RTE_MIN(end, (uint32_t)m->data_len) - q->tcp);
	q->hdr.family = q->hdr.key.family = h->family;
	q->hdr.proto = PROTO_TCP;
	memcpy(q->hdr.key.vlan, h->key.vlan, sizeof(h->key.vlan));
	memcpy(q->hdr.key.addr[0], p + ip + (h->family == 4 ? 12 : 8), h->family == 4 ? 4 : 16);
	memcpy(q->hdr.key.addr[1], p + ip + (h->family == 4 ? 16 : 24), h->family == 4 ? 4 : 16);
	q->hdr.sport = get16(tcp);
	q->hdr.dport = get16(tcp + 2);
	q->hdr.seq = get32(tcp + 4);
	flow_key_order(&q->hdr);
	return true;
}
