/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads capture files: pcap (microseconds and nanoseconds, both byte orders,
 * and the variant with longer records that Kuznetzov's patched libpcap wrote)
 * and pcapng (draft-ietf-opsawg-pcapng), from a file, a pipe or memory.
 *
 * Every packet that the file holds is handed out as it stands there: empty
 * ones, cut ones (caplen < wirelen), times that go backwards, any link type.
 * What is no capture, or is damaged, is an error that names the file, the
 * offset and what was found there; the packets handed out before it hold.
 *
 * One thread a reader; capture_next may block on a pipe. No packet costs an
 * allocation from a mapped file.
 */
#ifndef POSTERN_CAPTURE_READER_H
#define POSTERN_CAPTURE_READER_H

#include <stddef.h>
#include <stdint.h>

enum {
	CAPTURE_ERRBUF = 512,
	CAPTURE_MAX_PACKET = 262144, /* bytes captured of one packet: libpcap's own limit */
};

/* LINKTYPE_ values (tcpdump.org/linktypes.html) that the gate knows how to decode. */
enum capture_linktype {
	CAPTURE_LINK_NULL = 0,
	CAPTURE_LINK_ETHERNET = 1,
	CAPTURE_LINK_RAW_BSD = 12, /* DLT_RAW as some writers store it */
	CAPTURE_LINK_RAW_OPENBSD = 14,
	CAPTURE_LINK_RAW = 101,
	CAPTURE_LINK_LOOP = 108,
	CAPTURE_LINK_LINUX_SLL = 113,
	CAPTURE_LINK_IPV4 = 228,
	CAPTURE_LINK_IPV6 = 229,
	CAPTURE_LINK_LINUX_SLL2 = 276,
};

struct capture_packet {
	uint64_t ts_ns;      /* since 1970; a packet without a time has that of the one before */
	const uint8_t *data; /* of the reader; until the next call on it */
	uint32_t caplen;     /* bytes at data, at most CAPTURE_MAX_PACKET */
	uint32_t wirelen;    /* bytes it had on the wire; a damaged file may say less than caplen */
	uint32_t interface;  /* pcapng: counted from 0 over all sections; pcap: 0 */
	uint16_t linktype;   /* LINKTYPE_ value, known to us or not */
};

struct capture_reader;

/*
 * path "-" is standard input. 0 and a reader, or -errno and a line in errbuf
 * (the file's name included): -EINVAL says that this is no capture.
 */
int capture_open(const char *path, struct capture_reader **reader, char errbuf[CAPTURE_ERRBUF]);
/* The same over memory, which stays the caller's and must outlive the reader. */
int capture_open_bytes(const char *name, const void *data, size_t len,
		       struct capture_reader **reader, char errbuf[CAPTURE_ERRBUF]);
void capture_close(struct capture_reader *reader); /* NULL is fine */

/* 1 and a packet, 0 at the end, -1 on an error, and from then on again. */
int capture_next(struct capture_reader *reader, struct capture_packet *packet);

/* The error's line, or "". The reader's. */
const char *capture_error(const struct capture_reader *reader);
const char *capture_name(const struct capture_reader *reader);
/* Packets handed out so far. */
uint64_t capture_count(const struct capture_reader *reader);

#endif
