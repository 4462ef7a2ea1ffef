/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reader's files share: its state, the file's byte order, errors. */
#ifndef POSTERN_CAPTURE_INTERNAL_H
#define POSTERN_CAPTURE_INTERNAL_H

#include "dataplane/capture/capture_format.h"
#include "dataplane/capture/capture_reader.h"
#include "dataplane/capture/capture_source.h"

#include <byteswap.h>
#include <stdbool.h>
#include <string.h>

/* A pcapng interface: what a packet's block refers to. */
struct capture_interface {
	int64_t offset_s; /* if_tsoffset */
	uint32_t snaplen; /* 0: none */
	uint16_t linktype;
	uint8_t resolution; /* if_tsresol: 10^-n s, or 2^-(n & 127) s with the top bit set */
};

struct capture_reader {
	struct capture_source source;
	int (*next)(struct capture_reader *reader, struct capture_packet *packet);
	uint64_t count; /* packets handed out */
	bool swapped;   /* the file's (the section's) byte order is not the host's */
	int state;      /* 1: more may come, 0: ended, -1: failed */
	char *name;
	char error[CAPTURE_ERRBUF];

	/* pcap */
	uint32_t record_len; /* of a record's header */
	uint32_t fraction;   /* ns in the second field of a time */
	uint16_t linktype;
	uint16_t minor; /* of the file's version, 2.minor */

	/* pcapng */
	struct capture_interface *interfaces; /* this section's */
	uint32_t interface_count;
	uint32_t interface_room;
	uint32_t interface_base; /* of the sections before */
	uint64_t last_ts_ns;
};

static inline uint16_t get16(const struct capture_reader *reader, const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return reader->swapped ? bswap_16(value) : value;
}

static inline uint32_t get32(const struct capture_reader *reader, const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return reader->swapped ? bswap_32(value) : value;
}

static inline uint64_t get64(const struct capture_reader *reader, const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return reader->swapped ? bswap_64(value) : value;
}

/* Writes the error's line, about what stands at this offset; returns -1. */
__attribute__((format(printf, 3, 4))) int capture_fail(struct capture_reader *reader,
						       uint64_t offset, const char *format, ...);

/*
 * The next `want` bytes of something that must be whole, in the window: true,
 * or false after an error that says that the file ends inside `what`.
 */
bool capture_need(struct capture_reader *reader, size_t want, const char *what);

/* Each reads its format's start: 0, or -1 after capture_fail. They set reader->next. */
int pcap_start(struct capture_reader *reader);
int pcapng_start(struct capture_reader *reader);

#endif
