/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, and the three kinds
 * of packet blocks. Every other block is skipped, whatever its size. A block
 * that is read as a whole may have MAX_BLOCK bytes.
 */
#include "dataplane/capture/capture_internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
	MAX_BLOCK = 16 * 1024 * 1024,
	MAX_INTERFACES = 65536, /* of a section */
	BLOCK_HEAD = 8,         /* type, total length */
	BLOCK_TAIL = 4,         /* total length again */
	SHB_FIXED = 16,         /* byte order, version, section length */
	IDB_FIXED = 8,
	EPB_FIXED = 20,
	SPB_FIXED = 4,
	RESOLUTION_US = 6,
};

struct block {
	uint64_t offset;
	uint32_t type;
	uint32_t len;        /* in all */
	const uint8_t *body; /* between head and tail; only of blocks that were loaded */
	uint32_t body_len;
};

/* Type and length at the current offset; nothing is consumed. */
static int block_peek(struct capture_reader *reader, struct block *block)
{
	const uint8_t *p;

	block->offset = reader->source.offset;
	if (!capture_need(reader, BLOCK_HEAD, "a block's header"))
		return -1;
	p = reader->source.window;
	block->type = get32(reader, p);
	block->len = get32(reader, p + 4);
	return 0;
}

static int block_check_len(struct capture_reader *reader, const struct block *block, uint32_t fixed)
{
	if (block->len < BLOCK_HEAD + fixed + BLOCK_TAIL)
		return capture_fail(reader, block->offset,
				    "a block of type 0x%x says that it has %u bytes, under %u",
				    block->type, block->len, BLOCK_HEAD + fixed + BLOCK_TAIL);
	if (block->len % 4)
		return capture_fail(reader, block->offset,
				    "a block of type 0x%x has %u bytes, no multiple of 4",
				    block->type, block->len);
	return 0;
}

static int block_check_tail(struct capture_reader *reader, const struct block *block,
			    const uint8_t *tail)
{
	uint32_t again = get32(reader, tail);

	if (again == block->len)
		return 0;
	return capture_fail(reader, block->offset,
			    "a block of type 0x%x says %u bytes at its start and %u at its end",
			    block->type, block->len, again);
}

/* The whole block into the window; it is consumed, its bytes stay until the next peek. */
static int block_load(struct capture_reader *reader, struct block *block, uint32_t fixed,
		      const char *what)
{
	if (block_check_len(reader, block, fixed) < 0)
		return -1;
	if (block->len > MAX_BLOCK)
		return capture_fail(reader, block->offset, "%s claims %u bytes, over %u", what,
				    block->len, (unsigned int)MAX_BLOCK);
	if (!capture_need(reader, block->len, what))
		return -1;
	block->body = reader->source.window + BLOCK_HEAD;
	block->body_len = block->len - BLOCK_HEAD - BLOCK_TAIL;
	if (block_check_tail(reader, block, block->body + block->body_len) < 0)
		return -1;
	source_skip(&reader->source, block->len);
	return 0;
}

static int block_skip(struct capture_reader *reader, struct block *block)
{
	struct capture_source *source = &reader->source;
	uint32_t ahead;

	if (block_check_len(reader, block, 0) < 0)
		return -1;
	ahead = block->len - BLOCK_TAIL;
	if (source_skip(source, ahead) < ahead)
		return source->error
			       ? capture_fail(reader, source->offset, "reading failed: %s",
					      strerror(source->error))
			       : capture_fail(reader, block->offset,
					      "the file ends inside a block of type 0x%x: "
					      "%llu of %u bytes",
					      block->type,
					      (unsigned long long)(source->offset - block->offset),
					      block->len);
	if (!capture_need(reader, BLOCK_TAIL, "a block's end"))
		return -1;
	if (block_check_tail(reader, block, source->window) < 0)
		return -1;
	source_skip(source, BLOCK_TAIL);
	return 0;
}

