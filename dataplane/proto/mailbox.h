/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The addresses in the value of a From, Sender or To field (RFC 5322 3.4),
 * unfolded and decoded: mailboxes and groups, display names, quoted strings,
 * comments, and what people write instead. Everything in angle brackets is an
 * address, and so is every item of the list that has an "@" and no brackets.
 * Quotes and comments that never close are read as text, not as a place to
 * hide the rest in. Linear in the value; any thread.
 */
#ifndef POSTERN_PROTO_MAILBOX_H
#define POSTERN_PROTO_MAILBOX_H

#include "dataplane/proto/bytes.h"

struct mailboxes {
	struct bytes rest;
	bool quotes, comments; /* all of them close */
};

void mailboxes_init(struct mailboxes *m, struct bytes value);

/* The next address, without brackets; it points into the value. False: there are no more. */
bool mailboxes_next(struct mailboxes *m, struct bytes *address);

#define MAILBOX_ADDRESS 320 /* bytes: RFC 5321 4.5.3.1: 64 + 1 + 255 */

/*
 * An address of a header field without blanks and comments, which may stand around its dots and its
 * "@" (RFC 5322 3.2.2 and 4.4). Returns its length; 0: it is longer than an address can be.
 */
size_t mailbox_clean(struct bytes address, uint8_t out[MAILBOX_ADDRESS]);

#endif
