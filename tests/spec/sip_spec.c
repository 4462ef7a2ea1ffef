/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the SIP spec documents named: cases of input and expected log.
 *
 *   == TITLE          begins a case; what comes before the first is prose
 *   -- udp | -- tcp   begins its input: each line with CRLF for its end
 *   -- log            begins what is expected, to the next "==" or the end
 *
 * In input: \r \n \t \0 \\ \xHH; a line that ends in "\" has no line end; "@fill N"
 * on a line of its own stands for N times 'x', without a line end; "@gap N" (tcp)
 * for N bytes that were never seen. In a log, lines that begin with '#' are prose.
 *
 * A datagram is parsed as it is, and each of its beginnings without a crash. A
 * stream is fed whole, cut in two at every byte, and byte by byte, and must say
 * the same each time. Every piece ends at a page that can't be read.
 */
#include "tests/spec/sip_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUT_MAX  65536
#define GAPS_MAX   8
#define EVERY_BYTE 4096 /* longer streams are cut at every 61st byte only */

struct test_case {
	char title[128];
	bool tcp;
	uint8_t input[INPUT_MAX];
	size_t len;
	struct {
		size_t at;
		uint64_t len;
	} gaps[GAPS_MAX];
	unsigned gap_count;
	char want[SIP_LOG_SIZE];
	size_t want_len;
};

static uint8_t *guard; /* INPUT_MAX bytes before an unreadable page end here */
static unsigned cases, failures;

static const uint8_t *guarded(const uint8_t *data, size_t len)
{
	return memcpy(guard - len, data, len);
}

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

static void check(const struct test_case *c, const char *how, size_t at, const char *got)
{
	if (strcmp(got, c->want) == 0)
		return;
	printf("%s: %s %zu\n--- expected\n%s--- got\n%s", c->title, how, at, c->want, got);
	failures++;
}

static void run_udp(const struct test_case *c, struct sip_log *log)
{
	struct sip_message msg;

	sip_log_init(log);
	sip_log_message(log, sip_parse(guarded(c->input, c->len), c->len, &msg), &msg);
	check(c, "datagram", c->len, log->text);
	for (size_t n = 0; n < c->len; n++)
		sip_parse(guarded(c->input, n), n, &msg);
}

/* [from, to) of the input as one segment, or several where a gap is in it. */
static void feed(const struct test_case *c, struct sip_framer *f, struct sip_log *log, size_t from,
		 size_t to)
{
	for (unsigned i = 0; i < c->gap_count; i++) {
		size_t at = c->gaps[i].at;

		if (at < from || at >= to)
			continue;
		sip_frame_feed(f, guarded(c->input + from, at - from), at - from, &log->pool,
			       &sip_log_sink, log);
		sip_frame_gap(f, c->gaps[i].len, &log->pool, &sip_log_sink, log);
		from = at;
	}
	sip_frame_feed(f, guarded(c->input + from, to - from), to - from, &log->pool, &sip_log_sink,
		       log);
}

static void stream_end(struct sip_framer *f, struct sip_log *log)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "end %llu settled %llu keepalives %u\n",
			 (unsigned long long)f->offset, (unsigned long long)sip_frame_settled(f),
			 f->keepalives);

	if (log->len + (size_t)n < sizeof(log->text))
		memcpy(log->text + log->len, line, (size_t)n + 1);
	if (!f->len && log->blocks) {
		printf("an idle framer holds a block\n");
		failures++;
	}
	sip_frame_fini(f, &log->pool);
	if (log->blocks) {
		printf("a block was not given back\n");
		failures++;
	}
}

static void run_tcp(const struct test_case *c, struct sip_log *log)
{
	size_t step = c->len > EVERY_BYTE ? 61 : 1;
	unsigned before = failures;

	for (size_t cut = 0; cut <= c->len && failures == before; cut += step) {
		struct sip_framer f = {0};

		sip_log_init(log);
		feed(c, &f, log, 0, cut);
		feed(c, &f, log, cut, c->len);
		stream_end(&f, log);
		check(c, "cut at", cut, log->text);
	}

	struct sip_framer f = {0};

	sip_log_init(log);
	for (size_t i = 0; i < c->len; i++)
		feed(c, &f, log, i, i + 1);
	stream_end(&f, log);
	check(c, "byte by byte", c->len, log->text);
}

static void run(const struct test_case *c)
{
	static struct sip_log log;

	cases++;
	if (c->tcp)
		run_tcp(c, &log);
	else
		run_udp(c, &log);
}

static void put(struct test_case *c, uint8_t byte)
{
	if (c->len == INPUT_MAX) {
		printf("%s: input too long\n", c->title);
		exit(1);
	}
	c->input[c->len++] = byte;
}

static void input_line(struct test_case *c, const char *line)
{
	unsigned long n;
	unsigned hex;

	if (sscanf(line, "@fill %lu", &n) == 1) {
		while (n--)
			put(c, 'x');
		return;
	}
	if (sscanf(line, "@gap %lu", &n) == 1 && c->gap_count < GAPS_MAX) {
		c->gaps[c->gap_count].at = c->len;
		c->gaps[c->gap_count++].len = n;
		return;
	}
	for (const char *p = line; *p; p++) {
		if (*p != '\\') {
			put(c, (uint8_t)*p);
			continue;
		}
		switch (*++p) {
		case '\0':
			return;
		case 'r':
			put(c, '\r');
			break;
		case 'n':
			put(c, '\n');
			break;
		case 't':
			put(c, '\t');
			break;
		case '0':
			put(c, '\0');
			break;
		case 'x':
			if (sscanf(p + 1, "%2x", &hex) == 1) {
				put(c, (uint8_t)hex);
				p += 2;
			}
			break;
		default:
			put(c, (uint8_t)*p);
		}
	}
	put(c, '\r');
	put(c, '\n');
}

static void want_line(struct test_case *c, const char *line)
{
	int n;

	if (line[0] == '#' || line[0] == '\0')
		return;
	n = snprintf(c->want + c->want_len, sizeof(c->want) - c->want_len, "%s\n", line);
	c->want_len += (size_t)n;
}

static void document_run(const char *path)
{
	static struct test_case c;
	static char line[INPUT_MAX];
	enum { PROSE, TITLED, INPUT, LOG } part = PROSE;
	FILE *file = fopen(path, "r");

	if (!file) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "== ", 3) == 0) {
			if (part == LOG)
				run(&c);
			c.len = c.gap_count = 0;
			c.want_len = 0;
			c.want[0] = '\0';
			snprintf(c.title, sizeof(c.title), "%.127s", line + 3);
			part = TITLED;
		} else if (part == TITLED && strncmp(line, "-- ", 3) == 0) {
			c.tcp = strcmp(line + 3, "tcp") == 0;
			part = INPUT;
		} else if (part == INPUT && strcmp(line, "-- log") == 0) {
			part = LOG;
		} else if (part == INPUT) {
			input_line(&c, line);
		} else if (part == LOG) {
			want_line(&c, line);
		}
	}
	if (part == LOG)
		run(&c);
	fclose(file);
}

int main(int argc, char **argv)
{
	guard_init();
	for (int i = 1; i < argc; i++)
		document_run(argv[i]);
	printf("%u cases, %u failures\n", cases, failures);
	return failures || !cases;
}
