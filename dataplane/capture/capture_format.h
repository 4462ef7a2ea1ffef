/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers of the file formats that the reader and the writer share. */
#ifndef POSTERN_CAPTURE_FORMAT_H
#define POSTERN_CAPTURE_FORMAT_H

/* Magic numbers as a reader of the same byte order as the writer sees them. */
enum {
	PCAP_HEADER = 24,
	PCAP_RECORD = 16,
	PCAP_RECORD_MODIFIED = 24, /* and interface index, protocol, packet type */
	PCAPNG_SHB = 0x0a0d0d0a,   /* the same in both byte orders */
	PCAPNG_IDB = 1,
	PCAPNG_OPB = 2, /* obsolete packet block */
	PCAPNG_SPB = 3,
	PCAPNG_EPB = 6,
	PCAPNG_BYTE_ORDER = 0x1a2b3c4d,
};

/* Options of pcapng blocks. */
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_IF_NAME = 2,
	OPT_SHB_APPLICATION = 4,
	OPT_IF_TSRESOL = 9,
	OPT_IF_TSOFFSET = 14,
};

#define PCAP_MAGIC_US       0xa1b2c3d4u
#define PCAP_MAGIC_NS       0xa1b23c4du
#define PCAP_MAGIC_MODIFIED 0xa1b2cd34u

#endif
