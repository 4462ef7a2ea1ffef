/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MIME, incrementally: the header and body of one mail message in, headers,
 * parts and decoded bytes out (RFC 5322, 2045, 2046, 2047, 2231).
 *
 * The caller lends a `struct mime` per message in flight, feeds it the
 * dot-unstuffed message in spans of any size, and is called back through a
 * sink before the feeding call returns. All spans handed to the sink live only
 * for that callback. Nothing is allocated; a worker's thread only.
 *
 * There are no errors: what can't be read as MIME is handed out as it stands,
 * and `limit` says which bound was met. Every byte of a body reaches the sink.
 * What the sink sees does not depend on how the input is cut into spans, but
 * for where one piece of `data` ends and the next begins. Work is linear in
 * the input, whatever it holds.
 *
 * Line ends are CRLF or a bare LF (both are met in the wild); a bare CR is an
 * ordinary byte. The line end before a delimiter is the delimiter's (RFC 2046
 * 5.1.1); so is the last one of a message that ends inside a multipart.
 */
#ifndef POSTERN_PROTO_MIME_H
#define POSTERN_PROTO_MIME_H

#include "dataplane/proto/base64.h"
#include "dataplane/proto/bytes.h"
#include "dataplane/proto/qp.h"

/* Bounds; each has an enum mime_limit. */
#define MIME_DEPTH      16   /* parts in parts */
#define MIME_PARTS      1024 /* of a message, containers included */
#define MIME_BOUNDARY   200  /* bytes; RFC 2046 5.1.1 allows 70 */
#define MIME_BOUNDARIES 1024 /* bytes of all boundaries open at a time */
#define MIME_HEADER     8192 /* bytes kept of one header field, unfolded */
#define MIME_NAME       1000 /* bytes kept of its name; a line is 998 (RFC 5322 2.1.1) */
#define MIME_TYPE       96
#define MIME_CHARSET    40
#define MIME_FILENAME   255 /* bytes, after decoding */

#define MIME_LINE (MIME_BOUNDARY + 24) /* longest line that can be a delimiter */
#define MIME_OUT  8192                 /* largest piece of decoded data */
#define MIME_BUF  10112                /* one header and its decoding, or decoded data */

#define MIME_HEADERS(X)                                   \
	X(FROM, "From")                                   \
	X(TO, "To")                                       \
	X(CC, "Cc")                                       \
	X(BCC, "Bcc")                                     \
	X(SUBJECT, "Subject")                             \
	X(DATE, "Date")                                   \
	X(SENDER, "Sender")                               \
	X(REPLY_TO, "Reply-To")                           \
	X(MESSAGE_ID, "Message-ID")                       \
	X(IN_REPLY_TO, "In-Reply-To")                     \
	X(REFERENCES, "References")                       \
	X(RECEIVED, "Received")                           \
	X(RETURN_PATH, "Return-Path")                     \
	X(X_MAILER, "X-Mailer")                           \
	X(USER_AGENT, "User-Agent")                       \
	X(LIST_ID, "List-Id")                             \
	X(LIST_POST, "List-Post")                         \
	X(LIST_UNSUBSCRIBE, "List-Unsubscribe")           \
	X(LIST_UNSUBSCRIBE_POST, "List-Unsubscribe-Post") \
	X(PRECEDENCE, "Precedence")                       \
	X(AUTO_SUBMITTED, "Auto-Submitted")               \
	X(FEEDBACK_ID, "Feedback-ID")                     \
	X(DKIM_SIGNATURE, "DKIM-Signature")               \
	X(MIME_VERSION, "MIME-Version")                   \
	X(CONTENT_TYPE, "Content-Type")                   \
	X(CONTENT_ENCODING, "Content-Transfer-Encoding")  \
	X(CONTENT_DISPOSITION, "Content-Disposition")     \
	X(CONTENT_ID, "Content-ID")                       \
	X(CONTENT_DESCRIPTION, "Content-Description")     \
	X(CONTENT_LOCATION, "Content-Location")

enum mime_header_id {
	MIME_HEADER_OTHER,
#define X(id, name) MIME_HEADER_##id,
	MIME_HEADERS(X)
#undef X
		MIME_HEADER_COUNT,
};

/* As it is written here; "": OTHER. Any thread. */
struct bytes mime_header_name(enum mime_header_id id);

/* By name, ASCII case folded. Any thread. */
enum mime_header_id mime_header_lookup(struct bytes name);

struct mime_header {
	enum mime_header_id id;
	uint16_t part; /* 0: the message's own */
	uint8_t depth; /* 0: the message's own */
	bool cut;      /* name or value is longer than what is handed out */
	bool nul; /* a NUL is in the value, or in what was cut of it (RFC 5322 4.1: obsolete) */
	bool value_cut; /* raw is whole, its decoding did not fit */
	struct bytes name;
	struct bytes raw;   /* unfolded (RFC 5322 2.2.3), blanks around it gone */
	struct bytes value; /* raw with its encoded words in UTF-8; raw itself if there are none */
};

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* holds parts */
	MIME_MESSAGE,   /* message/rfc822 and its like: holds one, with headers of its own */
};