/* A section header decides the byte order of its own length, so it is looked at first. */
static int section_read(struct capture_reader *reader, struct block *block)
{
	const uint8_t *p;
	uint32_t order;
	uint16_t major;

	if (!capture_need(reader, BLOCK_HEAD + 4, "a section header"))
		return -1;
	p = reader->source.window;
	memcpy(&order, p + BLOCK_HEAD, sizeof(order));
	if (order != PCAPNG_BYTE_ORDER && bswap_32(order) != PCAPNG_BYTE_ORDER)
		return capture_fail(
			reader, block->offset,
			"a section header without its byte-order mark: %02x %02x %02x %02x", p[8],
			p[9], p[10], p[11]);
	reader->swapped = order != PCAPNG_BYTE_ORDER;
	block->len = get32(reader, p + 4);
	if (block_load(reader, block, SHB_FIXED, "a section header") < 0)
		return -1;
	major = get16(reader, block->body + 4);
	if (major != 1)
		return capture_fail(reader, block->offset, "pcapng version %u.%u is not known",
				    major, get16(reader, block->body + 6));
	reader->interface_base += reader->interface_count;
	reader->interface_count = 0;
	return 0;
}

static void interface_option(const struct capture_reader *reader, struct capture_interface *iface,
			     uint16_t code, const uint8_t *value, uint16_t len)
{
	if (code == OPT_IF_TSRESOL && len == 1)
		iface->resolution = value[0];
	if (code == OPT_IF_TSOFFSET && len == 8)
		iface->offset_s = (int64_t)get64(reader, value);
}

static int interface_options(struct capture_reader *reader, const struct block *block,
			     struct capture_interface *iface)
{
	const uint8_t *p = block->body + IDB_FIXED, *end = block->body + block->body_len;

	while (end - p >= 4) {
		uint16_t code = get16(reader, p), len = get16(reader, p + 2);
		size_t padded = (len + 3u) & ~3u;

		if (code == OPT_END)
			break;
		p += 4;
		if (padded > (size_t)(end - p))
			return capture_fail(reader, block->offset,
					    "option %u of an interface (%u bytes) ends outside it",
					    code, len);
		interface_option(reader, iface, code, p, len);
		p += padded;
	}
	return 0;
}

static int interface_read(struct capture_reader *reader, struct block *block)
{
	struct capture_interface iface = {.resolution = RESOLUTION_US};
	struct capture_interface *grown;

	if (block_load(reader, block, IDB_FIXED, "an interface description") < 0)
		return -1;
	iface.linktype = get16(reader, block->body);
	iface.snaplen = get32(reader, block->body + 4);
	if (interface_options(reader, block, &iface) < 0)
		return -1;
	if (reader->interface_count == MAX_INTERFACES)
		return capture_fail(reader, block->offset, "over %u interfaces in a section",
				    (unsigned int)MAX_INTERFACES);
	if (reader->interface_count == reader->interface_room) {
		uint32_t room = reader->interface_room ? 2 * reader->interface_room : 4;

		grown = realloc(reader->interfaces, room * sizeof(*grown));
		if (!grown)
			return capture_fail(reader, block->offset, "%s", strerror(ENOMEM));
		reader->interfaces = grown;
		reader->interface_room = room;
	}
	reader->interfaces[reader->interface_count++] = iface;
	return 0;
}

/* n is at most 19: what 64 bits hold. */
static uint64_t power_of_ten(unsigned int n)
{
	uint64_t power = 1;

	while (n--)
		power *= 10;
	return power;
}

/*
 * Section 4.2, if_tsresol and if_tsoffset: units since 1970 to ns, clamped to
 * what 64 bits hold.
 */
