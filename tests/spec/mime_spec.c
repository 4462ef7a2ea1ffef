/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the MIME spec documents named: cases of a message and the expected log.
 *
 *   == TITLE          begins a case; what comes before the first is prose
 *   -- crlf | -- lf   begins its message: each line ends in CRLF, or in a bare LF
 *   -- log            begins what is expected, to the next "==" or the end
 *
 * In messages: \r \n \t \0 \\ \xHH; a line that ends in "\" has no line end; "@fill N"
 * on a line of its own stands for N times 'x', without a line end.
 *
 * Each message is fed whole, cut in two at every byte, and byte by byte, and must
 * tell the same each time. Every piece ends at a page that can't be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/spec/mime_log.h"

#define INPUT_MAX  65536
#define WANT_MAX   65536
#define LINE_MAX_  1024
#define EVERY_BYTE 2048 /* longer messages are cut at every 61st byte only */

struct test_case {
	char title[128];
	const char *line_end;
	uint8_t input[INPUT_MAX];
	size_t len;
	char want[WANT_MAX];
	size_t want_len;
};

static uint8_t *guard; /* INPUT_MAX bytes before an unreadable page end here */
static unsigned cases, failures;

static void guard_init(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, INPUT_MAX + page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + INPUT_MAX, page, PROT_NONE)) {
		perror("guard page");
		exit(1);
	}
	guard = p + INPUT_MAX;
}

static void feed(struct mime *m, struct mime_log *log, const uint8_t *data, size_t len)
{
	mime_feed(m, memcpy(guard - len, data, len), len, &mime_log_sink, log);
}

/* Pieces of `piece` bytes after a first one of `first`. */
static void run(const struct test_case *c, size_t first, size_t piece)
{
	struct mime_log log;
	struct mime *m = malloc(sizeof(*m)); /* so that a sanitizer sees its end */
	size_t at = first;

	if (!m)
		abort();
	mime_log_init(&log);
	mime_init(m);
	feed(m, &log, c->input, first);
	while (at < c->len) {
		size_t n = c->len - at < piece ? c->len - at : piece;

		feed(m, &log, c->input + at, n);
		at += n;
	}
	mime_finish(m, &mime_log_sink, &log);
	free(m);
	if (strcmp(log.text, c->want) != 0) {
		printf("%s: cut at %zu, pieces of %zu\n--- expected\n%s--- got\n%s", c->title,
		       first, piece, c->want, log.text);
		failures++;
	}
	mime_log_fini(&log);
}

static void run_all(const struct test_case *c)
{
	size_t step = c->len > EVERY_BYTE ? 61 : 1;
	unsigned before = failures;

	cases++;
	run(c, c->len, 1);
	for (size_t cut = 0; cut < c->len && failures == before; cut += step)
		run(c, cut, c->len);
	if (failures == before)
		run(c, 0, 1);
}

static void put(struct test_case *c, uint8_t byte)
{
	if (c->len == INPUT_MAX) {
		printf("%s: input too long\n", c->title);
		exit(1);
	}
	c->input[c->len++] = byte;
}

/* The escape after a backslash; returns the characters it has. */
static size_t put_escape(struct test_case *c, const char *p)
{
	static const char names[] = "rnt0\\";
	static const char bytes[] = "\r\n\t\0\\";
	const char *name = strchr(names, *p);
	unsigned hex;

	if (*p == 'x' && sscanf(p + 1, "%2x", &hex) == 1) {
		put(c, (uint8_t)hex);
		return 3;
	}
	if (!name) {
		printf("%s: unknown escape \\%c\n", c->title, *p);
		exit(1);
	}
	put(c, (uint8_t)bytes[name - names]);
	return 1;
}

static void input_line(struct test_case *c, const char *line)
{
	unsigned long n;

	if (sscanf(line, "@fill %lu", &n) == 1) {
		while (n--)
			put(c, 'x');
		return;
	}
	while (*line) {
		if (*line != '\\') {
			put(c, (uint8_t)*line++);
		} else if (!line[1]) {
			return;
		} else {
			line++;
			line += put_escape(c, line);
		}
	}
	for (const char *e = c->line_end; *e; e++)
		put(c, (uint8_t)*e);
}

static void want_line(struct test_case *c, const char *line)
{
	size_t n = strlen(line);

	if (!n || c->want_len + n + 2 > WANT_MAX)
		return;
	memcpy(c->want + c->want_len, line, n);
	c->want_len += n;
	memcpy(c->want + c->want_len++, "\n", 2);
}

static void run_document(FILE *f)
{
	static struct test_case c;
	enum { PROSE, TITLE, INPUT, WANT } in = PROSE;
	static char line[LINE_MAX_];

	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "== ", 3) == 0) {
			if (in == WANT)
				run_all(&c);
			c.len = c.want_len = 0;
			c.want[0] = 0;
			snprintf(c.title, sizeof(c.title), "%.120s", line + 3);
			in = TITLE;
		} else if (in == TITLE && strncmp(line, "-- ", 3) == 0) {
			c.line_end = strcmp(line, "-- lf") == 0 ? "\n" : "\r\n";
			in = INPUT;
		} else if (strcmp(line, "-- log") == 0) {
			in = WANT;
		} else if (in == INPUT) {
			input_line(&c, line);
		} else if (in == WANT) {
			want_line(&c, line);
		}
	}
	if (in == WANT)
		run_all(&c);
}

int main(int argc, char **argv)
{
	guard_init();
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		run_document(f);
		fclose(f);
	}
	printf("%u cases, %u failures\n", cases, failures);
	return failures || !cases ? 1 : 0;
}
