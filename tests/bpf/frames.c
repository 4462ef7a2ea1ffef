/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/frames.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct out {
	uint8_t *bytes;
	uint32_t len;
};

static uint8_t *put(struct out *o, uint32_t n)
{
	uint8_t *p = o->bytes + o->len;

	assert(o->len + n <= FRAME_MAX);
	memset(p, 0, n);
	o->len += n;
	return p;
}

static void be16_put(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put_link(struct out *o, const struct frame_spec *s, uint16_t type)
{
	static const uint8_t addresses[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	memcpy(put(o, 12), addresses, 12);
	for (unsigned i = 0; i < 4 && s->vlan[i]; i++) {
		uint8_t *p = put(o, 4);

		be16_put(p, s->tag[i] ? s->tag[i] : 0x8100);
		be16_put(p + 2, s->vlan[i]);
	}
	be16_put(put(o, 2), type);
}

/* What the receiver had sent to the sender, or the beginning of it. */
static void put_quoted(struct out *o, const struct frame_spec *s)
{
	bool six = strchr(s->src, ':');
	uint8_t *p = put(o, six ? 40 : 20), *next = p + (six ? 6 : 9);

	p[0] = six ? 0x60 : 0x45;
	inet_pton(six ? AF_INET6 : AF_INET, s->dst, p + (six ? 8 : 12));
	inet_pton(six ? AF_INET6 : AF_INET, s->src, p + (six ? 24 : 16));
	for (unsigned i = 0; i < s->quotes_behind; i++) {
		*next = IPPROTO_DSTOPTS;
		next = put(o, 8);
	}
	*next = IPPROTO_TCP;
	p = put(o, s->quotes);
	if (s->quotes < 4)
		return;
	be16_put(p, s->sport ? s->sport : 40000);
	be16_put(p + 2, s->dport ? s->dport : 80);
}

static void put_transport(struct out *o, const struct frame_spec *s, uint8_t proto)
{
	uint8_t *p;

	if (proto == IPPROTO_TCP) {
		p = put(o, 20);
		p[12] = 5 << 4;
		p[13] = s->flags ? s->flags : 0x10;
	} else if (proto == IPPROTO_UDP) {
		p = put(o, 8);
		be16_put(p + 4, 8u + s->payload);
	} else {
		put(o, 8)[0] = s->icmp;
		if (s->quotes)
			put_quoted(o, s);
		put(o, s->payload);
		return;
	}
	be16_put(p, s->sport ? s->sport : 40000);
	be16_put(p + 2, s->dport ? s->dport : 80);
	put(o, s->payload);
}

static void build_ipv4(struct out *o, const struct frame_spec *s)
{
	uint8_t proto = s->proto ? s->proto : IPPROTO_TCP;
	uint32_t l3;
	uint8_t *p;

	put_link(o, s, 0x0800);
	l3 = o->len;
	p = put(o, 20 + 4u * s->options);
	p[0] = (uint8_t)(0x45 + s->options);
	be16_put(p + 6, s->fragment);
	p[8] = s->hops ? s->hops : 64;
	p[9] = proto;
	inet_pton(AF_INET, s->src, p + 12);
	inet_pton(AF_INET, s->dst, p + 16);
	memset(p + 20, 1, 4u * s->options);
	put_transport(o, s, proto);
	be16_put(o->bytes + l3 + 2, o->len - l3 + (uint32_t)s->length_lie);
}

static void build_ipv6(struct out *o, const struct frame_spec *s)
{
	uint8_t proto = s->proto ? s->proto : IPPROTO_TCP;
	uint8_t *p, *next;
	uint32_t l3;

	put_link(o, s, 0x86dd);
	l3 = o->len;
	p = put(o, 40);
	p[0] = 0x60;
	p[7] = s->hops ? s->hops : 64;
	inet_pton(AF_INET6, s->src, p + 8);
	inet_pton(AF_INET6, s->dst, p + 24);
	next = &p[6];
	for (unsigned i = 0; i < s->extensions; i++) {
		*next = IPPROTO_DSTOPTS;
		next = put(o, 8u * (s->extension_length + 1));
		next[1] = s->extension_length;
	}
	if (s->ah) {
		/* RFC 4302 2.2: in words, less two. */
		*next = IPPROTO_AH;
		next = put(o, 12 + 4u * s->ah);
		next[1] = (uint8_t)(3 + s->ah - 2);
	}
	if (s->fragment) {
		*next = IPPROTO_FRAGMENT;
		next = put(o, 8);
		be16_put(next + 2, s->fragment);
	}
	*next = proto;
	put_transport(o, s, proto);
	be16_put(o->bytes + l3 + 4, o->len - l3 - 40 + (uint32_t)s->length_lie);
}

uint32_t frame_build(const struct frame_spec *s, uint8_t frame[FRAME_MAX])
{
	struct out o = {frame, 0};

	if (!s->src) {
		put_link(&o, s, s->ethertype);
		put(&o, 46);
	} else if (strchr(s->src, ':')) {
		build_ipv6(&o, s);
	} else {
		build_ipv4(&o, s);
	}
	memset(put(&o, s->padding), 0xee, s->padding);
	return o.len;
}

uint64_t frame_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Values that mean something somewhere: protocols, EtherTypes' bytes, lengths. */
static const uint8_t likely[] = {0,    1,    4,    5,    6,    8,    17,   20,   40,
				 41,   43,   44,   45,   46,   47,   50,   51,   58,
				 59,   60,   0x08, 0x81, 0x86, 0xdd, 0x88, 0xa8, 0x25,
				 0x60, 0x45, 0x4f, 0x50, 0xff, 0x20, 0x40, 0x19, 0xc4};

uint32_t frame_mutate(uint8_t frame[FRAME_MAX], uint32_t len, uint64_t *seed)
{
	unsigned changes = (unsigned)(frame_random(seed) % 6);

	for (unsigned i = 0; i < changes; i++) {
		uint32_t reach = frame_random(seed) % 4 ? 62 : len;
		uint32_t at = (uint32_t)(frame_random(seed) % (reach < len ? reach : len));

		if (at < 12) /* addresses of Ethernet */
			at = 12;
		if (frame_random(seed) % 2)
			frame[at] = likely[frame_random(seed) % sizeof(likely)];
		else
			frame[at] = (uint8_t)frame_random(seed);
	}
	if (frame_random(seed) % 4 == 0)
		len = 14 + (uint32_t)(frame_random(seed) % (len - 13));
	if (frame_random(seed) % 8 == 0 && len + 32 < FRAME_MAX)
		len += (uint32_t)(frame_random(seed) % 32);
	return len;
}
