/* SPDX-License-Identifier: BSD-3-Clause */
/* From the link layer to the payload. */
#include "dataplane/packet.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <string.h>

#include "dataplane/flow_key.h"
#include "dataplane/tcp/checksum.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define VLAN_DEPTH     4 /* tags that are skipped; the outer two are kept */

/* A cursor that never passes the end: what the parse is about, in one place. */
struct cursor {
	const uint8_t *base;
	uint32_t at;
	uint32_t end;     /* bytes present */
	uint32_t wireend; /* bytes there were on the wire */
};

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline const uint8_t *cursor_peek(const struct cursor *c, uint32_t n)
{
	return c->at + n <= c->end ? c->base + c->at : NULL;
}

/* Too short: cut by the capture, or never long enough. */
static void headers_fail(struct headers *h, const struct cursor *c, uint32_t need)
{
	h->class = CLASS_MALFORMED;
	h->reason = c->at + need <= c->wireend ? REASON_TRUNCATED : REASON_BAD_LENGTH;
}

static bool is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* Returns false when a tag is cut off. */
static bool decode_vlan(struct cursor *c, struct headers *h, uint16_t *type)
{
	for (unsigned depth = 0; depth < VLAN_DEPTH && is_vlan(*type); depth++) {
		const uint8_t *p = cursor_peek(c, 4);

		if (!p)
			return false;
		if (depth < 2)
			h->key.vlan[depth] = be16(p) & 0x0fff;
		*type = be16(p + 2);
		c->at += 4;
	}
	return true;
}

/* The address family of BSD loopback: host order of whoever recorded, AF_INET6 as each BSD
 * numbers it. */
static uint16_t null_type(const uint8_t *p)
{
	uint32_t be = be32(p);
	uint32_t family = be > 0xffff ? rte_bswap32(be) : be;

	if (family == 2)
		return ETHERTYPE_IPV4;
	if (family == 10 || family == 24 || family == 28 || family == 30)
		return ETHERTYPE_IPV6;
	return 0;
}

static uint16_t ip_version_type(const struct cursor *c)
{
	const uint8_t *p = cursor_peek(c, 1);

	if (!p)
		return 0;
	return p[0] >> 4 == 4 ? ETHERTYPE_IPV4 : p[0] >> 4 == 6 ? ETHERTYPE_IPV6 : 0;
}

static const struct {
	uint16_t size;
	uint16_t type_at; /* where the EtherType stands */
} link_headers[] = {
	[LINK_ETHERNET] = {14, 12},
	[LINK_SLL] = {16, 14},
	[LINK_SLL2] = {20, 0},
};

/* Leaves the cursor at the network layer and says its EtherType; 0: none that we read. */
static bool decode_link(struct cursor *c, enum link_type link, struct headers *h, uint16_t *type)
{
	const uint8_t *p;

	switch (link) {
	case LINK_ETHERNET:
	case LINK_SLL:
	case LINK_SLL2:
		p = cursor_peek(c, link_headers[link].size);
		if (!p) {
			headers_fail(h, c, link_headers[link].size);
			return false;
		}
		*type = be16(p + link_headers[link].type_at);
		c->at += link_headers[link].size;
		if (!decode_vlan(c, h, type)) {
			headers_fail(h, c, 4);
			return false;
		}
		return true;
	case LINK_NULL:
	case LINK_LOOP:
		p = cursor_peek(c, 4);
		if (!p) {
			headers_fail(h, c, 4);
			return false;
		}
		*type = null_type(p);
		c->at += 4;
		return true;
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_IPV4:
	case LINK_IPV6:
		*type = ip_version_type(c);
		return true;
	}
	h->reason = REASON_UNKNOWN_LINK;
	*type = 0;
	return true;
}

/* What IP says the packet's length is; beyond the frame is a lie, short of it is padding. */
static bool set_length(struct cursor *c, struct headers *h, uint32_t total)
{
	uint32_t end = c->at + total;

	if (end > c->wireend) {
		h->class = CLASS_MALFORMED;
		h->reason = REASON_BAD_LENGTH;
		return false;
	}
	c->wireend = end;
	if (c->end > end)
		c->end = end;
	return true;
}

