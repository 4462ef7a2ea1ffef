/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What posternd says of itself, on standard error, a line each:
 *
 *   time=2026-11-25T20:25:05.958Z level=error msg="the dataplane died" pid=812 status="signal 9"
 *
 * Lines of one message are limited: LOG_BURST at once, one more every second; the next line that
 * is written says how many were not. One thread; may block on standard error.
 */
#ifndef POSTERN_CONTROL_LOG_H
#define POSTERN_CONTROL_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_LEVELS };

#define LOG_BURST 20

/* Before the first line. Under systemd's journal (JOURNAL_STREAM) lines get their priority. */
void log_init(FILE *out, enum log_level most);

/*
 * `message` is a literal: lines are told apart by it. `fields` is a printf format of "key=value"
 * pairs, or "".
 */
void log_write(enum log_level level, const char *message, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)

/* A value in quotes, whatever is in it, cut to LOG_TEXT; good until the eighth call after it. */
#define LOG_TEXT 512
const char *log_text(const char *text);

/* Lines written and lines kept back since the start, by level. */
uint64_t log_lines(enum log_level level);
uint64_t log_suppressed(void);
const char *log_level_name(enum log_level level);

/* For tests: the clock, ns. */
extern uint64_t (*log_now)(void);

#endif
