/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * URLs in decoded text, plain or HTML, incrementally: what a reader could
 * follow with a click. http://, https://, ftp://, mailto: and what begins with
 * "www." (readers link it too).
 *
 * A URL ends at a blank, a control byte, a quote, a bracket that it did not
 * open; punctuation that ends the sentence is not its own. "&amp;" is '&'.
 * Entities and escapes in the scheme are not undone. Pure; any span lives only
 * for the callback; what is found does not depend on how the text is cut;
 * linear in the text.
 */
#ifndef POSTERN_PROTO_URL_H
#define POSTERN_PROTO_URL_H

#include "dataplane/proto/bytes.h"

#define URL_MAX  1024 /* bytes kept of one */
#define URL_TAIL 8    /* longest beginning that is told by its last byte, and the byte before it */

/* cut: the URL is longer than URL_MAX, these are its first bytes. */
typedef void (*url_found)(void *ctx, struct bytes url, bool cut);

struct url_scan {
	uint16_t len;    /* of url; 0: not in one */
	uint16_t prefix; /* of it, the scheme with its ':' or "www." */
	uint8_t round;   /* brackets open in it */
	uint8_t square;
	bool cut;
	bool slashes;           /* "//" must follow the scheme */
	bool in_quote;          /* it began after a '\'' and ends at one */
	uint8_t tail[URL_TAIL]; /* the text's last bytes */
	uint8_t url[URL_MAX];
};

void url_init(struct url_scan *u);
void url_feed(struct url_scan *u, struct bytes text, url_found found, void *ctx);

/* The text has ended (a part, say): tells the URL that it ended in. Ready for the next text. */
void url_finish(struct url_scan *u, url_found found, void *ctx);

#endif
