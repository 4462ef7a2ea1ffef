/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mails and calls to measure rules over, as the parsers would hand them to the matcher. Words are
 * as frequent as in prose: few of them are most of the text. What is scanned several times (a
 * Subject is a header too) is so here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "control/rules/rules_cost.h"
#include "dataplane/match/match_tape.h"

#define MAILS     96
#define CALLS     128
#define BODY_SIZE 3000 /* bytes of text in a mail, about */
#define FILE_SIZE 6000 /* of an attachment, which every sixth mail has */
#define PIECE     1100 /* that a body comes in */

static const char *const common[] = {
	"the",  "and", "to",   "of",   "in",   "for",   "is",    "on",   "that", "with",
	"you",  "we",  "this", "your", "are",  "be",    "it",    "as",   "at",   "from",
	"have", "or",  "will", "our",  "can",  "by",    "if",    "not",  "all",  "please",
	"has",  "any", "was",  "but",  "they", "there", "which", "been", "more", "would",
};

static const char *const rarer[] = {
	"account",   "invoice",  "meeting",    "attached",    "regards",   "deliver",    "project",
	"customer",  "service",  "payment",    "question",    "available", "tomorrow",   "schedule",
	"document",  "contract", "office",     "telephone",   "address",   "department", "weekend",
	"purchase",  "quarter",  "update",     "security",    "password",  "review",     "team",
	"shipment",  "number",   "conference", "reservation", "thank",     "sincerely",  "monthly",
	"statement", "balance",  "register",   "confirm",     "receive",   "software",   "training",
	"company",   "manager",  "holiday",    "problem",     "solution",  "website",    "change",
	"price",     "offer",    "discount",   "limited",     "subscribe", "newsletter", "event",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct sample {
	struct match_tape *tape;
	uint64_t seed;
	char text[16384];
	size_t len;
	char txn; /* its address stands for one */
};

static uint32_t rnd(struct sample *s, size_t n)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return (uint32_t)((s->seed >> 11) % n);
}

static const char *word(struct sample *s)
{
	return rnd(s, 100) < 55 ? common[rnd(s, 1 + rnd(s, COUNT(common)))]
				: rarer[rnd(s, COUNT(rarer))];
}

/* Words into s->text, in lines or in one. */
static void prose(struct sample *s, size_t size, bool lines)
{
	size_t line = 0;

	for (s->len = 0; s->len < size;) {
		int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%s%s", word(s),
				 rnd(s, 12) ? "" : ".");

		s->len += (size_t)n;
		line += (size_t)n + 1;
		if (lines && line > 68) {
			memcpy(s->text + s->len, "\r\n", 2);
			s->len += 2;
			line = 0;
		} else {
			s->text[s->len++] = ' ';
		}
	}
}

static void block(struct sample *s, enum rule_buffer buffer, const char *text)
{
	match_tape_block(s->tape, &s->txn, buffer, text, strlen(text));
}

/* A header: in the buffer of its own, if it has one, and among all. It counts once. */
static void header(struct sample *s, enum rule_buffer own, enum rule_buffer all, const char *name,
		   const char *value)
{
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s: %s", name, value);

	if (own != RULE_BUFFER_COUNT)
		block(s, own, value);
	match_tape_block(s->tape, &s->txn, all, line, (size_t)n);
	s->tape->traffic += (size_t)n + 2;
}

static void command(struct sample *s, enum rule_buffer buffer, const char *argument)
{
	block(s, buffer, argument);
	s->tape->traffic += strlen(argument) + 14;
}

static void reply(struct sample *s, const char *code, const char *text)
{
	block(s, RULE_BUFFER_SMTP_REPLY_CODE, code);
	block(s, RULE_BUFFER_SMTP_REPLY_TEXT, text);
	s->tape->traffic += strlen(code) + strlen(text) + 3;
}

