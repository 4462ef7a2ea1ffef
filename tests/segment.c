/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/segment.h"

#include <netinet/in.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/tcp.h"

struct segment_ends segment_ends(bool ipv6, unsigned tenant, uint16_t client, uint16_t server)
{
	static const uint8_t prefix[4] = {0x20, 0x01, 0x0d, 0xb8};
	struct segment_ends ends = {.ipv6 = ipv6, .port = {client, server}};

	if (!ipv6) {
		put32(ends.addr[0], 0x0a000002 | tenant << 16);
		put32(ends.addr[1], 0xcb007109);
		return ends;
	}
	for (unsigned side = 0; side < 2; side++) {
		memcpy(ends.addr[side], prefix, sizeof(prefix));
		ends.addr[side][5] = side ? 9 : (uint8_t)tenant;
		ends.addr[side][15] = 2;
	}
	return ends;
}

static uint32_t put_link(uint8_t *to, const struct segment_ends *ends, unsigned from)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	uint32_t at = 12;

	memcpy(to, mac[!from], 6);
	memcpy(to + 6, mac[from], 6);
	if (ends->vlan) {
		put16(to + 12, 0x8100);
		put16(to + 14, 7);
		at += 4;
	}
	put16(to + at, ends->ipv6 ? 0x86dd : 0x0800);
	return at + 2;
}

uint32_t segment_write_ip(uint8_t *frame, const struct segment_ends *ends, unsigned from,
			  uint8_t proto, uint32_t len)
{
	uint32_t l3 = put_link(frame, ends, from);
	uint8_t *ip = frame + l3;
	uint16_t sum;

	memset(ip, 0, 40);
	if (ends->ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, len);
		ip[6] = proto;
		ip[7] = 64;
		memcpy(ip + 8, ends->addr[from], 16);
		memcpy(ip + 24, ends->addr[!from], 16);
		return l3 + 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + len);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, ends->addr[from], 4);
	memcpy(ip + 16, ends->addr[!from], 4);
	sum = checksum_finish(checksum_add(0, ip, 20));
	memcpy(ip + 10, &sum, 2);
	return l3 + 20;
}

uint32_t segment_write(uint8_t *frame, const struct segment_ends *ends, const struct segment *s)
{
	uint32_t head = 20 + s->options_len;
	uint32_t l4 = segment_write_ip(frame, ends, s->from, IPPROTO_TCP, head + s->len);
	uint8_t *tcp = frame + l4;
	const uint8_t *from = ends->addr[s->from], *to = ends->addr[!s->from];
	uint64_t pseudo;
	uint16_t sum;

	memset(tcp, 0, 20);
	put16(tcp, ends->port[s->from]);
	put16(tcp + 2, ends->port[!s->from]);
	put32(tcp + 4, s->seq);
	if (s->flags & TCP_ACK)
		put32(tcp + 8, s->ack);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = s->flags;
	put16(tcp + 14, s->window);
	put16(tcp + 18, s->urgent);
	memcpy(tcp + 20, s->options, s->options_len);
	if (s->len)
		memcpy(tcp + head, s->data, s->len);
	pseudo = ends->ipv6
			 ? checksum_pseudo_ipv6(from, to, IPPROTO_TCP, head + s->len)
			 : checksum_pseudo_ipv4(from, to, IPPROTO_TCP, (uint16_t)(head + s->len));
	sum = checksum_finish(checksum_add(pseudo, tcp, head + s->len));
	memcpy(tcp + 16, &sum, 2);
	return l4 + head + s->len;
}