/* In one store, zeroes included: whoever reads it at once need not wait for two. */
static inline void put_ipv4(uint8_t to[16], const uint8_t *addr)
{
	uint32_t bytes;
	uint64_t words[2] = {0};

	memcpy(&bytes, addr, 4);
	words[0] = bytes;
	memcpy(to, words, sizeof(words));
}

static bool decode_ipv4(struct cursor *c, struct headers *h, bool offloaded)
{
	const uint8_t *p = cursor_peek(c, 20);
	uint32_t ihl, total;

	if (!p) {
		headers_fail(h, c, 20);
		return false;
	}
	h->family = 4;
	h->proto = p[9];
	put_ipv4(h->key.addr[0], p + 12);
	put_ipv4(h->key.addr[1], p + 16);
	ihl = (p[0] & 0x0f) * 4u;
	total = be16(p + 2);
	/* Segmentation offload: the stack leaves the length to the NIC. */
	if (total == 0 && offloaded)
		total = c->wireend - c->at;
	if (p[0] >> 4 != 4 || ihl < 20 || total < ihl) {
		h->class = CLASS_MALFORMED;
		h->reason = REASON_BAD_LENGTH;
		return false;
	}
	if (!set_length(c, h, total))
		return false;
	if (!cursor_peek(c, ihl)) {
		headers_fail(h, c, ihl);
		return false;
	}
	c->at += ihl;
	/* RFC 791: more fragments, or not the first. */
	if (be16(p + 6) & 0x3fff) {
		h->class = CLASS_FRAGMENT;
		return false;
	}
	return true;
}

/* RFC 8200 section 4: walks to the upper layer. Returns false when there is none to read. */
static bool decode_ipv6_extensions(struct cursor *c, struct headers *h)
{
	/* Ends with the packet: each header has eight bytes or more. Hosts know no other bound. */
	for (;;) {
		const uint8_t *p;
		uint32_t size;

		switch (h->proto) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_AH:
		case IPPROTO_FRAGMENT:
			break;
		default:
			return true;
		}
		p = cursor_peek(c, 8);
		if (!p) {
			headers_fail(h, c, 8);
			return false;
		}
		if (h->proto == IPPROTO_FRAGMENT) {
			/* RFC 6946: an atomic fragment is a whole packet. */
			if (be16(p + 2) & 0xfff9) {
				h->proto = p[0];
				h->class = CLASS_FRAGMENT;
				return false;
			}
			size = 8;
		} else {
			/* RFC 4302: AH counts in 4-byte units, less two. */
			size = h->proto == IPPROTO_AH ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
		}
		if (!cursor_peek(c, size)) {
			headers_fail(h, c, size);
			return false;
		}
		h->proto = p[0];
		c->at += size;
	}
}

static bool decode_ipv6(struct cursor *c, struct headers *h, bool offloaded)
{
	const uint8_t *p = cursor_peek(c, 40);
	uint32_t length;

	if (!p) {
		headers_fail(h, c, 40);
		return false;
	}
	if (p[0] >> 4 != 6) {
		h->class = CLASS_MALFORMED;
		h->reason = REASON_BAD_LENGTH;
		return false;
	}
	length = be16(p + 4);
	h->family = 6;
	h->proto = p[6];
	memcpy(h->key.addr[0], p + 8, 16);
	memcpy(h->key.addr[1], p + 24, 16);
	/* Zero is a jumbogram (RFC 2675: refused) or offload. */
	if (length == 0 && (offloaded || h->proto == IPPROTO_NONE))
		length = c->wireend - c->at - 40;
	if (!set_length(c, h, 40 + length))
		return false;
	c->at += 40;
	return decode_ipv6_extensions(c, h);
}

