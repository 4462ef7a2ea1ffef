/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes back of mail that left: complaints (RFC 5965), delivery reports (RFC 3464), the
 * provider's own mail logs. Readers turn each into items, one for a message and recipient;
 * control/feedback/feedback_match.h says whose they are. docs/feedback.md explains it to people.
 *
 * All of it is written by strangers. Texts in an item are printable UTF-8, cut to their room, and
 * never hold more than one line. Pure; any thread.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_H
#define POSTERN_CONTROL_FEEDBACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/proto/bytes.h"

/* clang-format off */
#define FEEDBACK_SOURCES(X)                                                                        \
	X(ARF, "arf", "a report of a feedback loop")                                               \
	X(FORWARD, "forward", "a mail that somebody forwarded as an attachment")                   \
	X(DSN, "dsn", "a delivery report")                                                         \
	X(LOG, "log", "a line of a mail server's log")

#define FEEDBACK_KINDS(X)                                                                          \
	X(COMPLAINT, "complaint", "abuse, fraud, virus, or a mail that somebody forwarded")        \
	X(NOT_SPAM, "not_spam", "somebody says that it is none: no complaint (RFC 6430)")          \
	X(AUTH_FAILURE, "auth_failure", "an authentication failed: no complaint (RFC 6591)")       \
	X(OPT_OUT, "opt_out", "the recipient wants no more: no complaint, but a wish")             \
	X(OTHER, "other", "of a type that says nothing certain")                                   \
	X(HARD, "hard", "it failed: the recipient does not exist")                                 \
	X(SOFT, "soft", "it failed for another reason")                                            \
	X(DELAYED, "delayed", "it is tried again")                                                 \
	X(DELIVERED, "delivered", "the next server took it")
/* clang-format on */

enum feedback_source {
#define X(id, ...) FEEDBACK_##id,
	FEEDBACK_SOURCES(X)
#undef X
		FEEDBACK_SOURCE_COUNT,
};

enum feedback_kind {
#define X(id, ...) FEEDBACK_##id,
	FEEDBACK_KINDS(X)
#undef X
		FEEDBACK_KIND_COUNT,
};

#define FEEDBACK_ID      252 /* bytes of a Message-ID that count, and its NUL */
#define FEEDBACK_ADDRESS 321 /* list_address(): 320 */
#define FEEDBACK_HOST    128
#define FEEDBACK_IP      46
#define FEEDBACK_WORD    64
#define FEEDBACK_TAG     321
#define FEEDBACK_TEXT    1025 /* as many as the gate keeps of a reply on the wire, and its NUL */

/* Texts are "" where nobody said anything. */
struct feedback_item {
	enum feedback_source source;
	enum feedback_kind kind;
	uint32_t incidents;           /* that a complaint stands for, by its own word; 1 */
	int64_t time;                 /* s since 1970, of a log's line; 0: unknown */
	char message_id[FEEDBACK_ID]; /* feedback_message_id() */
	char from[FEEDBACK_ADDRESS];  /* the envelope's sender */
	char rcpt[FEEDBACK_ADDRESS];  /* the recipient, as far as they tell */
	char address[FEEDBACK_IP];    /* where the mail came from, as they saw it */
	char remote[FEEDBACK_HOST];   /* the server that said so */
	char reporter[FEEDBACK_HOST]; /* who tells it: User-Agent, Reporting-MTA, the log's host */
	char type[FEEDBACK_WORD];     /* Feedback-Type, Action, status= */
	char status[FEEDBACK_WORD];   /* enhanced code */
	char arrived[FEEDBACK_WORD];  /* Arrival-Date, as written */
	char envelope[FEEDBACK_WORD]; /* Original-Envelope-Id */
	char tag[FEEDBACK_TAG]; /* of the mail's fields the first that tells a tenant: "Name: value"
				 */
	char text[FEEDBACK_TEXT]; /* the server's words, without codes of their lines */
	unsigned code;            /* SMTP; 0: none */
};

/* Who wants items; they live for the call. */
struct feedback_sink {
	void (*item)(void *ctx, const struct feedback_item *item);
	void *ctx;
};

const char *feedback_source_name(enum feedback_source source);
const char *feedback_kind_name(enum feedback_kind kind);
/* FEEDBACK_KIND_COUNT, FEEDBACK_SOURCE_COUNT: there is none of that name. */
enum feedback_kind feedback_kind_find(const char *name);
enum feedback_source feedback_source_find(const char *name);

/*
 * A Message-ID as all of us hash it, from a field's value or what a log has of it: what stands
 * between the first angle brackets, or all of it; without blanks, octets beyond ASCII as '?', cut.
 * Returns its length, 0 if nothing is left.
 */
size_t feedback_message_id(struct bytes value, char out[FEEDBACK_ID]);

/* Printable UTF-8 without line ends and with single blanks, cut between characters. */
void feedback_text(struct bytes value, char *out, size_t size);

/* An address without brackets and source route, "rfc822;" and the like before it gone. */
void feedback_address(struct bytes value, char out[FEEDBACK_ADDRESS]);

/* An IP address in its usual form, of "[192.0.2.1]" and "IPv6:2001:db8::1" too; "" if it is none.
 */
void feedback_ip(struct bytes value, char out[FEEDBACK_IP]);

/* The text with "[address]" in the place of what has an @ in it. `out` is no part of `text`. */
void feedback_without_addresses(const char *text, char *out, size_t size);

/* The words of a reply without the codes that begin its lines; *code (may be NULL) is the first. */
void feedback_reply(struct bytes reply, char *out, size_t size, unsigned *code);

/*
 * Of a failure: FEEDBACK_HARD or FEEDBACK_SOFT by AUP-BOUNCE's definition
 * (dataplane/smtp/bounce.h), from the reply's code, the enhanced code as text and the words, as far
 * as they are there.
 */
enum feedback_kind feedback_failure(unsigned code, const char *status, const char *text);

/* The item as an object, "" and 0 left out; and back: 0, or -EINVAL with the name of what is wrong.
 */
json_t *feedback_item_json(const struct feedback_item *item);
int feedback_item_parse(const json_t *object, struct feedback_item *item, const char **wrong);

#endif
