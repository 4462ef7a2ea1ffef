/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps what the dataplane knows of recipients in a file (known_file.h), by a thread of its own:
 * the disk may take its time. Every minute, and at the end; `kill -9` loses a minute. Main thread.
 */
#ifndef POSTERN_LIVE_KEEP_H
#define POSTERN_LIVE_KEEP_H

struct live;

/* Reads the file and begins to write it; before the workers run. Without one nothing is kept. */
void live_keep_open(struct live *l);
/* Says what went wrong meanwhile, if anything did. */
void live_keep_look(struct live *l);
/* After the workers have ended; writes it for the last time. */
void live_keep_close(struct live *l);

#endif