static uint64_t timestamp_ns(const struct capture_interface *iface, uint64_t units)
{
	unsigned int exponent = iface->resolution & 127;
	__int128 ns = units;

	if (iface->resolution & 128)
		ns = exponent < 96 ? ns * 1000000000 >> exponent : 0;
	else if (exponent <= 9)
		ns *= power_of_ten(9 - exponent);
	else
		ns = exponent <= 9 + 19 ? units / power_of_ten(exponent - 9) : 0;
	ns += (__int128)iface->offset_s * 1000000000;
	if (ns < 0)
		return 0;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static const struct capture_interface *interface_find(struct capture_reader *reader,
						      const struct block *block, uint32_t id)
{
	if (id < reader->interface_count)
		return &reader->interfaces[id];
	capture_fail(reader, block->offset, "a packet of interface %u, and %u are described", id,
		     reader->interface_count);
	return NULL;
}

/* What enhanced and obsolete packet blocks have in common: both have 20 bytes before the data. */
static int packet_read(struct capture_reader *reader, struct block *block,
		       struct capture_packet *packet)
{
	const struct capture_interface *iface;
	uint32_t id, caplen;
	const uint8_t *p;

	if (block_load(reader, block, EPB_FIXED, "a packet's block") < 0)
		return -1;
	p = block->body;
	id = block->type == PCAPNG_EPB ? get32(reader, p) : get16(reader, p);
	iface = interface_find(reader, block, id);
	if (!iface)
		return -1;
	caplen = get32(reader, p + 12);
	if (caplen > block->body_len - EPB_FIXED || caplen > CAPTURE_MAX_PACKET)
		return capture_fail(reader, block->offset,
				    "a packet's block of %u bytes claims %u bytes captured",
				    block->len, caplen);
	*packet = (struct capture_packet){
		.ts_ns = timestamp_ns(iface,
				      (uint64_t)get32(reader, p + 4) << 32 | get32(reader, p + 8)),
		.data = p + EPB_FIXED,
		.caplen = caplen,
		.wirelen = get32(reader, p + 16),
		.interface = reader->interface_base + id,
		.linktype = iface->linktype,
	};
	reader->last_ts_ns = packet->ts_ns;
	return 1;
}

/* No time, no captured length: that is the wire's, cut by the interface's snap length. */
static int simple_packet_read(struct capture_reader *reader, struct block *block,
			      struct capture_packet *packet)
{
	const struct capture_interface *iface;
	uint32_t wirelen, caplen;

	if (block_load(reader, block, SPB_FIXED, "a simple packet's block") < 0)
		return -1;
	iface = interface_find(reader, block, 0);
	if (!iface)
		return -1;
	wirelen = get32(reader, block->body);
	caplen = iface->snaplen && iface->snaplen < wirelen ? iface->snaplen : wirelen;
	if (caplen > block->body_len - SPB_FIXED || caplen > CAPTURE_MAX_PACKET)
		return capture_fail(reader, block->offset,
				    "a simple packet's block of %u bytes claims %u bytes captured",
				    block->len, caplen);
	*packet = (struct capture_packet){
		.ts_ns = reader->last_ts_ns,
		.data = block->body + SPB_FIXED,
		.caplen = caplen,
		.wirelen = wirelen,
		.interface = reader->interface_base,
		.linktype = iface->linktype,
	};
	return 1;
}

static int pcapng_next(struct capture_reader *reader, struct capture_packet *packet)
{
	struct capture_source *source = &reader->source;
	struct block block;
	int err;

	while (source_peek(source, 1) > 0 || source->error) {
		if (block_peek(reader, &block) < 0)
			return -1;
		switch (block.type) {
		case PCAPNG_EPB:
		case PCAPNG_OPB:
			return packet_read(reader, &block, packet);
		case PCAPNG_SPB:
			return simple_packet_read(reader, &block, packet);
		case PCAPNG_SHB:
			err = section_read(reader, &block);
			break;
		case PCAPNG_IDB:
			err = interface_read(reader, &block);
			break;
		default:
			err = block_skip(reader, &block);
		}
		if (err < 0)
			return -1;
	}
	return 0;
}

int pcapng_start(struct capture_reader *reader)
{
	struct block block;

	if (block_peek(reader, &block) < 0 || section_read(reader, &block) < 0)
		return -1;
	reader->next = pcapng_next;
	return 0;
}
