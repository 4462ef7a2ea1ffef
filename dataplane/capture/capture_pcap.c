/* SPDX-License-Identifier: BSD-3-Clause */
/* Classic pcap (draft-ietf-opsawg-pcap). */
#include "dataplane/capture/capture_internal.h"

/*
 * Writers before version 2.3 stored the two lengths the other way round, and
 * 2.3 was written both ways: there the smaller one is what was captured.
 */
static bool lengths_are_swapped(const struct capture_reader *reader, uint32_t first,
				uint32_t second)
{
	return reader->minor < 3 || (reader->minor == 3 && first > second);
}

static int pcap_next(struct capture_reader *reader, struct capture_packet *packet)
{
	struct capture_source *source = &reader->source;
	uint32_t caplen, wirelen;
	const uint8_t *p;

	if (source_peek(source, 1) == 0 && !source->error)
		return 0;
	if (!capture_need(reader, reader->record_len, "a record's header"))
		return -1;
	p = source->window;
	caplen = get32(reader, p + 8);
	wirelen = get32(reader, p + 12);
	if (lengths_are_swapped(reader, caplen, wirelen)) {
		uint32_t first = caplen;

		caplen = wirelen;
		wirelen = first;
	}
	if (caplen > CAPTURE_MAX_PACKET)
		return capture_fail(reader, source->offset,
				    "a record claims %u bytes captured, and no packet has over %u",
				    caplen, (unsigned int)CAPTURE_MAX_PACKET);
	if (!capture_need(reader, reader->record_len + caplen, "a packet's record"))
		return -1;
	p = source->window;
	*packet = (struct capture_packet){
		.ts_ns = get32(reader, p) * 1000000000ull +
			 (uint64_t)get32(reader, p + 4) * reader->fraction,
		.data = p + reader->record_len,
		.caplen = caplen,
		.wirelen = wirelen,
		.linktype = reader->linktype,
	};
	source_skip(source, reader->record_len + caplen);
	return 1;
}

int pcap_start(struct capture_reader *reader)
{
	const uint8_t *p;
	uint32_t magic;
	uint16_t major;

	if (!capture_need(reader, PCAP_HEADER, "the file's header"))
		return -1;
	p = reader->source.window;
	magic = get32(reader, p);
	major = get16(reader, p + 4);
	reader->minor = get16(reader, p + 6);
	if (major != 2 || reader->minor > 4)
		return capture_fail(reader, 4, "pcap version %u.%u is not known (2.0 to 2.4 are)",
				    major, reader->minor);
	reader->record_len = magic == PCAP_MAGIC_MODIFIED ? PCAP_RECORD_MODIFIED : PCAP_RECORD;
	reader->fraction = magic == PCAP_MAGIC_NS ? 1 : 1000;
	/* The upper half holds the length of a frame check sequence, where there is one. */
	reader->linktype = (uint16_t)get32(reader, p + 20);
	reader->next = pcap_next;
	source_skip(&reader->source, PCAP_HEADER);
	return 0;
}
