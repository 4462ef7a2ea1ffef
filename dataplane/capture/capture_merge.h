/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several captures as one, in the order of their times.
 *
 * Of the next packets of all files the earliest comes first, and at equal
 * times the file named first. Inside a file the file's order stands, even
 * where its times go backwards. Packets are numbered from 1 over all files.
 * One thread a merge; the cost is log2(files) comparisons a packet.
 */
#ifndef POSTERN_CAPTURE_MERGE_H
#define POSTERN_CAPTURE_MERGE_H

#include "dataplane/capture/capture_reader.h"

struct capture_merge;

struct merged_packet {
	struct capture_packet packet; /* its data: until the next call */
	uint64_t number;              /* from 1, over all files */
	size_t file;                  /* index into paths */
};

/* All files open, or none: -errno and a line in errbuf. count is at least 1. */
int capture_merge_open(const char *const *paths, size_t count, struct capture_merge **merge,
		       char errbuf[CAPTURE_ERRBUF]);
void capture_merge_close(struct capture_merge *merge); /* NULL is fine */

/*
 * 1 and a packet, 0 at the end of all files. -1: a file ended in an error, which
 * capture_merge_error has; what it held before has been handed out, and the next
 * call goes on with the other files.
 */
int capture_merge_next(struct capture_merge *merge, struct merged_packet *packet);

/* The line of the last error, or "". */
const char *capture_merge_error(const struct capture_merge *merge);

#endif
