/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of the MIME parser share. Nobody else includes this.
 *
 *   mime.c         spans to lines, and the lines that are delimiters
 *   mime_header.c  header fields: collected, unfolded, told
 *   mime_entity.c  parts and what they are in: begin, kind, end
 *   mime_body.c    bytes of a body: line ends held back, decoded, handed out
 */
#ifndef POSTERN_PROTO_MIME_INTERNAL_H
#define POSTERN_PROTO_MIME_INTERNAL_H

#include "dataplane/proto/mime.h"

enum mime_state {
	STATE_FIELD_START, /* of a header line */
	STATE_FIELD_CR,    /* a line that begins with CR: the empty one, if LF follows */
	STATE_NAME,
	STATE_NAME_BLANK, /* obsolete: blanks before the colon (RFC 5322 4.5) */
	STATE_NAME_LONG,  /* beyond MIME_NAME: its colon is still to come */
	STATE_VALUE,
	STATE_SKIP, /* a line of a header block that is no field */
	STATE_BODY,
};

enum mime_held { HELD_NONE, HELD_LF, HELD_CRLF, HELD_CR };

/* One call's parser and where it tells. */
struct mime_run {
	struct mime *m;
	const struct mime_sink *sink;
	void *ctx;
};

void run_limit(const struct mime_run *r, enum mime_limit limit);

/*
 * Each takes some of [p, end), not empty, which starts no delimiter line;
 * returns the first byte not taken. Sets line_start where a line begins.
 */
const uint8_t *header_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end);
const uint8_t *body_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end);

/* Takes all of [p, end), delimiters included. */
void run_feed(const struct mime_run *r, const uint8_t *p, const uint8_t *end);

/* Is the line at p certainly none of the open delimiters? */
bool delimiter_excluded(const struct mime *m, const uint8_t *p, const uint8_t *end);

/* A delimiter, or the end of the message, ends the header block. */
void header_close(const struct mime_run *r);

void body_begin(struct mime *m);
void body_data(const struct mime_run *r, const uint8_t *p, size_t len);
void body_release_held(const struct mime_run *r);
void body_end(const struct mime_run *r);

void entity_begin(const struct mime_run *r);
/* Keeps what a Content- field says about the current part. */
void entity_note(struct mime *m, enum mime_header_id id, struct bytes raw);
/* Its headers are over: says what it is and opens its body. */
void entity_headers_end(const struct mime_run *r);
/* Closes the current part and the containers above `depth`. */
void entity_close(const struct mime_run *r, unsigned depth);

#endif
