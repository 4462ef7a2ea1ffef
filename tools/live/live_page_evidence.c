/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence: which there is, and one of it as a report that other mail people read (RFC 5965). */
#include <sys/random.h>
#include <time.h>

#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

void live_page_evidence(struct page_out *out, const json_t *result)
{
	char text[32];
	json_t *one;
	size_t i;

	page_heading(out, "EVIDENCE");
	json_array_foreach(at(result, "evidence"), i, one)
	{
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count_at(one, "id"));
		page_cell(out, INK_BOLD, 7, text);
		page_cell(out, INK_DIM, 25, live_when(text, (uint64_t)number_at(one, "time")));
		page_cell(out, INK_PLAIN, 18,
			  *text_at(one, "tenant") ? text_at(one, "tenant") : "(gone)");
		page_cell(out, INK_RED, 18, text_at(one, "reason"));
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)count_at(one, "signature_id"));
		page_cell(out, INK_PLAIN, 10, count_at(one, "signature_id") ? text : "");
		page_rest(out, INK_PLAIN, text_at(one, "from"));
		page_newline(out);
	}
	if (!json_array_size(at(result, "evidence")))
		page_none(out);
}

static void put_date(FILE *out, const char *name, time_t time)
{
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&time, &tm));
	fprintf(out, "%s: %s\n", name, text);
}

static void put_words(FILE *out, const json_t *one)
{
	const char *tenant = text_at(one, "tenant");

	fprintf(out,
		"This mail of %s was refused before its end, and reached nobody.\n"
		"Its sender was told: %s\nReason: %s",
		*tenant ? tenant : "a tenant that has gone", text_at(one, "reply"),
		text_at(one, "reason"));
	if (count_at(one, "signature_id"))
		fprintf(out, " %llu", (unsigned long long)count_at(one, "signature_id"));
	fputc('\n', out);
}

static void put_report(FILE *out, const json_t *one)
{
	fprintf(out,
		"Feedback-Type: other\nUser-Agent: Postern\nVersion: 1\n"
		"Original-Mail-From: <%s>\nSource-IP: %s\n",
		text_at(one, "from"), text_at(one, "source"));
	put_date(out, "Arrival-Date", (time_t)number_at(one, "time"));
}

static void put_header(FILE *out, const json_t *one)
{
	for (const char *p = text_at(one, "header"); *p; p++)
		if (*p != '\r')
			fputc(*p, out);
	if (is_at(one, "cut"))
		fputs("\nX-Postern-Cut: there was more of this header\n", out);
}

/* Bytes of a character that shows nothing, or moves what is around it: controls, and UTF-8's. */
static size_t hidden_at(const unsigned char *p)
{
	if (p[0] < ' ' || p[0] == 0x7f)
		return p[0] != '\n' && p[0] != '\t' && p[0] != '\r';
	if (p[0] == 0xc2) /* U+0080 to U+009F */
		return p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
	if (p[0] !=
	    0xe2) /* directions, and what has no width: U+200B to U+202E, U+2060 to U+206F */
		return 0;
	return (p[1] == 0x80 &&
		((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
			       (p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf)
		       ? 3
		       : 0;
}

static void put_body(FILE *out, const json_t *one)
{
	const json_t *body = at(one, "body");

	fprintf(out, "Around what the rule found in %s, behind its first %llu bytes, redacted:\n\n",
		text_at(body, "buffer"), (unsigned long long)count_at(body, "at"));
	for (const char *p = text_at(body, "text"); *p;) {
		size_t hidden = hidden_at((const unsigned char *)p);

		if (!hidden && *p != '\r')
			fputc(*p, out);
		p += !hidden;
		for (; hidden; hidden--)
			fprintf(out, "\\x%02x", (unsigned char)*p++);
	}
	fputc('\n', out);
}

void live_page_evidence_report(struct page_out *page, const json_t *result)
{
	static const struct {
		const char *type;
		void (*put)(FILE *out, const json_t *one);
		const char *only_with; /* member; NULL: always there */
	} parts[] = {
		{"text/plain; charset=us-ascii", put_words, NULL},
		{"message/feedback-report", put_report, NULL},
		{"text/rfc822-headers", put_header, NULL},
		{"text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n"
		 "Content-Description: what was found in the body, redacted",
		 put_body, "body"},
	};
	FILE *out = page->file;
	uint64_t random = 0;

	/* The header is the tenant's: it can't know the line that ends a part. */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = (uint64_t)time(NULL);
	put_date(out, "Date", time(NULL));
	fprintf(out,
		"Subject: A mail that was refused: %s\nMIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=feedback-report;\n"
		" boundary=\"=_%016llx\"\n",
		text_at(result, "reason"), (unsigned long long)random);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].only_with && !at(result, parts[i].only_with))
			continue;
		fprintf(out, "\n--=_%016llx\nContent-Type: %s\n\n", (unsigned long long)random,
			parts[i].type);
		parts[i].put(out, result);
	}
	fprintf(out, "\n--=_%016llx--\n", (unsigned long long)random);
}
