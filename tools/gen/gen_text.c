/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* By how often they are drawn. */
static const char *const words[] = {
	"the",         "to",         "and",       "of",         "a",           "in",
	"for",         "is",         "we",        "you",        "on",          "that",
	"with",        "be",         "this",      "it",         "our",         "your",
	"are",         "will",       "as",        "have",       "from",        "at",
	"by",          "please",     "can",       "or",         "not",         "was",
	"has",         "an",         "if",        "all",        "they",        "their",
	"which",       "there",      "would",     "about",      "more",        "been",
	"when",        "one",        "time",      "also",       "any",         "out",
	"may",         "new",        "week",      "team",       "meeting",     "report",
	"order",       "project",    "office",    "customer",   "number",      "update",
	"month",       "service",    "today",     "review",     "questions",   "attached",
	"document",    "delivery",   "account",   "price",      "request",     "change",
	"plan",        "call",       "details",   "contract",   "morning",     "invoice",
	"next",        "schedule",   "draft",     "budget",     "system",      "quarter",
	"sales",       "market",     "product",   "support",    "data",        "network",
	"release",     "training",   "travel",    "issue",      "email",       "address",
	"department",  "manager",    "version",   "testing",    "results",     "process",
	"information", "regards",    "between",   "before",     "after",       "during",
	"because",     "however",    "several",   "important",  "available",   "possible",
	"different",   "general",    "current",   "following",  "confirm",     "received",
	"discuss",     "prepare",    "complete",  "provide",    "consider",    "include",
	"require",     "believe",    "suggest",   "continue",   "improve",     "develop",
	"maintain",    "warehouse",  "shipment",  "supplier",   "quantity",    "discount",
	"payment",     "balance",    "deadline",  "agenda",     "minutes",     "proposal",
	"feedback",    "colleague",  "workshop",  "conference", "translation", "engineering",
	"maintenance", "inspection", "equipment", "insurance",  "reservation", "appointment",
	"newsletter",  "statistics", "estimate",  "forecast",   "inventory",   "catalogue",
	"warranty",    "signature",  "procedure", "regulation", "laboratory",  "harbour",
	"railway",     "bridge",     "garden",    "kitchen",    "library",     "museum",
	"orchestra",   "telescope",  "umbrella",  "vineyard",   "windmill",    "xylophone",
	"yesterday",   "zeppelin",
};

static const char *const first_names[] = {
	"Anna",   "Ben",   "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hugo",
	"Ingrid", "Jonas", "Kiran", "Lucia",  "Marek", "Nadia", "Oscar", "Priya",
};

static const char *const last_names[] = {
	"Almeida", "Berg",    "Castillo", "Dubois", "Eriksen", "Fischer", "Grant",  "Hoffman",
	"Ivanov",  "Johnson", "Kowalski", "Larsen", "Moreau",  "Novak",   "Okafor", "Patel",
};

const char *const text_spam_phrases[TEXT_SPAM_PHRASES] = {
	"You have won a prize",  "Cheap replica watches", "Work from home and earn",
	"Limited time offer!!!", "Miracle weight loss",   "Claim your free voucher",
};

enum { COUNT = sizeof(words) / sizeof(words[0]), COLUMNS = 72 };

const char *text_word(struct gen_random *random)
{
	/* A draw below a draw below a draw: low ranks, with a long tail. */
	uint32_t rank = random_below(random, COUNT);

	rank = random_below(random, rank + 1);
	return words[random_below(random, rank + 1)];
}

const char *text_first_name(struct gen_random *random)
{
	return first_names[random_below(random, 16)];
}

const char *text_last_name(struct gen_random *random)
{
	return last_names[random_below(random, 16)];
}

/* One sentence; *column goes on from the line before it, and lines are broken at COLUMNS. */
static void put_sentence(struct gen_buffer *out, struct gen_random *random, size_t *column)
{
	uint32_t count = 5 + random_below(random, 12);

	for (uint32_t i = 0; i < count; i++) {
		const char *word = text_word(random);
		size_t len = strlen(word), at;

		if (*column + len > COLUMNS) {
			buffer_puts(out, "\r\n");
			*column = 0;
		} else if (*column) {
			buffer_puts(out, " ");
			*column += 1;
		}
		at = out->len;
		buffer_put(out, word, len);
		if (i == 0)
			out->bytes[at] = (uint8_t)toupper(word[0]);
		*column += len;
	}
	buffer_puts(out, ".");
	*column += 1;
}

void text_paragraphs(struct gen_buffer *out, struct gen_random *random, size_t len)
{
	size_t end = out->len + len, column = 0;

	while (out->len < end) {
		put_sentence(out, random, &column);
		if (random_below(random, 6) == 0 || out->len >= end) {
			buffer_puts(out, out->len < end ? "\r\n\r\n" : "\r\n");
			column = 0;
		}
	}
}

void text_html(struct gen_buffer *out, struct gen_random *random, size_t len)
{
	size_t end = out->len + len;

	buffer_puts(out, "<html><body>\r\n");
	while (out->len < end) {
		buffer_puts(out, "<p style=\"margin: 0.4em\">\r\n");
		text_paragraphs(out, random, 200);
		buffer_printf(out, "<a href=\"https://www.example.org/%s/%u\">%s</a></p>\r\n",
			      text_word(random), random_below(random, 10000), text_word(random));
	}
	buffer_puts(out, "</body></html>\r\n");
}

void text_base64(struct gen_buffer *out, struct gen_random *random, size_t len, const char *magic)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	enum { LINE = 57 }; /* 76 columns (RFC 2045 6.8) */
	uint8_t raw[LINE];
	size_t at = 0;

	while (at < len) {
		size_t step = len - at < LINE ? len - at : LINE;

		random_fill(random, raw, LINE);
		for (size_t i = 0; at == 0 && magic[i] && i < step; i++)
			raw[i] = (uint8_t)magic[i];
		memset(raw + step, 0, LINE - step);
		for (size_t i = 0; i < step; i += 3) {
			uint32_t group = (uint32_t)(raw[i] << 16 | raw[i + 1] << 8 | raw[i + 2]);
			uint8_t *p = buffer_extend(out, 4);

			p[0] = (uint8_t)alphabet[group >> 18];
			p[1] = (uint8_t)alphabet[group >> 12 & 63];
			p[2] = (uint8_t)(i + 1 < step ? alphabet[group >> 6 & 63] : '=');
			p[3] = (uint8_t)(i + 2 < step ? alphabet[group & 63] : '=');
		}
		buffer_puts(out, "\r\n");
		at += step;
	}
}

void text_subject(struct gen_random *random, int spam, char *out, size_t size)
{
	uint32_t number = random_below(random, 100000);
	const char *a = text_word(random), *b = text_word(random), *c = text_word(random);

	if (spam)
		snprintf(out, size, "%s %s %u",
			 text_spam_phrases[random_below(random, TEXT_SPAM_PHRASES)], a, number);
	else
		snprintf(out, size, "%c%s %s %s %u", toupper((unsigned char)a[0]), a + 1, b, c,
			 number);
}
