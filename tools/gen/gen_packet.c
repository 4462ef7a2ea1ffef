/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_packet.h"

#include "dataplane/tcp/checksum.h"

#include <assert.h>
#include <string.h>

enum {
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_FRAGMENT = 44,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_QINQ = 0x88a8,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	FRAGMENT_HEADER = 8,
	UDP_HEADER = 8,
	TCP_HEADER = 20,
	TCP_OPTIONS = 12, /* NOP NOP timestamps */
	TCP_SYN_OPTIONS = 20,
	TRANSPORT_MAX = 65000,
};

static uint8_t *put8(uint8_t *p, uint8_t value)
{
	*p = value;
	return p + 1;
}

static uint8_t *put16(uint8_t *p, uint32_t value)
{
	return put8(put8(p, (uint8_t)(value >> 8)), (uint8_t)value);
}

static uint8_t *put32(uint8_t *p, uint32_t value)
{
	return put16(put16(p, value >> 16), value);
}

static uint8_t *put_bytes(uint8_t *p, const void *data, size_t len)
{
	if (len)
		memcpy(p, data, len);
	return p + len;
}

/* A part of an IP packet's payload: the whole, or a fragment. */
struct piece {
	const uint8_t *data;
	uint32_t len;
	uint32_t offset; /* in the whole */
	bool more;
	uint32_t id;
};

static uint32_t link_size(const struct gen_path *path)
{
	return 14 + (path->vlan ? 4 : 0) + (path->outer_vlan ? 4 : 0);
}

