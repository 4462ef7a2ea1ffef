/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes captures: pcapng with one interface per name and link type, times in
 * nanoseconds and a comment per packet where there is something to say; or
 * plain pcap (nanoseconds) for tools that want it.
 *
 * The file appears under its name when capture_writer_finish has returned 0,
 * and not before; "-" is standard output. Errors stay: every later call
 * returns the first one. One thread a writer; calls may block on the disk.
 */
#ifndef POSTERN_CAPTURE_WRITER_H
#define POSTERN_CAPTURE_WRITER_H

#include "dataplane/capture/capture_reader.h"

#include <stddef.h>
#include <stdint.h>

enum capture_format { CAPTURE_FORMAT_PCAPNG, CAPTURE_FORMAT_PCAP };

enum { CAPTURE_MAX_INTERFACES = 64 };

struct capture_writer;

/*
 * application and comment (either may be NULL) describe a pcapng file as a
 * whole. 0 or -errno.
 */
int capture_writer_open(const char *path, enum capture_format format, const char *application,
			const char *comment, struct capture_writer **writer);

/*
 * The number of the interface of this name and link type; described in the file
 * when it is first asked for. -errno: -EINVAL for a second link type in a pcap
 * file, which can have one, -ENOSPC beyond CAPTURE_MAX_INTERFACES. Names longer
 * than 31 bytes are cut.
 */
int capture_writer_interface(struct capture_writer *writer, const char *name, uint16_t linktype);

/*
 * interface: a number from above; comment: NULL for none, cut to 65,535 bytes,
 * lost in a pcap file. 0, or -errno: -EMSGSIZE for a caplen over
 * CAPTURE_MAX_PACKET (nothing is written then).
 */
int capture_writer_packet(struct capture_writer *writer, int interface, uint64_t ts_ns,
			  const void *data, uint32_t caplen, uint32_t wirelen, const char *comment);

/* Both free the writer. finish: 0, or -errno (the disk was full, …): there is no file then. */
int capture_writer_finish(struct capture_writer *writer);
void capture_writer_abort(struct capture_writer *writer); /* NULL is fine */

#endif
