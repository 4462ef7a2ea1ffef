/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_line.h"

#include <stdio.h>
#include <time.h>

#define DAY 86400

static struct bytes from(struct bytes s, size_t n)
{
	return bytes_of(s.p + n, s.len - n);
}

/* The next word off *s, without the blanks behind it. */
static struct bytes word(struct bytes *s)
{
	struct bytes w = {s->p, 0};

	while (w.len < s->len && s->p[w.len] != ' ')
		w.len++;
	*s = from(*s, w.len);
	while (s->len && s->p[0] == ' ')
		*s = from(*s, 1);
	return w;
}

/* `n` digits at s.p + at, or -1. */
static int digits(struct bytes s, size_t at, size_t n)
{
	int value = 0;

	if (at + n > s.len)
		return -1;
	for (size_t i = at; i < at + n; i++) {
		if (!ascii_isdigit(s.p[i]))
			return -1;
		value = value * 10 + s.p[i] - '0';
	}
	return value;
}

/* "HH:MM:SS" with anything behind it. */
static bool clock_read(struct bytes s, struct tm *tm)
{
	tm->tm_hour = digits(s, 0, 2);
	tm->tm_min = digits(s, 3, 2);
	tm->tm_sec = digits(s, 6, 2);
	return s.len >= 8 && s.p[2] == ':' && s.p[5] == ':' && tm->tm_hour >= 0 &&
	       tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 &&
	       tm->tm_sec <= 60;
}

/* RFC 3339 5.6, with ISO 8601's +0000 too: the offset in seconds. */
static bool offset_read(struct bytes zone, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (zone.len == 1 && (zone.p[0] | 0x20) == 'z')
		return true;
	if (zone.len < 5 || (zone.p[0] != '+' && zone.p[0] != '-'))
		return false;
	hours = digits(zone, 1, 2);
	minutes = digits(zone, zone.len - 2, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || zone.len > 6)
		return false;
	*seconds = (hours * 60 + minutes) * 60 * (zone.p[0] == '-' ? -1 : 1);
	return true;
}

/* "2026-11-26T02:34:13.123456+01:00" */
static bool stamp_read(struct bytes w, int64_t *time)
{
	struct tm tm = {0};
	size_t end = 19;
	int offset;

	tm.tm_year = digits(w, 0, 4) - 1900;
	tm.tm_mon = digits(w, 5, 2) - 1;
	tm.tm_mday = digits(w, 8, 2);
	if (w.len < 20 || w.p[4] != '-' || w.p[7] != '-' || w.p[10] != 'T' || tm.tm_year < 70 ||
	    tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    !clock_read(from(w, 11), &tm))
		return false;
	if (w.p[end] == '.' || w.p[end] == ',')
		for (end++; end < w.len && ascii_isdigit(w.p[end]);)
			end++;
	if (!offset_read(from(w, end), &offset))
		return false;
	*time = timegm(&tm) - offset;
	return true;
}

static int month_of(struct bytes w)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; w.len == 3 && i < 12; i++)
		if (memcmp(w.p, names + 3 * i, 3) == 0)
			return i;
	return -1;
}

/* RFC 3164 4.1.2: local time, without a year. */
static bool syslog_read(struct bytes *line, int64_t now, int64_t *time)
{
	const time_t today = (time_t)now;
	struct bytes rest = *line, day;
	struct tm tm = {.tm_isdst = -1}, is;

	tm.tm_mon = month_of(word(&rest));
	day = word(&rest);
	tm.tm_mday = day.len <= 2 ? digits(day, 0, day.len) : -1;
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || !clock_read(word(&rest), &tm) ||
	    !localtime_r(&today, &is))
		return false;
	tm.tm_year = is.tm_year;
	*time = mktime(&(struct tm){tm.tm_sec, tm.tm_min, tm.tm_hour, tm.tm_mday, tm.tm_mon,
				    tm.tm_year, .tm_isdst = -1});
	if (*time > now + DAY) {
		tm.tm_year--;
		*time = mktime(&tm);
	}
	*line = rest;
	return true;
}

/* "<22>1 " (RFC 5424 6.2) or "<22>" (RFC 3164 4.1.1). *version: it is the former's. */
static void priority_skip(struct bytes *line, bool *version)
{
	size_t n = 1;

	*version = false;
	if (!line->len || line->p[0] != '<')
		return;
	while (n < line->len && n < 4 && ascii_isdigit(line->p[n]))
		n++;
	if (n == 1 || n >= line->len || line->p[n] != '>')
		return;
	*line = from(*line, n + 1);
	*version = line->len > 2 && line->p[0] == '1' && line->p[1] == ' ';
	if (*version)
		*line = from(*line, 2);
}

