/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that is there whole or not at all: bytes are buffered, written beside
 * the path under a name of their own, and renamed at the end. What is no
 * regular file ("-" for standard output, a pipe) is written in place.
 *
 * The first error stays: later writes do nothing, and sink_finish returns it.
 * One thread a sink; writes may block.
 */
#ifndef POSTERN_CAPTURE_SINK_H
#define POSTERN_CAPTURE_SINK_H

#include <stddef.h>
#include <stdint.h>

enum { SINK_BUFFER = 256 * 1024 };

struct capture_sink {
	char *path;    /* where it shall be */
	char *partial; /* where it is until then, or NULL: in place */
	uint8_t *buf;
	size_t used;
	int fd;
	int error; /* the first errno, or 0 */
};

/* 0 or -errno; nothing is left behind then. */
int sink_open(struct capture_sink *sink, const char *path);
void sink_put(struct capture_sink *sink, const void *data, size_t len);
/* Writes what is left and renames; 0 or the first error as -errno, and then the file is not
 * there. The sink is closed either way. */
int sink_finish(struct capture_sink *sink);
/* Closes without the file. */
void sink_abort(struct capture_sink *sink);

#endif
