/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Notices: words on their way to people and programs outside, by webhook (HTTP POST of JSON) or
 * mail (SMTP to a relay). They are in the store until they have arrived or are given up; a failure
 * is tried again, later and later. libcurl does the talking, on the event loop.
 *
 * The event loop's thread. Times are ns since 1970.
 */
#ifndef POSTERN_CONTROL_NOTICE_H
#define POSTERN_CONTROL_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "control/store/store.h"

struct event_base;
struct notices;

enum notice_channel { NOTICE_WEBHOOK, NOTICE_MAIL };

struct notice {
	uint64_t id;
	uint64_t about; /* a case's number; 0: of none */
	enum notice_channel channel;
	const char *target;  /* the URL; the address */
	const char *subject; /* of a mail, one line of ASCII; "" */
	const char *text;    /* JSON; the mail's text */
	bool tenant;         /* it is for the tenant: with it the case's clock begins */
};

struct notice_outcome {
	bool sent;
	bool over; /* not sent, and not tried again */
	unsigned attempts;
	uint64_t next;   /* when it is tried again */
	char error[256]; /* "" */
};

struct notice_config {
	const char *relay, *from;    /* "smtp://mail.example:25"; "" and NULL: no mail */
	const char *secret;          /* that signs webhooks; NULL, "": none */
	uint64_t first, most, until; /* ns: the first pause, the longest; when it is given up */
	const char *version;
};

/* `done`: after each attempt; for the attempt's notice, which lives for the call. */
int notices_open(struct event_base *base, struct store *store, const struct notice_config *config,
		 void (*done)(void *ctx, const struct notice *notice,
			      const struct notice_outcome *outcome),
		 void *ctx, struct notices **noticesp);
/* What is on its way stays in the store, and is sent again. NULL is fine. */
void notices_close(struct notices *notices);

/*
 * It is stored with `unit`, and sent by the next turn. id is given to it. 0; -ENOBUFS: too many
 * wait; -ENOMEM.
 */
#define NOTICES_MAX 4096
int notice_add(struct notices *notices, struct store_unit *unit, const struct notice *notice,
	       uint64_t now);

/* Begins what is due. Often enough: once a second. */
void notices_turn(struct notices *notices, uint64_t now);

struct notice_counts {
	uint64_t sent, failed, refused; /* arrived; attempts that failed; given up, or no room */
	uint64_t waiting;
};
struct notice_counts notices_counts(const struct notices *notices);

extern const struct store_part notice_part;

/* How long after attempt number `attempts` (1: the first) the next one is: ns. Pure. */
uint64_t notice_pause(const struct notice_config *config, unsigned attempts);

/* Whether an answer is an end, not to be tried again: an SMTP 5yz, an HTTP 4xx but 408 and 429. */
bool notice_is_final(enum notice_channel channel, long code);

#endif
