/* SPDX-License-Identifier: BSD-3-Clause */
/* Does a server say that it passes nothing on for this client (AUP-RELAY)? Pure; any thread. */
#ifndef POSTERN_RELAY_WORDS_H
#define POSTERN_RELAY_WORDS_H

#include "dataplane/proto/smtp.h"

/* 5yz in the words that servers use for it, with an enhanced code of x.7.z (RFC 3463 3.8) or none.
 */
bool relay_is_denied(const struct smtp_reply *reply);

#endif
