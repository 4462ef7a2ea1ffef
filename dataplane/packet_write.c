/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/packet_write.h"

#include "dataplane/tcp/checksum.h"

void link_write(uint8_t *to, const uint8_t *from, uint32_t len, uint16_t link, bool turn)
{
	memcpy(to, from, len);
	if (!turn || link != LINK_ETHERNET)
		return;
	memcpy(to, from + 6, 6);
	memcpy(to + 6, from, 6);
}

static uint32_t ipv4_write(uint8_t *ip, const struct flow *f, unsigned src, uint32_t payload)
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

static uint32_t ipv6_write(uint8_t *ip, const struct flow *f, unsigned src, uint32_t payload)
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

uint32_t ip_write(uint8_t *to, const struct flow *f, unsigned src, uint32_t payload)
{
	return f->key.family == 4 ? ipv4_write(to, f, src, payload)
				  : ipv6_write(to, f, src, payload);
}

uint64_t pseudo_sum(const struct flow *f, unsigned src, uint32_t len)
{
	if (f->key.family == 4)
		return checksum_pseudo_ipv4(f->key.addr[src], f->key.addr[!src], f->key.proto,
					    (uint16_t)len);
	return checksum_pseudo_ipv6(f->key.addr[src], f->key.addr[!src], f->key.proto, len);
}