/* Structured data (RFC 5424 6.3): "-" or "[…]…", in which \] is no end. */
static void data_skip(struct bytes *s)
{
	bool quoted = false;
	size_t n = 0;

	if (!s->len || s->p[0] != '[') {
		word(s);
		return;
	}
	while (n < s->len && (quoted || s->p[n] != ' ' || s->p[n - 1] != ']')) {
		if (s->p[n] == '\\' && n + 1 < s->len)
			n++;
		else if (s->p[n] == '"')
			quoted = !quoted;
		n++;
	}
	*s = from(*s, n);
	word(s);
}

/* "postfix-out/submission/smtpd[123]:" */
static bool tag_read(struct bytes tag, struct feedback_line *out)
{
	const uint8_t *slash = bytes_chr(tag, '/'), *bracket = bytes_chr(tag, '[');
	struct bytes program;

	if (bracket)
		tag.len = (size_t)(bracket - tag.p);
	else if (tag.len && tag.p[tag.len - 1] == ':')
		tag.len--;
	if (!slash || slash >= tag.p + tag.len || !bytes_case_starts(tag, BYTES("postfix")))
		return false;
	out->instance = bytes_of(tag.p, (size_t)(slash - tag.p));
	program = tag;
	for (const uint8_t *p; (p = bytes_chr(program, '/'));)
		program = from(program, (size_t)(p - program.p) + 1);
	out->program = program;
	return program.len > 0;
}

/* Short ones are capital hexadecimal digits, long ones have no vowels (postconf(5)). */
static bool is_queue_id(struct bytes id)
{
	static const char long_ones[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
	bool hex = true, any = true;

	for (size_t i = 0; i < id.len; i++) {
		hex = hex && (ascii_isdigit(id.p[i]) || (id.p[i] >= 'A' && id.p[i] <= 'F'));
		any = any && id.p[i] && strchr(long_ones, id.p[i]);
	}
	return id.len >= 5 && id.len <= 20 && (hex || any);
}

bool feedback_line_read(struct bytes line, int64_t now, struct feedback_line *out, bool *postfix)
{
	struct bytes stamp, tag;
	const uint8_t *colon;
	bool version;

	*out = (struct feedback_line){0};
	*postfix = false;
	line = bytes_trim(line);
	priority_skip(&line, &version);
	if (!syslog_read(&line, now, &out->time)) {
		stamp = word(&line);
		if (!stamp_read(stamp, &out->time))
			return false;
	}
	out->host = word(&line);
	tag = word(&line);
	if (version) {
		word(&line); /* PROCID */
		word(&line); /* MSGID */
		data_skip(&line);
		if (line.len >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
			line = from(line, 3);
	}
	*postfix = tag_read(tag, out);
	colon = bytes_chr(line, ':');
	if (!*postfix || !colon || (size_t)(colon - line.p) + 1 >= line.len || colon[1] != ' ')
		return false;
	out->queue = bytes_of(line.p, (size_t)(colon - line.p));
	out->rest = from(line, out->queue.len + 2);
	return is_queue_id(out->queue);
}

/* Behind its opening bracket; quoted local parts may hold one. */
static size_t bracket_len(struct bytes s)
{
	bool quoted = false;
	size_t n = 1;

	for (; n < s.len; n++) {
		if (s.p[n] == '\\' && quoted)
			n++;
		else if (s.p[n] == '"')
			quoted = !quoted;
		else if (s.p[n] == '>' && !quoted)
			return n + 1;
	}
	/* Quotes that never close are text. */
	for (n = 1; n < s.len; n++)
		if (s.p[n] == '>')
			return n + 1;
	return s.len;
}

bool feedback_line_pair(struct bytes *rest, struct bytes *name, struct bytes *value)
{
	const uint8_t *equals = bytes_chr(*rest, '=');
	size_t n;

	if (!equals || equals == rest->p)
		return false;
	*name = bytes_of(rest->p, (size_t)(equals - rest->p));
	*rest = from(*rest, name->len + 1);
	n = rest->len && rest->p[0] == '<' ? bracket_len(*rest) : 0;
	while (n < rest->len && !(rest->p[n] == ',' && n + 1 < rest->len && rest->p[n + 1] == ' '))
		n++;
	*value = bytes_of(rest->p, n);
	*rest = from(*rest, n + 2 < rest->len ? n + 2 : rest->len);
	return bytes_chr(*name, ' ') == NULL;
}