/* Locally administered addresses: 02:67:65:6e:00 ("gen") and the sender's side. */
static uint8_t *put_link(uint8_t *p, const struct gen_path *path, enum gen_direction sender)
{
	static const uint8_t mac[5] = {0x02, 'g', 'e', 'n', 0};

	p = put8(put_bytes(p, mac, 5), sender == FROM_CLIENT);
	p = put8(put_bytes(p, mac, 5), sender != FROM_CLIENT);
	if (path->outer_vlan)
		p = put16(put16(p, ETHERTYPE_QINQ), path->outer_vlan);
	if (path->vlan)
		p = put16(put16(p, ETHERTYPE_VLAN), path->vlan);
	return put16(p, path->family == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
}

static uint8_t *put_ipv4(uint8_t *p, const struct gen_path *path, enum gen_direction sender,
			 uint8_t protocol, const struct piece *piece)
{
	const struct gen_endpoint *from = &path->ends[sender], *to = &path->ends[!sender];
	bool whole = !piece->more && !piece->offset;
	uint8_t *header = p;
	uint16_t check;

	p = put16(put16(p, 0x4500), IPV4_HEADER + piece->len);
	p = put16(p, piece->id);
	p = put16(p, whole ? 0x4000 : (piece->more ? 0x2000u : 0) | piece->offset / 8);
	p = put8(put8(p, from->hop_limit), protocol);
	p = put_bytes(put_bytes(put16(p, 0), from->address, 4), to->address, 4);
	check = checksum_finish(checksum_add(0, header, IPV4_HEADER));
	memcpy(header + 10, &check, sizeof(check));
	return p;
}

static uint8_t *put_ipv6(uint8_t *p, const struct gen_path *path, enum gen_direction sender,
			 uint8_t protocol, const struct piece *piece)
{
	const struct gen_endpoint *from = &path->ends[sender], *to = &path->ends[!sender];
	bool whole = !piece->more && !piece->offset;

	p = put32(p, 0x60000000);
	p = put16(p, piece->len + (whole ? 0 : FRAGMENT_HEADER));
	p = put8(put8(p, whole ? protocol : PROTO_FRAGMENT), from->hop_limit);
	p = put_bytes(put_bytes(p, from->address, 16), to->address, 16);
	if (whole)
		return p;
	p = put16(put8(put8(p, protocol), 0), piece->offset | piece->more);
	return put32(p, piece->id);
}

static void put_frame(struct gen_flow *flow, const struct gen_path *path, enum gen_direction sender,
		      uint64_t ts_ns, uint8_t protocol, const struct piece *piece)
{
	bool fragment = piece->more || piece->offset;
	uint32_t network = path->family == 4 ? IPV4_HEADER
					     : IPV6_HEADER + (fragment ? FRAGMENT_HEADER : 0);
	uint32_t len = link_size(path) + network + piece->len;
	uint8_t *p = put_link(flow_add(flow, ts_ns, len), path, sender);

	if (path->family == 4)
		p = put_ipv4(p, path, sender, protocol, piece);
	else
		p = put_ipv6(p, path, sender, protocol, piece);
	put_bytes(p, piece->data, piece->len);
}

static void put_pieces(struct gen_flow *flow, struct gen_path *path, enum gen_direction sender,
		       uint64_t ts_ns, uint8_t protocol, const uint8_t *data, uint32_t len,
		       uint32_t fragments)
{
	/* All but the last are a multiple of 8 bytes long (RFC 791 3.2). */
	uint32_t step = fragments > 1 ? (len / fragments + 7) & ~7u : len;
	uint32_t id = path->ends[sender].ip_id++;

	for (uint32_t at = 0; at < len; at += step) {
		struct piece piece = {
			.data = data + at,
			.len = len - at < step ? len - at : step,
			.offset = at,
			.more = at + step < len,
			.id = id,
		};

		put_frame(flow, path, sender, ts_ns++, protocol, &piece);
	}
}

static void put_checksum(const struct gen_path *path, enum gen_direction sender, uint8_t protocol,
			 uint8_t *data, uint32_t len, uint32_t at)
{
	const uint8_t *from = path->ends[sender].address, *to = path->ends[!sender].address;
	uint64_t sum = path->family == 4 ? checksum_pseudo_ipv4(from, to, protocol, (uint16_t)len)
					 : checksum_pseudo_ipv6(from, to, protocol, len);
	uint16_t check = checksum_finish(checksum_add(sum, data, len));

	/* RFC 768: a sum of zero is sent as ones, since zero says that there is none. */
	if (protocol == PROTO_UDP && check == 0)
		check = 0xffff;
	memcpy(data + at, &check, sizeof(check));
}

static uint8_t *put_tcp_options(uint8_t *p, const struct gen_segment *segment)
{
	if (segment->flags & TCP_SYN) {
		p = put16(put8(put8(p, 2), 4), segment->mss);
		p = put8(put8(p, 4), 2); /* SACK permitted */
		p = put32(put32(put8(put8(p, 8), 10), segment->ts_value), segment->ts_echo);
		return put8(put8(put8(put8(p, 1), 3), 3), 7); /* NOP, window scale */
	}
	p = put8(put8(put8(put8(p, 1), 1), 8), 10);
	return put32(put32(p, segment->ts_value), segment->ts_echo);
}

void packet_tcp(struct gen_flow *flow, struct gen_path *path, enum gen_direction sender,
		uint64_t ts_ns, const struct gen_segment *segment, uint32_t fragments)
{
	uint32_t options = segment->flags & TCP_SYN ? TCP_SYN_OPTIONS : TCP_OPTIONS;
	uint32_t len = TCP_HEADER + options + segment->len;
	uint8_t data[TRANSPORT_MAX], *p = data;

	assert(len <= sizeof(data));
	p = put16(put16(p, path->ends[sender].port), path->ends[!sender].port);
	p = put32(put32(p, segment->seq), segment->ack);
	p = put8(put8(p, (uint8_t)((TCP_HEADER + options) / 4 << 4)), segment->flags);
	p = put32(put16(p, segment->window), 0);
	p = put_bytes(put_tcp_options(p, segment), segment->payload, segment->len);
	assert(p == data + len);
	put_checksum(path, sender, PROTO_TCP, data, len, 16);
	put_pieces(flow, path, sender, ts_ns, PROTO_TCP, data, len, fragments);
}

void packet_udp(struct gen_flow *flow, struct gen_path *path, enum gen_direction sender,
		uint64_t ts_ns, const void *payload, uint32_t len, uint32_t fragments)
{
	uint8_t data[TRANSPORT_MAX], *p = data;

	assert(UDP_HEADER + len <= sizeof(data));
	p = put16(put16(p, path->ends[sender].port), path->ends[!sender].port);
	p = put16(put16(p, UDP_HEADER + len), 0);
	put_bytes(p, payload, len);
	put_checksum(path, sender, PROTO_UDP, data, UDP_HEADER + len, 6);
	put_pieces(flow, path, sender, ts_ns, PROTO_UDP, data, UDP_HEADER + len, fragments);
}
