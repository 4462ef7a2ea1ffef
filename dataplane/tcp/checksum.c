/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tcp/checksum.h"

#include <string.h>

static uint64_t load64(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* One's complement addition: what overflows comes back in at the bottom. */
static uint64_t add_carry(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < a);
}

static void chain_add(uint64_t *sum, uint64_t *carries, uint64_t word)
{
	*sum += word;
	*carries += *sum < word;
}

/* The last one to seven bytes, each piece where memory order wants it in a zeroed word. */
static uint64_t load_tail(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	uint32_t four;
	uint16_t two;

	if (len & 4) {
		memcpy(&four, p, 4);
		sum += four;
		p += 4;
	}
	if (len & 2) {
		memcpy(&two, p, 2);
		sum += two;
		p += 2;
	}
	if (len & 1) {
		two = 0;
		memcpy(&two, p, 1);
		sum += two;
	}
	return sum;
}

uint64_t checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	/*
	 * Two chains that count their carries instead of feeding them back:
	 * the next addition doesn't wait for the last one's carry.
	 */
	if (len >= 32) {
		uint64_t even = 0, odd = 0, even_carries = 0, odd_carries = 0;

		for (; len >= 32; p += 32, len -= 32) {
			chain_add(&even, &even_carries, load64(p));
			chain_add(&odd, &odd_carries, load64(p + 8));
			chain_add(&even, &even_carries, load64(p + 16));
			chain_add(&odd, &odd_carries, load64(p + 24));
		}
		sum = add_carry(add_carry(sum, even), odd);
		sum = add_carry(sum, even_carries + odd_carries);
	}
	for (; len >= 8; p += 8, len -= 8)
		sum = add_carry(sum, load64(p));
	if (len)
		sum = add_carry(sum, load_tail(p, len));
	return sum;
}

uint16_t checksum_finish(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Memory order: a byte at an odd place is the other half of its word. */
static uint64_t add_at(uint64_t sum, size_t at, const void *data, size_t len)
{
	uint8_t shifted[1 + CHECKSUM_UPDATE_MAX] = {0};

	if (at % 2 == 0)
		return checksum_add(sum, data, len);
	memcpy(shifted + 1, data, len);
	return checksum_add(sum, shifted, 1 + len);
}

void checksum_update(void *field, size_t at, const void *before, const void *now, size_t len)
{
	uint16_t sum;

	memcpy(&sum, field, 2);
	sum = checksum_finish(
		add_at((uint64_t)(uint16_t)~sum + checksum_finish(add_at(0, at, before, len)), at,
		       now, len));
	memcpy(field, &sum, 2);
}

uint64_t checksum_pseudo_ipv4(const void *src, const void *dst, uint8_t protocol, uint16_t len)
{
	const uint8_t rest[4] = {0, protocol, (uint8_t)(len >> 8), (uint8_t)len};
	uint8_t header[12];

	memcpy(header, src, 4);
	memcpy(header + 4, dst, 4);
	memcpy(header + 8, rest, 4);
	return checksum_add(0, header, sizeof(header));
}

uint64_t checksum_pseudo_ipv6(const void *src, const void *dst, uint8_t protocol, uint32_t len)
{
	const uint8_t rest[8] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
				 (uint8_t)len, [7] = protocol};
	uint8_t header[40];

	memcpy(header, src, 16);
	memcpy(header + 16, dst, 16);
	memcpy(header + 32, rest, 8);
	return checksum_add(0, header, sizeof(header));
}

bool checksum_ipv4_header_ok(const void *header, size_t header_len)
{
	return checksum_finish(checksum_add(0, header, header_len)) == 0;
}

bool checksum_tcp_ok(uint64_t pseudo, const void *segment, size_t len)
{
	return checksum_finish(checksum_add(pseudo, segment, len)) == 0;
}

static bool udp_has_no_checksum(const uint8_t *datagram)
{
	return datagram[6] == 0 && datagram[7] == 0;
}

bool checksum_udp_ipv4_ok(uint64_t pseudo, const void *datagram, size_t len)
{
	if (udp_has_no_checksum(datagram))
		return true;
	return checksum_finish(checksum_add(pseudo, datagram, len)) == 0;
}

bool checksum_udp_ipv6_ok(uint64_t pseudo, const void *datagram, size_t len)
{
	if (udp_has_no_checksum(datagram))
		return false;
	return checksum_finish(checksum_add(pseudo, datagram, len)) == 0;
}
