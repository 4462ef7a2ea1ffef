/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds captures byte by byte, in either byte order, for the tests of the reader. */
#ifndef POSTERN_TESTS_UNIT_CAPTURE_BYTES_H
#define POSTERN_TESTS_UNIT_CAPTURE_BYTES_H

#include <assert.h>
#include <byteswap.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct image {
	uint8_t bytes[8192];
	size_t len;
	bool swapped; /* written in the other byte order than the host's */
};

static inline void put_bytes(struct image *im, const void *p, size_t len)
{
	assert(im->len + len <= sizeof(im->bytes));
	if (len)
		memcpy(im->bytes + im->len, p, len);
	im->len += len;
}

static inline void put16(struct image *im, uint16_t value)
{
	value = im->swapped ? bswap_16(value) : value;
	put_bytes(im, &value, sizeof(value));
}

static inline void put32(struct image *im, uint32_t value)
{
	value = im->swapped ? bswap_32(value) : value;
	put_bytes(im, &value, sizeof(value));
}

static inline void put64(struct image *im, uint64_t value)
{
	value = im->swapped ? bswap_64(value) : value;
	put_bytes(im, &value, sizeof(value));
}

static inline void put_pcap_header(struct image *im, uint32_t magic, uint32_t linktype)
{
	put32(im, magic);
	put16(im, 2);
	put16(im, 4);
	put64(im, 0);
	put32(im, 65535);
	put32(im, linktype);
}

static inline void put_pcap_record(struct image *im, uint32_t sec, uint32_t frac, const void *data,
				   uint32_t caplen, uint32_t wirelen)
{
	put32(im, sec);
	put32(im, frac);
	put32(im, caplen);
	put32(im, wirelen);
	put_bytes(im, data, caplen);
}

/* A pcapng block is begun, its body put, then ended: the lengths are filled in. */
static inline size_t begin_block(struct image *im, uint32_t type)
{
	size_t start = im->len;

	put32(im, type);
	put32(im, 0);
	return start;
}

static inline void end_block(struct image *im, size_t start)
{
	static const uint8_t zeros[4];
	uint32_t total;

	put_bytes(im, zeros, (4 - im->len % 4) % 4);
	total = (uint32_t)(im->len - start + 4);
	put32(im, total);
	memcpy(im->bytes + start + 4, im->bytes + im->len - 4, 4);
}

static inline void put_section(struct image *im)
{
	size_t block = begin_block(im, 0x0a0d0d0a);

	put32(im, 0x1a2b3c4d);
	put16(im, 1);
	put16(im, 0);
	put64(im, UINT64_MAX);
	end_block(im, block);
}

static inline void put_option(struct image *im, uint16_t code, const void *value, uint16_t len)
{
	static const uint8_t zeros[4];

	put16(im, code);
	put16(im, len);
	put_bytes(im, value, len);
	put_bytes(im, zeros, (4 - len % 4) % 4);
}

static inline void put_interface(struct image *im, uint16_t linktype, uint32_t snaplen)
{
	size_t block = begin_block(im, 1);

	put16(im, linktype);
	put16(im, 0);
	put32(im, snaplen);
	end_block(im, block);
}

static inline void put_enhanced(struct image *im, uint32_t interface, uint64_t ts, const void *data,
				uint32_t caplen, uint32_t wirelen)
{
	size_t block = begin_block(im, 6);

	put32(im, interface);
	put32(im, (uint32_t)(ts >> 32));
	put32(im, (uint32_t)ts);
	put32(im, caplen);
	put32(im, wirelen);
	put_bytes(im, data, caplen);
	end_block(im, block);
}

#endif
