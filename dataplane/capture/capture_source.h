/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a capture, in order: a regular file through mmap, a pipe or
 * standard input through a sliding buffer, or memory of the caller's.
 *
 * A window of bytes stands at `offset`. The buffer of a pipe grows only as
 * bytes really arrive, so what a header claims never costs memory. One thread
 * a source; peek and skip may block on a pipe. A mapped file must not be cut
 * short by others while it is read (the kernel answers with SIGBUS).
 */
#ifndef POSTERN_CAPTURE_SOURCE_H
#define POSTERN_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_source {
	const uint8_t *window; /* the next byte */
	size_t avail;          /* bytes in the window */
	uint64_t offset;       /* of the next byte, in the whole */
	int error;             /* errno of a failed read, or 0 */

	void *map; /* a regular file, or NULL */
	size_t map_len;
	uint8_t *buf; /* a pipe's buffer, or NULL */
	size_t buf_size;
	int fd; /* of a pipe; -1: nothing more to read */
};

/* "-" is standard input. 0 or -errno. */
int source_open(struct capture_source *source, const char *path);
/* data stays the caller's and must outlive the source. */
void source_open_bytes(struct capture_source *source, const void *data, size_t len);
void source_close(struct capture_source *source);

/*
 * Brings up to `want` bytes into the window and returns how many of them are
 * there: fewer only at the end or after an error. Earlier pointers into the
 * window are void after this.
 */
size_t source_peek(struct capture_source *source, size_t want);

/* Moves on by up to len bytes and returns by how many. What was peeked stays readable until the
 * next peek, or the next skip beyond the window. */
uint64_t source_skip(struct capture_source *source, uint64_t len);

#endif
