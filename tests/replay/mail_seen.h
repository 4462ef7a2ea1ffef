/* SPDX-License-Identifier: BSD-3-Clause */
/* What the MIME parser tells of one mail, kept the way Python's email package would list it. */
#ifndef POSTERN_TESTS_REPLAY_MAIL_SEEN_H
#define POSTERN_TESTS_REPLAY_MAIL_SEEN_H

#include <openssl/evp.h>

#include "dataplane/proto/mime.h"

#define SEEN_PARTS  256
#define SEEN_STRING 16384

struct seen_part {
	bool leaf; /* nothing is in it */
	bool stray;
	enum mime_kind kind;
	enum mime_encoding encoding;
	enum mime_disposition disposition;
	char type[MIME_TYPE + 1];
	char filename[MIME_FILENAME + 1];
	size_t bytes;
	EVP_MD_CTX *sha;
	char sha256[65];
};

struct seen_mail {
	size_t headers; /* of the message itself */
	bool has[MIME_HEADER_COUNT];
	char raw[MIME_HEADER_COUNT][SEEN_STRING]; /* the first of its name */
	char subject[SEEN_STRING];                /* decoded */
	size_t parts;
	struct seen_part part[SEEN_PARTS];
};

/* Parses the mail in pieces of `piece` bytes. */
void mail_see(struct seen_mail *seen, const uint8_t *data, size_t len, size_t piece);

#endif
