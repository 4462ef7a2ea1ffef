/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_message.h"

#include "tools/gen/gen_text.h"

#include <string.h>
#include <time.h>

static const struct {
	const char *suffix, *type, *magic;
} kinds[] = {
	{"pdf", "application/pdf", "%PDF-1.4\n"},
	{"png", "image/png", "\x89PNG\r\n\x1a\n"},
	{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	 "PK\x03\x04"},
	{"csv", "text/csv", "date;item;amount\r\n"},
};

static void put_date(struct gen_buffer *out, uint64_t ns)
{
	/* strftime's names follow the locale; RFC 5322's don't. */
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	buffer_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
		      tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		      tm.tm_sec);
}

/* One field, folded after each mailbox. */
static void put_recipients(struct gen_buffer *out, const struct gen_message *message)
{
	for (uint32_t i = 0; i < message->to_count; i++)
		buffer_printf(out, "%s<%s>%s\r\n", i ? "\t" : "To: ", message->to[i],
			      i + 1 < message->to_count ? "," : "");
}

static void put_headers(struct gen_buffer *out, struct gen_random *random,
			const struct gen_message *message)
{
	static const char *const mailers[] = {"Postern Gen 1.0", "Example Mail 12.3",
					      "Newsletter Engine 4"};
	char subject[128];

	buffer_printf(out, "From: %s %s <%s>\r\n", text_first_name(random), text_last_name(random),
		      message->from);
	put_recipients(out, message);
	text_subject(random, message->spam, subject, sizeof(subject));
	buffer_printf(out, "Subject: %s\r\n", subject);
	put_date(out, message->date_ns);
	buffer_printf(out, "Message-ID: <%016llx.%u@%s>\r\n",
		      (unsigned long long)random_next(random), random_below(random, 1000000),
		      message->domain);
	buffer_printf(out, "X-Mailer: %s\r\nMIME-Version: 1.0\r\n",
		      mailers[random_below(random, 3)]);
}

/* The text, or the text and its HTML as alternatives. */
static void put_body(struct gen_buffer *out, struct gen_random *random,
		     const struct gen_message *message, size_t size, uint64_t mark)
{
	unsigned long long boundary = (unsigned long long)mark;

	if (!message->html) {
		buffer_puts(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
		text_paragraphs(out, random, size);
		return;
	}
	buffer_printf(out, "Content-Type: multipart/alternative;\r\n\tboundary=\"=_alt_%llx\"\r\n",
		      boundary);
	buffer_printf(out, "\r\n--=_alt_%llx\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
		      boundary);
	text_paragraphs(out, random, size / 3);
	buffer_printf(out, "\r\n--=_alt_%llx\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
		      boundary);
	text_html(out, random, size - size / 3);
	buffer_printf(out, "\r\n--=_alt_%llx--\r\n", boundary);
}

static void put_attachment(struct gen_buffer *out, struct gen_random *random, size_t size)
{
	uint32_t kind = random_below(random, sizeof(kinds) / sizeof(kinds[0]));
	uint32_t number = random_below(random, 10000);
	const char *name = text_word(random);

	buffer_printf(out, "Content-Type: %s;\r\n\tname=\"%s-%u.%s\"\r\n", kinds[kind].type, name,
		      number, kinds[kind].suffix);
	buffer_printf(out,
		      "Content-Transfer-Encoding: base64\r\n"
		      "Content-Disposition: attachment; filename=\"%s-%u.%s\"\r\n\r\n",
		      name, number, kinds[kind].suffix);
	/* 78 bytes on the wire carry 57. */
	text_base64(out, random, 1 + size * 57 / 78, kinds[kind].magic);
}

void message_build(struct gen_buffer *out, struct gen_random *random,
		   const struct gen_message *message)
{
	size_t start = out->len, headers, body;
	unsigned long long boundary = (unsigned long long)random_next(random);

	put_headers(out, random, message);
	headers = out->len - start;
	body = message->size > headers + 64 ? message->size - headers : 64;
	if (!message->attachment) {
		put_body(out, random, message, body, boundary ^ 1);
		return;
	}
	buffer_printf(out, "Content-Type: multipart/mixed; boundary=\"=_mix_%llx\"\r\n\r\n",
		      boundary);
	buffer_printf(out, "--=_mix_%llx\r\n", boundary);
	put_body(out, random, message, body / 4, boundary ^ 1);
	buffer_printf(out, "\r\n--=_mix_%llx\r\n", boundary);
	put_attachment(out, random, body - body / 4);
	buffer_printf(out, "\r\n--=_mix_%llx--\r\n", boundary);
}

void message_stuff(struct gen_buffer *out, const struct gen_buffer *message)
{
	const uint8_t *p = message->bytes, *end = p + message->len;

	while (p < end) {
		const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
		const uint8_t *next = newline ? newline + 1 : end;

		if (*p == '.')
			buffer_puts(out, ".");
		buffer_put(out, p, (size_t)(next - p));
		p = next;
	}
	buffer_puts(out, ".\r\n");
}
