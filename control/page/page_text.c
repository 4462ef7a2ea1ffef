/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/page/page_text.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/base/utf8.h"

/* Three significant digits and a prefix: 1.23 k, 45.6 M, 789 G. */
const char *short_amount(char *buf, double n, const char *unit)
{
	static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
	size_t prefix = 0;

	while (n >= 999.5 && prefix + 1 < sizeof(prefixes) / sizeof(prefixes[0])) {
		n /= 1000;
		prefix++;
	}
	snprintf(buf, SHORT_SIZE, "%.*f %s%s",
		 n < 9.995   ? 2
		 : n < 99.95 ? 1
			     : 0,
		 n, prefixes[prefix], unit);
	return buf;
}

const char *short_count(char *buf, uint64_t n)
{
	if (n >= 100000)
		return short_amount(buf, (double)n, "");
	if (n >= 1000)
		snprintf(buf, SHORT_SIZE, "%u,%03u", (unsigned)n / 1000, (unsigned)n % 1000);
	else
		snprintf(buf, SHORT_SIZE, "%u", (unsigned)n);
	return buf;
}

const char *short_ratio(char *buf, uint64_t part, uint64_t of)
{
	if (of)
		snprintf(buf, SHORT_SIZE, "%.1f %%", 100.0 * (double)part / (double)of);
	else
		snprintf(buf, SHORT_SIZE, "-");
	return buf;
}

const char *short_duration(char *buf, double seconds)
{
	const uint64_t s = (uint64_t)(seconds + 0.5);

	if (seconds > 0 && seconds < 0.9995)
		snprintf(buf, SHORT_SIZE, "%.3g ms", 1000 * seconds);
	else if (seconds < 59.5)
		snprintf(buf, SHORT_SIZE, "%.3g s", seconds);
	else if (s < 3600)
		snprintf(buf, SHORT_SIZE, "%u m %u s", (unsigned)(s / 60), (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(buf, SHORT_SIZE, "%u h %u m", (unsigned)(s / 3600),
			 (unsigned)(s / 60 % 60));
	else
		snprintf(buf, SHORT_SIZE, "%u d %u h", (unsigned)(s / 86400),
			 (unsigned)(s / 3600 % 24));
	return buf;
}

const char *short_clock(char *buf, uint64_t ns)
{
	const time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	strftime(buf, SHORT_SIZE, "%H:%M:%S", gmtime_r(&seconds, &tm));
	return buf;
}

bool page_colour(FILE *file)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(file)) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static void ink_begin(const struct page_out *out, enum ink ink)
{
	static const char *const codes[] = {
		[INK_BOLD] = "1", [INK_DIM] = "2", [INK_RED] = "31", [INK_YELLOW] = "33"};

	if (out->colour && ink != INK_PLAIN)
		fprintf(out->file, "\033[%sm", codes[ink]);
}

static void ink_end(const struct page_out *out, enum ink ink)
{
	if (out->colour && ink != INK_PLAIN)
		fputs("\033[0m", out->file);
}

/* C0, DEL and C1. */
static bool is_control(const uint8_t *p, size_t len)
{
	return (len == 1 && (p[0] < 0x20 || p[0] == 0x7f)) ||
	       (len == 2 && p[0] == 0xc2 && p[1] < 0xa0);
}

static unsigned characters(const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	const size_t len = strlen(text);
	unsigned count = 0;

	for (size_t i = 0, n; i < len; i += n ? n : 1, count++)
		n = utf8_len(p + i, len - i);
	return count;
}

/* At most max characters, the last of them a ~ if some were cut. */
static void text_write(struct page_out *out, const char *text, unsigned max)
{
	const uint8_t *p = (const uint8_t *)text;
	const size_t len = strlen(text);
	const unsigned whole = characters(text);
	const unsigned shown = whole <= max ? whole : max ? max - 1 : 0;
	size_t at = 0;

	for (unsigned i = 0; i < shown; i++) {
		const size_t n = utf8_len(p + at, len - at);

		if (n == 0 || is_control(p + at, n))
			fputc('?', out->file);
		else
			fwrite(p + at, 1, n, out->file);
		at += n ? n : 1;
	}
	if (shown < whole && max)
		fputc('~', out->file);
	out->column += whole <= max ? whole : max;
}

static void blanks(struct page_out *out, unsigned count)
{
	fprintf(out->file, "%*s", (int)count, "");
	out->column += count;
}

void page_cell(struct page_out *out, enum ink ink, int width, const char *text)
{
	const unsigned room = (unsigned)abs(width);
	const unsigned length = characters(text);
	const unsigned padding = length < room ? room - length : 0;

	if (width < 0)
		blanks(out, padding);
	ink_begin(out, ink);
	text_write(out, text, room);
	ink_end(out, ink);
	if (width > 0)
		blanks(out, padding);
}

void page_rest(struct page_out *out, enum ink ink, const char *text)
{
	ink_begin(out, ink);
	text_write(out, text, out->column < PAGE_COLUMNS ? PAGE_COLUMNS - out->column : 0);
	ink_end(out, ink);
}

void page_path(struct page_out *out, enum ink ink, const char *text)
{
	const unsigned room = out->column < PAGE_COLUMNS ? PAGE_COLUMNS - out->column : 0;
	unsigned length = characters(text);
	const bool cut = length > room;

	for (; *text && length + cut > room; length--)
		text += utf8_len((const uint8_t *)text, strlen(text)) ?: 1;
	ink_begin(out, ink);
	if (cut && room)
		text_write(out, "~", 1);
	text_write(out, text, room);
	ink_end(out, ink);
}

void page_whole(struct page_out *out, enum ink ink, const char *text)
{
	ink_begin(out, ink);
	text_write(out, text, UINT_MAX);
	ink_end(out, ink);
}

void page_none(struct page_out *out)
{
	page_rest(out, INK_DIM, "none");
	page_newline(out);
}

void page_item(struct page_out *out, const char *format, ...)
{
	char text[4 * PAGE_COLUMNS];
	unsigned length;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	length = characters(text);
	if (out->listed) {
		fputc(',', out->file);
		out->column++;
		if (out->column + 1 + length + 1 >
		    PAGE_COLUMNS) { /* with the comma that may follow */
			const unsigned indent = out->indent;

			page_newline(out);
			blanks(out, indent);
		} else {
			blanks(out, 1);
		}
	}
	page_rest(out, INK_PLAIN, text);
	out->listed = true;
}

void page_newline(struct page_out *out)
{
	fputc('\n', out->file);
	out->column = 0;
	out->listed = false;
}

void page_heading(struct page_out *out, const char *text)
{
	page_newline(out);
	page_rest(out, INK_BOLD, text);
	page_newline(out);
}
