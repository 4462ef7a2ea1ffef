/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpf/gcra.h"

#define NS_PER_S      UINT64_C(1000000000)
#define MESSAGES      128 /* told apart at a time; a power of two */
#define LINE_MAX_SIZE 4096

struct message {
	const char *text;
	gcra_word bucket;
	uint64_t suppressed;
};

static struct {
	FILE *out;
	enum log_level most;
	bool journal;
	struct message messages[MESSAGES];
	uint64_t lines[LOG_LEVELS], suppressed;
} state = {.most = LOG_INFO};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char level_priorities[] = {'3', '4', '6', '7'}; /* syslog(3)'s */

static uint64_t monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t (*log_now)(void) = monotonic;

void log_init(FILE *out, enum log_level most)
{
	state.out = out;
	state.most = most;
	state.journal = getenv("JOURNAL_STREAM") != NULL;
}

/* Two messages in one place share it: the second one takes it over. */
static struct message *message_of(const char *text)
{
	uintptr_t hash = (uintptr_t)text * UINT64_C(0x9e3779b97f4a7c15);
	struct message *m = &state.messages[hash >> 48 & (MESSAGES - 1)];

	if (m->text != text)
		*m = (struct message){.text = text};
	return m;
}

static bool may_write(struct message *message)
{
	static const struct gcra limit = {.interval = NS_PER_S,
					  .tolerance = (LOG_BURST - 1) * NS_PER_S};

	if (gcra_take(&message->bucket, &limit, log_now(), 1))
		return true;
	message->suppressed++;
	state.suppressed++;
	return false;
}

/* The journal has a time of its own, and wants a priority. */
static void put_time(FILE *out, enum log_level level)
{
	struct timespec ts;
	char text[32];
	struct tm tm;

	if (state.journal) {
		fprintf(out, "<%c>", level_priorities[level]);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "time=%s.%03ldZ ", text, ts.tv_nsec / 1000000);
}

void log_write(enum log_level level, const char *message, const char *fields, ...)
{
	FILE *out = state.out ? state.out : stderr;
	struct message *m = message_of(message);
	char text[LINE_MAX_SIZE];
	va_list args;

	if (level > state.most || !may_write(m))
		return;
	va_start(args, fields);
	vsnprintf(text, sizeof(text), fields, args);
	va_end(args);
	put_time(out, level);
	fprintf(out, "level=%s msg=\"%s\"%s%s", level_names[level], message, *text ? " " : "",
		text);
	if (m->suppressed)
		fprintf(out, " suppressed=%llu", (unsigned long long)m->suppressed);
	m->suppressed = 0;
	fputc('\n', out);
	fflush(out);
	state.lines[level]++;
}

const char *log_text(const char *text)
{
	static char buffers[8][LOG_TEXT];
	static unsigned next;
	char *buffer = buffers[next++ % 8], *p = buffer;

	*p++ = '"';
	for (; *text && p < buffer + LOG_TEXT - 6; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			*p++ = '\\';
			*p++ = (char)c;
		} else if (c < ' ' || c == 0x7f) {
			p += snprintf(p, 5, "\\x%02x", c);
		} else {
			*p++ = (char)c;
		}
	}
	*p++ = '"';
	*p = '\0';
	return buffer;
}

uint64_t log_lines(enum log_level level)
{
	return state.lines[level];
}

uint64_t log_suppressed(void)
{
	return state.suppressed;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}
