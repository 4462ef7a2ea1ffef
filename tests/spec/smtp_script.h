/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An SMTP session as text, one line a step: what the spec documents are made of, and the
 * fuzzer's inputs too.
 *
 *   flags: WORD...      midstream, ghosts (SMTP_KEEP_GHOSTS), two-way,
 *                       answers (SMTP_ANSWER_WITHHELD)
 *   withhold: VERB PART the gate withholds commands with PART in their line;
 *                       verbs "end" and "bare": ends of messages
 *   blocks: N           the pool has no more
 *   C: TEXT, S: TEXT    client, server: a line and CRLF; ending in "\", without CRLF.
 *                       \r \n \t \\ \xHH; "@fill N TEXT": TEXT N times, without CRLF.
 *                       Lines of one side in a row are one segment.
 *   gap: C N, gap: S N  N bytes that were never seen
 *   release:            the caller gives up waiting for the server
 *   > EVENT             expected, in this order; lines of # are comments
 */
#ifndef POSTERN_TESTS_SMTP_SCRIPT_H
#define POSTERN_TESTS_SMTP_SCRIPT_H

#include "tests/spec/smtp_log.h"

#define SMTP_SCRIPT_STEPS 128
#define SMTP_SCRIPT_TEXT  (64 * 1024)

enum smtp_step_kind {
	STEP_CLIENT, /* as enum smtp_direction */
	STEP_SERVER,
	STEP_GAP_CLIENT,
	STEP_GAP_SERVER,
	STEP_RELEASE,
};

struct smtp_step {
	enum smtp_step_kind kind;
	size_t at, len; /* in input; a gap's len is its bytes */
};

struct smtp_script {
	unsigned flags;
	size_t blocks;
	struct smtp_log_rule rules[SMTP_LOG_RULES];
	size_t rule_count;
	struct smtp_step steps[SMTP_SCRIPT_STEPS];
	size_t step_count;
	uint8_t input[SMTP_SCRIPT_TEXT];
	size_t input_len;
	char want[SMTP_SCRIPT_TEXT];
	size_t want_len;
};

void smtp_script_init(struct smtp_script *script);

/* One line, without its LF; it is written to. False: not understood, or too much. */
bool smtp_script_line(struct smtp_script *script, char *line);

/*
 * Plays it into a log that smtp_log_fini() then frees; returns the log's text. Segments are
 * cut at byte `cut` of all input, and behind it every `piece` bytes.
 */
const char *smtp_script_play(const struct smtp_script *script, struct smtp_log *log, size_t cut,
			     size_t piece);

#endif
