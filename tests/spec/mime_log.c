/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/spec/mime_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define VALUE_SHOWN 256

static void reserve(struct mime_log *log, size_t n)
{
	if (log->cap - log->len > n)
		return;
	log->cap = (log->len + n + 1) * 2;
	log->text = realloc(log->text, log->cap);
	if (!log->text)
		abort();
}

static void put_text(struct mime_log *log, const char *s)
{
	size_t n = strlen(s);

	reserve(log, n);
	memcpy(log->text + log->len, s, n + 1);
	log->len += n;
}

static void put_char(struct mime_log *log, char c)
{
	reserve(log, 1);
	log->text[log->len++] = c;
	log->text[log->len] = 0;
}

static void put_format(struct mime_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put_format(struct mime_log *log, const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	put_text(log, line);
}

static void put_escaped(struct mime_log *log, struct bytes s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.p[i];

		if (c == '\n')
			put_text(log, "\\n");
		else if (c == '\r')
			put_text(log, "\\r");
		else if (c == '\t')
			put_text(log, "\\t");
		else if (c == '\\')
			put_text(log, "\\\\");
		else if (c < ' ' || c == 0x7f)
			put_format(log, "\\x%02x", c);
		else
			put_char(log, (char)c);
	}
}

/* A header's text; of a long one the start, its length and a checksum (FNV-1a). */
static void put_value(struct mime_log *log, struct bytes s)
{
	uint32_t sum = 2166136261u;

	if (s.len <= VALUE_SHOWN) {
		put_escaped(log, s);
		return;
	}
	for (size_t i = 0; i < s.len; i++)
		sum = (sum ^ s.p[i]) * 16777619u;
	put_escaped(log, bytes_of(s.p, 16));
	put_format(log, "... (%zu bytes, %08x)", s.len, sum);
}

static void data_close(struct mime_log *log)
{
	if (log->part >= 0)
		put_text(log, "\"\n");
	log->part = -1;
}

static void on_header(void *ctx, const struct mime_header *h)
{
	struct mime_log *log = ctx;

	data_close(log);
	put_format(log, "header %u%s ", h->part, h->id ? "" : " (other)");
	put_value(log, h->name);
	put_text(log, ": ");
	put_value(log, h->value);
	if (!bytes_eq(h->raw, h->value)) {
		put_text(log, " <- ");
		put_value(log, h->raw);
	}
	put_text(log, h->cut ? " [cut]\n" : h->value_cut ? " [value cut]\n" : "\n");
}

static void on_headers_end(void *ctx, uint16_t part, size_t size)
{
	data_close(ctx);
	put_format(ctx, "headers_end %u size %zu\n", part, size);
}

static void put_member(struct mime_log *log, const char *name, struct bytes value)
{
	if (!value.len)
		return;
	put_format(log, " %s ", name);
	put_escaped(log, value);
}

static void on_part_begin(void *ctx, const struct mime_part *p)
{
	static const char *const kinds[] = {"leaf", "multipart", "message"};
	static const char *const encodings[] = {"",
						" 7bit",
						" 8bit",
						" binary",
						" quoted-printable",
						" base64",
						" unknown-encoding"};
	static const char *const dispositions[] = {"", " inline", " attachment"};
	struct mime_log *log = ctx;

	data_close(log);
	put_format(log, "part %u depth %u %s ", p->index, p->depth, kinds[p->kind]);
	put_escaped(log, p->type);
	put_text(log, encodings[p->encoding]);
	put_text(log, dispositions[p->disposition]);
	put_text(log, p->is_text ? " text" : "");
	put_text(log, p->stray ? " stray" : "");
	put_member(log, "charset", p->charset);
	put_member(log, "file", p->filename);
	put_text(log, "\n");
}

static void on_data(void *ctx, uint16_t part, enum mime_data kind, struct bytes data)
{
	static const char *const kinds[] = {"text", "file", "preamble", "outside"};
	struct mime_log *log = ctx;

	if (log->part != part || log->kind != (int)kind) {
		data_close(log);
		put_format(log, "%s %u \"", kinds[kind], part);
		log->part = part;
		log->kind = kind;
	}
	put_escaped(log, data);
}

static void on_part_end(void *ctx, uint16_t part)
{
	data_close(ctx);
	put_format(ctx, "end %u\n", part);
}

static void on_limit(void *ctx, uint16_t part, enum mime_limit limit)
{
	static const char *const limits[] = {"header", "depth", "boundary", "parts"};

	data_close(ctx);
	put_format(ctx, "limit %u %s\n", part, limits[limit]);
}

const struct mime_sink mime_log_sink = {
	.header = on_header,
	.headers_end = on_headers_end,
	.part_begin = on_part_begin,
	.data = on_data,
	.part_end = on_part_end,
	.limit = on_limit,
};

void mime_log_init(struct mime_log *log)
{
	*log = (struct mime_log){.part = -1};
}

void mime_log_fini(struct mime_log *log)
{
	free(log->text);
}

void mime_log_run(struct mime_log *log, const uint8_t *data, size_t len, size_t first, size_t piece)
{
	struct mime *m = malloc(sizeof(*m)); /* so that a sanitizer sees its end */
	size_t at = first < len ? first : len;

	if (!m)
		abort();
	mime_init(m);
	mime_feed(m, data, at, &mime_log_sink, log);
	while (at < len) {
		size_t n = len - at < piece ? len - at : piece;

		mime_feed(m, data + at, n, &mime_log_sink, log);
		at += n;
	}
	mime_finish(m, &mime_log_sink, log);
	free(m);
}
