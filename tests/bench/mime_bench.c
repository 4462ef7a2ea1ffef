/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What reading a mail costs: megabytes of input a second and microseconds of
 * CPU time a mail, as the median of rounds, fed in segments of 1448 bytes to a sink that
 * only counts; then the same bytes through memchr for line ends (the ceiling of
 * whatever looks at lines), and the URL scanner over decoded HTML.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/proto/mime.h"
#include "dataplane/proto/url.h"

#define MAIL_MAX (1 << 20)
#define SEGMENT  1448
#define ROUNDS   21
#define VOLUME   (32 << 20) /* bytes a round */

struct mail {
	const char *name;
	uint8_t *data;
	size_t len;
};

static size_t counted;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void put(struct mail *mail, const char *s)
{
	size_t n = strlen(s);

	if (mail->len + n > MAIL_MAX)
		abort();
	memcpy(mail->data + mail->len, s, n);
	mail->len += n;
}

static void put_lines(struct mail *mail, const char *line, unsigned n)
{
	while (n--)
		put(mail, line);
}

static void put_headers(struct mail *mail)
{
	put(mail, "Received: from client.example.com (client.example.com [192.0.2.7])\r\n"
		  "\tby mx.example.org (Postfix) with ESMTPS id 4F2C11A0031\r\n"
		  "\tfor <user@example.org>; Mon, 23 Nov 2026 22:00:00 +0000 (UTC)\r\n"
		  "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1;\r\n"
		  "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; h=from:to:subject:date;\r\n"
		  "\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzRVbxPtq\r\n"
		  "Message-ID: <20261123220000.1234@client.example.com>\r\n"
		  "Date: Mon, 23 Nov 2026 22:00:00 +0000\r\n"
		  "From: \"Some One\" <someone@example.com>\r\n"
		  "To: User <user@example.org>\r\n"
		  "Subject: =?UTF-8?Q?Caf=C3=A9_opening_hours?=\r\n"
		  "MIME-Version: 1.0\r\n"
		  "X-Mailer: Mailer 1.0\r\n");
}

static void put_parts(struct mail *mail, unsigned text, unsigned html)
{
	put(mail, "Content-Type: multipart/alternative; boundary=\"=_alt_52c9f\"\r\n\r\n"
		  "--=_alt_52c9f\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: 8bit\r\n\r\n");
	put_lines(mail,
		  "An ordinary line of an ordinary letter, about seventy characters long.\r\n",
		  text);
	put(mail, "--=_alt_52c9f\r\n"
		  "Content-Type: text/html; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	put_lines(mail,
		  "<td class=3D\"c\" style=3D\"color:#333\"><a href=3D\"http://www.example.com=\r\n"
		  "/a?b=3D1\">caf=C3=A9</a> and some more text in the cell of a table</td>=\r\n",
		  html);
	put(mail, "\r\n--=_alt_52c9f--\r\n");
}

static void make_plain(struct mail *mail)
{
	put_headers(mail);
	put(mail, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	put_lines(mail,
		  "An ordinary line of an ordinary letter, about seventy characters long.\r\n", 28);
}

static void make_newsletter(struct mail *mail)
{
	put_headers(mail);
	put_parts(mail, 60, 150);
}

static void make_attachment(struct mail *mail)
{
	put_headers(mail);
	put(mail,
	    "Content-Type: multipart/mixed; boundary=\"=_mixed_81b\"\r\n\r\n--=_mixed_81b\r\n");
	put_parts(mail, 30, 40);
	put(mail, "--=_mixed_81b\r\n"
		  "Content-Type: application/pdf; name=\"report.pdf\"\r\n"
		  "Content-Disposition: attachment; filename=\"report.pdf\"\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n");
	put_lines(
		mail,
		"JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n",
		2000);
	put(mail, "--=_mixed_81b--\r\n");
}

static void on_header(void *ctx, const struct mime_header *h)
{
	counted += h->value.len;
}

static void on_data(void *ctx, uint16_t part, enum mime_data kind, struct bytes data)
{
	counted += data.len;
}

static void parse(const struct mail *mail)
{
	static const struct mime_sink sink = {.header = on_header, .data = on_data};
	static struct mime m;

	mime_init(&m);
	for (size_t at = 0; at < mail->len; at += SEGMENT)
		mime_feed(&m, mail->data + at, mail->len - at < SEGMENT ? mail->len - at : SEGMENT,
			  &sink, NULL);
	mime_finish(&m, &sink, NULL);
}

static void find_lines(const struct mail *mail)
{
	const uint8_t *p = mail->data;
	const uint8_t *end = p + mail->len;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		counted++;
		p++;
	}
}

static void on_url(void *ctx, struct bytes url, bool cut)
{
	counted += url.len;
}

static void find_urls(const struct mail *mail)
{
	static struct url_scan u;

	url_init(&u);
	for (size_t at = 0; at < mail->len; at += MIME_OUT)
		url_feed(&u,
			 bytes_of(mail->data + at,
				  mail->len - at < MIME_OUT ? mail->len - at : MIME_OUT),
			 on_url, NULL);
	url_finish(&u, on_url, NULL);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *what, const struct mail *mail, void (*run)(const struct mail *))
{
	size_t times = VOLUME / mail->len + 1;
	double rounds[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		double start = now_s();

		for (size_t i = 0; i < times; i++)
			run(mail);
		rounds[r] = (now_s() - start) / (double)times;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	printf("%-8s %-12s %7zu bytes %8.2f us %8.0f MB/s (%.0f to %.0f)\n", what, mail->name,
	       mail->len, rounds[ROUNDS / 2] * 1e6, (double)mail->len / rounds[ROUNDS / 2] / 1e6,
	       (double)mail->len / rounds[ROUNDS - 1] / 1e6, (double)mail->len / rounds[0] / 1e6);
}

int main(void)
{
	struct mail mails[] = {{.name = "plain"},
			       {.name = "newsletter"},
			       {.name = "attachment"},
			       {.name = "html"}};
	void (*const make[])(struct mail *) = {make_plain, make_newsletter, make_attachment};

	for (size_t i = 0; i < 4; i++) {
		mails[i].data = malloc(MAIL_MAX);
		if (!mails[i].data)
			return 1;
		if (i < 3)
			make[i](&mails[i]);
	}
	put_lines(&mails[3],
		  "<td class=\"c\" style=\"color:#333\"><a href=\"http://www.example.com/a?b=1\">"
		  "cafe</a> and some more text. In the cell of a table.</td>\n",
		  150);
	for (size_t i = 0; i < 3; i++) {
		measure("mime", &mails[i], parse);
		measure("lines", &mails[i], find_lines);
	}
	measure("urls", &mails[3], find_urls);
	for (size_t i = 0; i < 4; i++)
		free(mails[i].data);
	return counted ? 0 : 1;
}
