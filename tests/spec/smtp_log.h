/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An SMTP session under test: feeds the parser as the packet path would, and
 * writes what it tells as lines of text. Spec tests compare the text with what
 * the document says, fuzzing compares the text of one split with another's.
 *
 * Every segment is fed so that it ends at a page that can't be read. Client bytes that must wait
 * are kept and fed again after the server has spoken.
 */
#ifndef POSTERN_TESTS_SMTP_LOG_H
#define POSTERN_TESTS_SMTP_LOG_H

#include <stdio.h>

#include "dataplane/proto/smtp.h"

#define SMTP_LOG_RULES 8

/* What the gate withholds: a verb and a part of its line ("" for any); the verb's end of message.
 */
struct smtp_log_rule {
	char verb[32]; /* "RCPT", "end", "bare" */
	char part[64];
};

struct smtp_log {
	struct smtp parser;
	struct proto_pool pool;
	struct smtp_env env;
	struct smtp_log_rule rules[SMTP_LOG_RULES];
	size_t rule_count;
	size_t blocks, blocks_max; /* in use; how many there are */
	uint8_t *backlog;          /* client bytes that wait */
	size_t backlog_len, backlog_size;
	FILE *out;
	char *text; /* the log so far, after smtp_log_text() */
	size_t text_size;
	uint8_t *body; /* spans not yet written: they are told as one */
	size_t body_len, body_size;
	uint64_t body_at;
	size_t spans;     /* told so far */
	uint64_t seen[2]; /* bytes fed per direction: no event may be beyond them */
};

/* Rules may be added before the first byte. */
void smtp_log_init(struct smtp_log *log, unsigned flags);
void smtp_log_feed(struct smtp_log *log, enum smtp_direction direction, const void *data,
		   size_t len);
void smtp_log_gap(struct smtp_log *log, enum smtp_direction direction, uint64_t bytes);
void smtp_log_release(struct smtp_log *log);
/* Ends the flow; asserts that all blocks came back. Returns the log, which lives until fini. */
const char *smtp_log_finish(struct smtp_log *log);
void smtp_log_fini(struct smtp_log *log);

#endif