enum mime_encoding {                     /* Content-Transfer-Encoding */
		     MIME_ENCODING_NONE, /* header absent */
		     MIME_ENCODING_7BIT,
		     MIME_ENCODING_8BIT,
		     MIME_ENCODING_BINARY,
		     MIME_ENCODING_QP,
		     MIME_ENCODING_BASE64,
		     MIME_ENCODING_OTHER, /* handed out as it stands */
};

enum mime_disposition {
	MIME_DISPOSITION_NONE, /* header absent */
	MIME_DISPOSITION_INLINE,
	MIME_DISPOSITION_ATTACHMENT, /* and whatever is unknown (RFC 2183 2.8) */
};

struct mime_part {
	uint16_t index; /* in the order of the message, from 0; counts containers too */
	uint8_t depth;
	enum mime_kind kind;
	enum mime_encoding encoding;
	enum mime_disposition disposition;
	bool stray;            /* or what it is in: it follows its multipart's closing delimiter */
	bool is_text;          /* a leaf that readers see: text, no attachment, no file name */
	struct bytes type;     /* lower case, "text/plain" where none is given */
	struct bytes charset;  /* as written */
	struct bytes filename; /* UTF-8 (RFC 2231, 2047 decoded), empty if none */
};

enum mime_data {
	MIME_DATA_TEXT, /* of a part with is_text */
	MIME_DATA_FILE, /* of any other leaf */
	/* Before a multipart's first part; of one that has none, all there is. */
	MIME_DATA_PREAMBLE,
	/* What few readers show: text after a multipart's closing delimiter, stray
	   parts, what follows the padding of a base64 part; decoded all the same. */
	MIME_DATA_OUTSIDE,
};

enum mime_limit {
	MIME_LIMIT_HEADER,   /* the field is cut; parsing goes on */
	MIME_LIMIT_DEPTH,    /* the part becomes a leaf, undecoded structure and all */
	MIME_LIMIT_BOUNDARY, /* the same */
	MIME_LIMIT_PARTS,    /* the rest of the message becomes one leaf */
};

/* What the parser tells. A member may be NULL: not wanted. */
struct mime_sink {
	void (*header)(void *ctx, const struct mime_header *header);
	/* size: bytes of the header block with its empty line. Before part_begin. */
	void (*headers_end)(void *ctx, uint16_t part, size_t size);
	void (*part_begin)(void *ctx, const struct mime_part *part);
	void (*data)(void *ctx, uint16_t part, enum mime_data kind, struct bytes data);
	void (*part_end)(void *ctx, uint16_t part);
	void (*limit)(void *ctx, uint16_t part, enum mime_limit limit);
};

/* What follows is the parser's own. */

struct mime_level { /* a container that is open */
	uint16_t index;
	uint16_t boundary; /* offset in boundaries */
	uint8_t boundary_len;
	bool multipart;
	bool begun;  /* a part was in it */
	bool closed; /* its closing delimiter was seen */
	bool stray;  /* itself after one */
	bool digest; /* its parts are messages by default (RFC 2046 5.1.5) */
	bool base64; /* a message that claims to be encoded */
};

struct mime {
	uint8_t state;
	uint8_t depth; /* levels in use */
	uint8_t open;  /* of them, multiparts: while there is one, a delimiter may come */
	bool line_start;
	uint8_t held;    /* a line end that may belong to a delimiter */
	bool field_open; /* buf holds a field that may be continued */
	bool field_cut;
	bool field_nul;
	bool first_line; /* of a header block */
	bool outside;    /* the body belongs to a container, not to a leaf */
	bool inherits;   /* the encoding is the message's around it, as long as no field comes */
	bool stray;      /* as in struct mime_part */
	uint16_t index;
	uint16_t count;
	uint16_t line_len; /* of `line` */
	uint16_t name_len;
	uint16_t buf_len;
	uint64_t header_size;

	/* The current part, as its headers tell. */
	uint8_t encoding;
	uint8_t disposition;
	uint8_t seen; /* bits: which Content- headers came; the first one counts */
	bool is_text;
	bool file_from_disposition;
	bool has_boundary;
	bool boundary_cut;
	uint8_t boundary_len;
	uint8_t type_len;
	uint8_t charset_len;
	uint8_t filename_len;
	struct base64 base64;
	struct qp qp;

	struct mime_level level[MIME_DEPTH];
	char type[MIME_TYPE];
	char charset[MIME_CHARSET];
	char filename[MIME_FILENAME];
	uint16_t boundaries_len;
	uint8_t boundaries[MIME_BOUNDARIES];
	uint8_t line[MIME_LINE]; /* start of a line that may be a delimiter */
	uint8_t buf[MIME_BUF];
};

void mime_init(struct mime *m);

/* Takes all of data. After mime_finish only mime_init is allowed. */
void mime_feed(struct mime *m, const uint8_t *data, size_t len, const struct mime_sink *sink,
	       void *ctx);

/* The message has ended (or been given up): closes what is open. */
void mime_finish(struct mime *m, const struct mime_sink *sink, void *ctx);

#endif
