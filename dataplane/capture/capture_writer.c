/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_writer.h"

#include "dataplane/capture/capture_format.h"
#include "dataplane/capture/capture_sink.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NANOSECONDS = 9 };

struct writer_interface {
	char name[32];
	uint16_t linktype;
};

struct capture_writer {
	struct capture_sink sink;
	enum capture_format format;
	struct writer_interface interfaces[CAPTURE_MAX_INTERFACES];
	int interface_count;
};

static const uint8_t zeros[4];

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static size_t text_len(const char *text)
{
	return text ? strnlen(text, UINT16_MAX) : 0;
}

/* Bytes that option_put takes; an absent or empty text takes none. */
static uint32_t option_size(size_t len)
{
	return len ? 4 + (uint32_t)padded(len) : 0;
}

static void put32(struct capture_writer *writer, uint32_t value)
{
	sink_put(&writer->sink, &value, sizeof(value));
}

static void put_padded(struct capture_writer *writer, const void *data, size_t len)
{
	sink_put(&writer->sink, data, len);
	sink_put(&writer->sink, zeros, padded(len) - len);
}

static void option_put(struct capture_writer *writer, uint16_t code, const void *value, size_t len)
{
	const uint16_t head[2] = {code, (uint16_t)len};

	if (!len)
		return;
	sink_put(&writer->sink, head, sizeof(head));
	put_padded(writer, value, len);
}

static void section_put(struct capture_writer *writer, const char *application, const char *comment)
{
	size_t app_len = text_len(application), comment_len = text_len(comment);
	uint32_t len = 28 + option_size(app_len) + option_size(comment_len) + 4;
	const uint16_t version[2] = {1, 0};

	put32(writer, PCAPNG_SHB);
	put32(writer, len);
	put32(writer, PCAPNG_BYTE_ORDER);
	sink_put(&writer->sink, version, sizeof(version));
	put32(writer, UINT32_MAX); /* the section's length is not told: 64 bits of ones */
	put32(writer, UINT32_MAX);
	option_put(writer, OPT_SHB_APPLICATION, application, app_len);
	option_put(writer, OPT_COMMENT, comment, comment_len);
	put32(writer, OPT_END);
	put32(writer, len);
}

static void interface_put(struct capture_writer *writer, const struct writer_interface *iface)
{
	const uint8_t resolution = NANOSECONDS;
	size_t name_len = text_len(iface->name);
	uint32_t len = 20 + option_size(name_len) + option_size(1) + 4;

	put32(writer, PCAPNG_IDB);
	put32(writer, len);
	sink_put(&writer->sink, &iface->linktype, sizeof(iface->linktype));
	sink_put(&writer->sink, zeros, 2);
	put32(writer, CAPTURE_MAX_PACKET);
	option_put(writer, OPT_IF_NAME, iface->name, name_len);
	option_put(writer, OPT_IF_TSRESOL, &resolution, 1);
	put32(writer, OPT_END);
	put32(writer, len);
}

static void pcap_header_put(struct capture_writer *writer, uint16_t linktype)
{
	const uint16_t version[2] = {2, 4};

	put32(writer, PCAP_MAGIC_NS);
	sink_put(&writer->sink, version, sizeof(version));
	put32(writer, 0);
	put32(writer, 0);
	put32(writer, CAPTURE_MAX_PACKET);
	put32(writer, linktype);
}

int capture_writer_open(const char *path, enum capture_format format, const char *application,
			const char *comment, struct capture_writer **out)
{
	struct capture_writer *writer = calloc(1, sizeof(*writer));
	int err;

	if (!writer)
		return -ENOMEM;
	err = sink_open(&writer->sink, path);
	if (err) {
		free(writer);
		return err;
	}
	writer->format = format;
	if (format == CAPTURE_FORMAT_PCAPNG)
		section_put(writer, application, comment);
	*out = writer;
	return 0;
}

int capture_writer_interface(struct capture_writer *writer, const char *name, uint16_t linktype)
{
	struct writer_interface *iface = &writer->interfaces[writer->interface_count];

	for (int i = 0; i < writer->interface_count; i++) {
		const struct writer_interface *known = &writer->interfaces[i];

		if (known->linktype == linktype &&
		    strncmp(known->name, name, sizeof(known->name) - 1) == 0)
			return i;
		if (known->linktype != linktype && writer->format == CAPTURE_FORMAT_PCAP)
			return -EINVAL;
	}
	if (writer->interface_count == CAPTURE_MAX_INTERFACES)
		return -ENOSPC;
	snprintf(iface->name, sizeof(iface->name), "%s", name);
	iface->linktype = linktype;
	if (writer->format == CAPTURE_FORMAT_PCAPNG)
		interface_put(writer, iface);
	else if (writer->interface_count == 0)
		pcap_header_put(writer, linktype);
	return writer->interface_count++;
}

static void enhanced_put(struct capture_writer *writer, uint32_t interface, uint64_t ts_ns,
			 const void *data, uint32_t caplen, uint32_t wirelen, const char *comment)
{
	size_t comment_len = text_len(comment);
	uint32_t options = comment_len ? option_size(comment_len) + 4 : 0;
	uint32_t len = 32 + (uint32_t)padded(caplen) + options;
	const uint32_t head[7] = {PCAPNG_EPB,      len,    interface, (uint32_t)(ts_ns >> 32),
				  (uint32_t)ts_ns, caplen, wirelen};

	sink_put(&writer->sink, head, sizeof(head));
	put_padded(writer, data, caplen);
	if (options) {
		option_put(writer, OPT_COMMENT, comment, comment_len);
		put32(writer, OPT_END);
	}
	put32(writer, len);
}

static void record_put(struct capture_writer *writer, uint64_t ts_ns, const void *data,
		       uint32_t caplen, uint32_t wirelen)
{
	const uint32_t head[4] = {(uint32_t)(ts_ns / 1000000000), (uint32_t)(ts_ns % 1000000000),
				  caplen, wirelen};

	sink_put(&writer->sink, head, sizeof(head));
	sink_put(&writer->sink, data, caplen);
}

int capture_writer_packet(struct capture_writer *writer, int interface, uint64_t ts_ns,
			  const void *data, uint32_t caplen, uint32_t wirelen, const char *comment)
{
	assert(interface >= 0 && interface < writer->interface_count);
	if (caplen > CAPTURE_MAX_PACKET)
		return -EMSGSIZE;
	if (writer->format == CAPTURE_FORMAT_PCAPNG)
		enhanced_put(writer, (uint32_t)interface, ts_ns, data, caplen, wirelen, comment);
	else
		record_put(writer, ts_ns, data, caplen, wirelen);
	return -writer->sink.error;
}

int capture_writer_finish(struct capture_writer *writer)
{
	int err;

	/* A pcap file without packets still has a header. */
	if (writer->format == CAPTURE_FORMAT_PCAP && writer->interface_count == 0)
		pcap_header_put(writer, CAPTURE_LINK_ETHERNET);
	err = sink_finish(&writer->sink);
	free(writer);
	return err;
}

void capture_writer_abort(struct capture_writer *writer)
{
	if (!writer)
		return;
	sink_abort(&writer->sink);
	free(writer);
}
