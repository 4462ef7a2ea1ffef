/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What single header fields of a mail say, of their values unfolded (and, of a subject, decoded).
 * Linear in the value, nothing is kept; any thread. What can't be read says nothing.
 */
#ifndef POSTERN_PROTO_MAIL_FIELD_H
#define POSTERN_PROTO_MAIL_FIELD_H

#include "dataplane/proto/bytes.h"

/*
 * Received (RFC 5321 4.4): whom its "by" clause names, the server that took the mail. Empty: it has
 * none, or only in a comment, a quoted string or behind the date's semicolon. Points into the
 * value.
 */
struct bytes received_by(struct bytes value);

/*
 * Subject: does it begin as mail programs begin an answer's or a forwarded mail's: "Re:", "AW:",
 * "Fwd:" and what other languages have, with a count ("Re[2]:") or without?
 */
bool subject_is_reply(struct bytes subject);

/* List-Unsubscribe (RFC 2369 3.2): has it a link of https that a POST can go to (RFC 8058 3.1)? */
bool unsubscribe_has_https(struct bytes value);

/* List-Unsubscribe-Post (RFC 8058 3.1). */
bool unsubscribe_is_one_click(struct bytes value);

#endif