static void body(struct sample *s, enum rule_buffer buffer)
{
	match_tape_open(s->tape, &s->txn, buffer);
	for (size_t at = 0; at < s->len; at += PIECE)
		match_tape_feed(s->tape, &s->txn, buffer, s->text + at,
				s->len - at < PIECE ? s->len - at : PIECE);
	match_tape_close(s->tape, &s->txn, buffer);
	s->tape->traffic += buffer == RULE_BUFFER_FILE_DATA ? s->len * 4 / 3 : s->len;
}

#define MAIL_HEADER(own, name, ...)                                                   \
	do {                                                                          \
		char value_[512];                                                     \
		snprintf(value_, sizeof(value_), __VA_ARGS__);                        \
		header(s, RULE_BUFFER_##own, RULE_BUFFER_EMAIL_HEADER, name, value_); \
	} while (0)

static void mail_headers(struct sample *s, unsigned i)
{
	char subject[96];

	prose(s, 20 + rnd(s, 40), false);
	snprintf(subject, sizeof(subject), "%.*s", (int)s->len - 1, s->text);
	MAIL_HEADER(EMAIL_RECEIVED, "Received",
		    "from desk%u.example.com (desk%u.example.com [192.0.2.%u]) by mail.example.com "
		    "with ESMTPSA id %08x; Mon, 2 Mar 2026 10:%02u:00 +0000",
		    i, i, i % 250, i * 2654435761u, i % 60);
	MAIL_HEADER(EMAIL_FROM, "From", "\"%s %s\" <%s@example.com>", word(s), word(s), word(s));
	MAIL_HEADER(EMAIL_TO, "To", "<%s.%s@example.net>", word(s), word(s));
	MAIL_HEADER(EMAIL_SUBJECT, "Subject", "%s", subject);
	MAIL_HEADER(EMAIL_DATE, "Date", "Mon, 2 Mar 2026 10:%02u:00 +0000", i % 60);
	MAIL_HEADER(EMAIL_MESSAGE_ID, "Message-ID", "<%08x.%u@example.com>", i * 2654435761u, i);
	MAIL_HEADER(COUNT, "MIME-Version", "1.0");
	MAIL_HEADER(COUNT, "Content-Type", "text/plain; charset=utf-8");
	MAIL_HEADER(EMAIL_X_MAILER, "X-Mailer", "Desk Mail %u.%u", 1 + i % 9, i % 30);
}

static void mail(struct sample *s, unsigned i)
{
	struct match_flow flow = {.family = 4,
				  .transport = IPPROTO_TCP,
				  .tenants = MATCH_TENANTS_CLIENT,
				  .client_port = 40000,
				  .server_port = 25,
				  .client = {192, 0, 2, 10},
				  .server = {198, 51, 100, 25}};
	char text[128];

	match_tape_begin(s->tape, &s->txn, &flow, NULL);
	command(s, RULE_BUFFER_SMTP_HELO, "mail.example.com");
	snprintf(text, sizeof(text), "%s@example.com", word(s));
	command(s, RULE_BUFFER_SMTP_MAIL_FROM, text);
	reply(s, "250", "2.1.0 Ok");
	snprintf(text, sizeof(text), "%s.%s@example.net", word(s), word(s));
	command(s, RULE_BUFFER_SMTP_RCPT_TO, text);
	reply(s, "250", "2.1.5 Ok");
	mail_headers(s, i);
	prose(s, BODY_SIZE / 2 + rnd(s, BODY_SIZE), true);
	body(s, RULE_BUFFER_EMAIL_BODY);
	snprintf(text, sizeof(text), "https://www.example.com/%s/%s?id=%u", word(s), word(s), i);
	block(s, RULE_BUFFER_EMAIL_URL, text);
	if (i % 6 == 0) {
		snprintf(text, sizeof(text), "%s.pdf", word(s));
		block(s, RULE_BUFFER_FILE_NAME, text);
		for (s->len = 0; s->len < FILE_SIZE; s->len++)
			s->text[s->len] = (char)rnd(s, 256);
		body(s, RULE_BUFFER_FILE_DATA);
	}
	reply(s, "250", "2.0.0 Ok: queued as 4F6A21C0");
	match_tape_end(s->tape, &s->txn);
}

#define SIP_HEADER(own, name, ...)                                                  \
	do {                                                                        \
		char value_[512];                                                   \
		snprintf(value_, sizeof(value_), __VA_ARGS__);                      \
		header(s, RULE_BUFFER_##own, RULE_BUFFER_SIP_HEADER, name, value_); \
	} while (0)

static void sip_headers(struct sample *s, unsigned i)
{
	SIP_HEADER(COUNT, "Via", "SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK%08x;rport",
		   i * 2654435761u);
	SIP_HEADER(SIP_FROM, "From", "\"%s\" <sip:+1555%07u@example.com>;tag=%x", word(s),
		   i * 7919 % 10000000, i);
	SIP_HEADER(SIP_TO, "To", "<sip:+1555%07u@example.net>", i * 104729 % 10000000);
	SIP_HEADER(SIP_CALL_ID, "Call-ID", "%08x%08x@192.0.2.20", i * 2246822519u, i);
	SIP_HEADER(COUNT, "CSeq", "%u INVITE", i % 100 + 1);
	SIP_HEADER(SIP_CONTACT, "Contact", "<sip:192.0.2.20:5060>");
	SIP_HEADER(SIP_USER_AGENT, "User-Agent", "Desk Phone %u.%u", 1 + i % 5, i % 20);
	SIP_HEADER(COUNT, "Max-Forwards", "70");
	SIP_HEADER(COUNT, "Content-Type", "application/sdp");
}

static void sip_message(struct sample *s, unsigned i, bool response)
{
	struct match_flow flow = {.family = 4,
				  .transport = IPPROTO_UDP,
				  .direction = response ? TO_CLIENT : TO_SERVER,
				  .tenants = MATCH_TENANTS_CLIENT,
				  .client_port = 5060,
				  .server_port = 5060,
				  .client = {192, 0, 2, 20},
				  .server = {198, 51, 100, 60}};
	char uri[64], line[128];

	match_tape_begin(s->tape, &s->txn, &flow, NULL);
	if (response) {
		block(s, RULE_BUFFER_SIP_STAT_CODE, "200");
		block(s, RULE_BUFFER_SIP_STAT_MSG, "OK");
		command(s, RULE_BUFFER_SIP_RESPONSE_LINE, "SIP/2.0 200 OK");
	} else {
		snprintf(uri, sizeof(uri), "sip:+1555%07u@example.net", i * 104729 % 10000000);
		snprintf(line, sizeof(line), "INVITE %s SIP/2.0", uri);
		block(s, RULE_BUFFER_SIP_METHOD, "INVITE");
		block(s, RULE_BUFFER_SIP_URI, uri);
		command(s, RULE_BUFFER_SIP_REQUEST_LINE, line);
	}
	sip_headers(s, i);
	s->len = (size_t)snprintf(s->text, sizeof(s->text),
				  "v=0\r\no=- %u %u IN IP4 192.0.2.20\r\ns=-\r\n"
				  "c=IN IP4 192.0.2.20\r\nt=0 0\r\nm=audio %u RTP/AVP 0 8 101\r\n"
				  "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
				  "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
				  i, i, 10000 + i);
	body(s, RULE_BUFFER_SIP_BODY);
	match_tape_end(s->tape, &s->txn);
}

int rules_cost_sample(struct match_tape *tape)
{
	struct sample s = {.tape = tape, .seed = 42};

	*tape = (struct match_tape){0};
	for (unsigned i = 0; i < MAILS; i++)
		mail(&s, i);
	for (unsigned i = 0; i < CALLS; i++) {
		sip_message(&s, i, false);
		sip_message(&s, i, true);
	}
	if (!tape->failed)
		return 0;
	match_tape_fini(tape);
	return -ENOMEM;
}
