/* SPDX-License-Identifier: BSD-3-Clause */
/* Quoted strings and comments, as structured header fields have them (RFC 5322 3.2). Pure. */
#ifndef POSTERN_PROTO_RFC5322_H
#define POSTERN_PROTO_RFC5322_H

#include "dataplane/proto/bytes.h"

/* Where the quoted string that begins at `at` ends: behind its quote; len + 1: it never does. */
static inline size_t rfc5322_quote_end(struct bytes b, size_t at)
{
	for (size_t i = at + 1; i < b.len; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '"')
			return i + 1;
	}
	return b.len + 1;
}

/* The same of a comment; they nest (3.2.2). */
static inline size_t rfc5322_comment_end(struct bytes b, size_t at)
{
	unsigned depth = 1;

	for (size_t i = at + 1; i < b.len; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '(')
			depth++;
		else if (b.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return b.len + 1;
}

#endif
