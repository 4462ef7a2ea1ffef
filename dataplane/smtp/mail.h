/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One mail in flight: its envelope, its content as the MIME parser and the
 * rules see it, what was found in it. A block of the worker's pool, from MAIL to the
 * reply after the data; idle sessions hold none.
 */
#ifndef POSTERN_MAIL_H
#define POSTERN_MAIL_H

#include <nettle/md5.h>
#include <nettle/sha2.h>

#include "dataplane/inspect.h"
#include "dataplane/match/body_digest.h"
#include "dataplane/policy/header_facts.h"
#include "dataplane/proto/mime.h"
#include "dataplane/proto/url.h"

#define MAIL_ADDRESS    320  /* bytes: RFC 5321 4.5.3.1: 64 + 1 + 255 */
#define MAIL_RCPTS      2048 /* bytes of recipients kept for the event */
#define MAIL_RECORD     8192 /* bytes of the `email` event */
#define MAIL_RECORD_END 128  /* of them, kept for what is known at the message's end */
#define MAIL_FIELD      1024 /* bytes of each header in it */
#define MAIL_ASKED      128  /* recipients whose answers are theirs */
#define MAIL_HEADER     8192 /* bytes of the header kept as evidence */

/* What has come of the line of the header that we are in, where somebody wants to know. */
enum mail_line { LINE_EMPTY, LINE_TEXT, BEHIND_HEADER };

struct mail {
	struct mail *next;       /* waiting for its reply */
	struct matcher *matcher; /* the rules that it began with and ends with; NULL: none */
	struct match_txn txn;
	struct finding finding;
	bool begun;      /* body bytes came */
	bool refused;    /* its end was withheld */
	bool incomplete; /* some of it never came by */
	bool stream_open;
	uint8_t stream;  /* enum rule_buffer */
	bool data_asked; /* DATA or BDAT came */
	uint32_t rcpts, rcpts_refused;
	uint32_t number; /* smtp_session.mails, with it */
	uint32_t asked;  /* RCPTs that went on to the server */
	struct body_digest body;
	uint64_t size;
	uint16_t from_len, rcpt_len, parts;
	char from[MAIL_ADDRESS];
	char rcpt[MAIL_RCPTS];           /* each with a NUL behind it */
	uint64_t asked_hash[MAIL_ASKED]; /* of them, smtp_recipient.hash */
	struct header_facts facts;
	bool limited; /* the MIME parser met a bound */
	struct event_builder email;
	uint8_t record[MAIL_RECORD] __attribute__((aligned(8)));
	struct sha256_ctx digest, part_digest; /* worker_options.digests */
	struct md5_ctx body_md5;               /* where a rule asks for it */
	uint8_t line;                          /* enum mail_line: of its header */
	bool head_cut;
	uint16_t head_len;
	struct url_scan urls;
	struct mime mime;
	char head[MAIL_HEADER]; /* dataplane/evidence.h */
};

/* NULL: the tenant's share, or the pool, is used up. `session`: what the session's rules hold. */
struct mail *mail_new(struct worker *w, struct flow *f, struct bytes from,
		      const struct match_txn *session);
void mail_free(struct worker *w, struct flow *f, struct mail *mail);

void mail_rcpt(struct mail *mail, struct bytes address);

/* The body, without dot-stuffing. Rules' findings gather in mail->finding. */
void mail_body(struct worker *w, struct mail *mail, struct bytes span);
/* Body bytes are missing here. */
void mail_gap(struct mail *mail);
/* The end was seen: everything that waited for it is decided, the `email` event goes out. */
void mail_end(struct worker *w, struct mail *mail);

#endif
