/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the MIME parser told, as text: one event a line, data of one part and
 * kind joined, bytes escaped as in C (UTF-8 stays). Two runs saw the same if
 * their logs are equal. For tests: allocates, aborts when out of memory.
 */
#ifndef POSTERN_TESTS_SPEC_MIME_LOG_H
#define POSTERN_TESTS_SPEC_MIME_LOG_H

#include "dataplane/proto/mime.h"

struct mime_log {
	char *text; /* NUL-terminated, or NULL if nothing was told */
	size_t len, cap;
	int part, kind; /* of the data line that is open; part -1: none */
};

extern const struct mime_sink mime_log_sink; /* ctx: struct mime_log */

void mime_log_init(struct mime_log *log);
void mime_log_fini(struct mime_log *log);

/* One message, fed in pieces of `piece` bytes after a first one of `first` (0: none). */
void mime_log_run(struct mime_log *log, const uint8_t *data, size_t len, size_t first,
		  size_t piece);

#endif
