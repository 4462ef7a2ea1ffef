/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the samples named: a report (NAME.eml) or a log (NAME.log), and the items that come of it
 * (NAME.want: what it is, then an item a line, as JSON). The option --write writes what comes
 * instead, for whoever reads the difference.
 *
 * Each report is fed whole, cut in two at every byte, and byte by byte; with line ends as they are,
 * and with CRLF. It must tell the same each time. Every piece is memory of its own size, so that a
 * sanitizer sees a byte read beyond.
 */
#include <stdio.h>
#include <stdlib.h>

#include "control/feedback/feedback_log.h"
#include "control/feedback/feedback_mail.h"

#define NOW        1795660000 /* s since 1970: 2026-11-25T22:26:40Z */
#define EVERY_BYTE 1200       /* longer reports are cut at every 17th byte only */

struct text {
	char *p;
	size_t len;
};

static unsigned failures;

static struct text file_read(const char *path)
{
	struct text t = {NULL, 0};
	FILE *f = fopen(path, "rb");
	int c;

	while (f && (c = getc(f)) != EOF) {
		if (t.len % 4096 == 0)
			t.p = realloc(t.p, t.len + 4097);
		if (!t.p)
			abort();
		t.p[t.len++] = (char)c;
		t.p[t.len] = '\0';
	}
	if (f)
		fclose(f);
	return t;
}

static void on_item(void *ctx, const struct feedback_item *item)
{
	json_t *object = feedback_item_json(item), *back;
	struct feedback_item again;
	const char *wrong;
	char *line = json_dumps(object, JSON_COMPACT);

	if (!line || feedback_item_parse(object, &again, &wrong) != 0)
		abort();
	back = feedback_item_json(&again);
	if (!json_equal(object, back))
		abort(); /* what posternd reads is not what was written */
	json_decref(back);
	fprintf(ctx, "%s\n", line);
	free(line);
	json_decref(object);
}

static void feed(struct feedback_mail *m, const char *p, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	if (!exact)
		abort();
	memcpy(exact, p, len);
	feedback_mail_feed(m, bytes_of(exact, len));
	free(exact);
}

/* Pieces of `piece` bytes after a first one of `first`. */
static char *run_mail(struct text in, size_t first, size_t piece)
{
	static const char *const kinds[] = {"nothing", "arf", "forward", "dsn"};
	struct feedback_mail *m = malloc(sizeof(*m));
	enum feedback_mail_kind kind;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct feedback_sink sink = {on_item, out};

	if (!m || !out)
		abort();
	memset(m, 0x5a, sizeof(*m));
	feedback_mail_init(m);
	feed(m, in.p, first);
	for (size_t at = first, n; at < in.len; at += n) {
		n = in.len - at < piece ? in.len - at : piece;
		feed(m, in.p + at, n);
	}
	kind = feedback_mail_finish(m);
	feedback_mail_tell(m, &sink);
	fprintf(out, "%s, %u left out\n", kinds[kind], m->left_out);
	fclose(out);
	free(m);
	return text;
}

static char *run_log(struct text in)
{
	struct feedback_log *log = feedback_log_new(NOW);
	struct feedback_log_stats s;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct feedback_sink sink = {on_item, out};

	if (!log || !out)
		abort();
	for (const char *p = in.p; p < in.p + in.len;) {
		const char *end = memchr(p, '\n', (size_t)(in.p + in.len - p));
		const size_t len = end ? (size_t)(end - p) : (size_t)(in.p + in.len - p);
		uint8_t *exact = malloc(len ? len : 1);

		if (!exact)
			abort();
		memcpy(exact, p, len);
		feedback_log_line(log, bytes_of(exact, len), &sink);
		free(exact);
		p += len + 1;
	}
	s = feedback_log_stats(log);
	fprintf(out, "%lu lines, %lu deliveries, %lu inner, %lu own, %lu foreign\n", s.lines,
		s.deliveries, s.inner, s.own, s.foreign);
	fclose(out);
	feedback_log_free(log);
	return text;
}

static void expect(const char *name, const char *how, const char *want, char *got)
{
	if (strcmp(want, got) != 0) {
		printf("%s: %s\n--- expected\n%s--- got\n%s", name, how, want, got);
		failures++;
	}
	free(got);
}

static struct text with_crlf(struct text in)
{
	struct text out = {malloc(2 * in.len + 1), 0};

	if (!out.p)
		abort();
	for (size_t i = 0; i < in.len; i++) {
		if (in.p[i] == '\n' && (!i || in.p[i - 1] != '\r'))
			out.p[out.len++] = '\r';
		out.p[out.len++] = in.p[i];
	}
	return out;
}

static void check_mail(const char *name, struct text in, const char *want)
{
	const size_t step = in.len > EVERY_BYTE ? 17 : 1;
	struct text crlf = with_crlf(in);
	const unsigned before = failures;

	expect(name, "whole", want, run_mail(in, in.len, 1));
	for (size_t cut = 0; cut < in.len && failures == before; cut += step)
		expect(name, "cut in two", want, run_mail(in, cut, in.len));
	expect(name, "byte by byte", want, run_mail(in, 0, 1));
	expect(name, "with CRLF", want, run_mail(crlf, crlf.len, 1));
	/* Whatever is missing at its end: it comes back. */
	for (size_t len = 0; len < in.len; len += step)
		free(run_mail((struct text){in.p, len}, len, 1));
	free(crlf.p);
}

static void check_log(const char *name, struct text in, const char *want)
{
	expect(name, "whole", want, run_log(in));
	for (size_t len = 0; len < in.len; len += 7)
		free(run_log((struct text){in.p, len}));
}

static void check(const char *path, bool write)
{
	const char *dot = strrchr(path, '.');
	const bool is_log = strcmp(dot, ".log") == 0;
	struct text in = file_read(path), want;
	char name[512];
	char *got;
	FILE *f;

	snprintf(name, sizeof(name), "%.*s.want", (int)(dot - path), path);
	if (!in.p) {
		printf("%s: nothing to read\n", path);
		failures++;
		return;
	}
	if (write) {
		got = is_log ? run_log(in) : run_mail(in, in.len, 1);
		f = fopen(name, "w");
		if (!f)
			abort();
		fputs(got, f);
		fclose(f);
		free(got);
	}
	want = file_read(name);
	if (is_log)
		check_log(path, in, want.p ? want.p : "");
	else
		check_mail(path, in, want.p ? want.p : "");
	free(in.p);
	free(want.p);
}

int main(int argc, char **argv)
{
	const bool write = argc > 1 && strcmp(argv[1], "--write") == 0;

	setenv("TZ", "UTC", 1);
	for (int i = 1 + write; i < argc; i++)
		check(argv[i], write);
	printf("%d samples, %u failures\n", argc - 1 - write, failures);
	return failures || argc < 2;
}