static void decode_tcp(struct cursor *c, struct headers *h)
{
	const uint8_t *p = cursor_peek(c, 20);
	uint32_t size, present;

	if (!p) {
		headers_fail(h, c, 20);
		return;
	}
	size = (p[12] >> 4) * 4u;
	if (size < 20 || c->at + size > c->wireend) {
		h->class = CLASS_MALFORMED;
		h->reason = REASON_BAD_LENGTH;
		return;
	}
	h->sport = be16(p);
	h->dport = be16(p + 2);
	h->seq = be32(p + 4);
	h->ack = be32(p + 8);
	h->tcp_flags = p[13];
	h->window = be16(p + 14);
	present = c->at + size < c->end ? c->end - c->at - size : 0;
	h->payload = (uint16_t)(c->at + size);
	h->payload_len = (uint16_t)present;
	h->missing = c->wireend - c->at - size - present;
	h->class = CLASS_L4;
}

/* UDP carries other networks too: these ports say which. */
static bool is_udp_tunnel(uint16_t port)
{
	return port == 2152 || port == 2123 || port == 4789 || port == 6081 || port == 3544;
}

static void decode_udp(struct cursor *c, struct headers *h)
{
	const uint8_t *p = cursor_peek(c, 8);
	uint32_t length, present;

	if (!p) {
		headers_fail(h, c, 8);
		return;
	}
	length = be16(p + 4);
	if (length == 0)
		length = c->wireend - c->at;
	if (length < 8 || c->at + length > c->wireend) {
		h->class = CLASS_MALFORMED;
		h->reason = REASON_BAD_LENGTH;
		return;
	}
	h->sport = be16(p);
	h->dport = be16(p + 2);
	present = c->end - c->at < length ? c->end - c->at : length;
	h->l4_len = (uint16_t)length;
	h->payload = (uint16_t)(c->at + 8);
	h->payload_len = (uint16_t)(present - 8);
	h->missing = length - present;
	h->class = is_udp_tunnel(h->dport) ? CLASS_TUNNEL : CLASS_L4;
}

static void decode_transport(struct cursor *c, struct headers *h)
{
	h->l4 = (uint16_t)c->at;
	h->l4_len = (uint16_t)(c->wireend - c->at);
	switch (h->proto) {
	case IPPROTO_TCP:
		decode_tcp(c, h);
		break;
	case IPPROTO_UDP:
		decode_udp(c, h);
		break;
	case IPPROTO_GRE:
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_ESP:
		h->class = CLASS_TUNNEL;
		break;
	default:
		h->class = CLASS_OTHER;
	}
}

void packet_decode(const struct rte_mbuf *m, struct headers *h)
{
	const struct packet_meta *meta = packet_meta((struct rte_mbuf *)(uintptr_t)m);
	struct cursor c = {rte_pktmbuf_mtod(m, const uint8_t *), 0, m->data_len, meta->wirelen};
	bool offloaded = meta->flags & PACKET_CHECKSUM_TRUSTED;
	uint16_t type = 0;
	bool upper;

	memset(h, 0, sizeof(*h));
	if (!decode_link(&c, meta->link, h, &type))
		return;
	h->l3 = (uint16_t)c.at;
	if (type == ETHERTYPE_IPV4)
		upper = decode_ipv4(&c, h, offloaded);
	else if (type == ETHERTYPE_IPV6)
		upper = decode_ipv6(&c, h, offloaded);
	else
		return;
	if (upper)
		decode_transport(&c, h);
	else
		h->l4 = (uint16_t)c.at;
	if (h->class == CLASS_L4)
		flow_key_order(h);
}

bool packet_checksum_ok(const struct rte_mbuf *m, const struct headers *h)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *ip = p + h->l3, *segment = p + h->l4;
	uint64_t pseudo;

	if (h->family == 4 && !checksum_ipv4_header_ok(ip, (size_t)(ip[0] & 0x0f) * 4))
		return false;
	if (h->missing || h->class != CLASS_L4)
		return true;
	if (h->family == 4)
		pseudo = checksum_pseudo_ipv4(ip + 12, ip + 16, h->proto, h->l4_len);
	else
		pseudo = checksum_pseudo_ipv6(ip + 8, ip + 24, h->proto, h->l4_len);
	if (h->proto == IPPROTO_TCP)
		return checksum_tcp_ok(pseudo, segment, h->l4_len);
	return h->family == 4 ? checksum_udp_ipv4_ok(pseudo, segment, h->l4_len)
			      : checksum_udp_ipv6_ok(pseudo, segment, h->l4_len);
}
