/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log of events: a file of lines that grows, is rotated by size and opened anew when something
 * else moved it. Lines are whole: one that the disk has no room for is counted and not there.
 * One thread; blocks on the disk.
 */
#ifndef POSTERN_CONTROL_EVE_LOG_H
#define POSTERN_CONTROL_EVE_LOG_H

#include <stddef.h>
#include <stdint.h>

struct eve_log;

struct eve_log_stats {
	uint64_t lines, bytes; /* written */
	uint64_t lost;         /* lines that could not be */
	uint64_t rotations;
	int error; /* errno of the last failure; 0: the last write went well */
};

/* `size` in bytes (0: never rotate), `keep` old logs. 0 or -errno. */
int eve_log_open(const char *path, uint64_t size, unsigned keep, struct eve_log **logp);
void eve_log_close(struct eve_log *log);

/* One line, its newline included. It is written by eve_log_flush(), or when enough have come. */
void eve_log_line(struct eve_log *log, const char *line, size_t len);
void eve_log_flush(struct eve_log *log);

/* The file of that name, which may be another one by now. 0 or -errno: the old one stays open. */
int eve_log_reopen(struct eve_log *log);

struct eve_log_stats eve_log_stats(const struct eve_log *log);

#endif
