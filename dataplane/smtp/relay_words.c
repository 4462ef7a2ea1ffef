/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp/relay_words.h"

/* In replies of Postfix, Exim, Sendmail, qmail, Exchange, hMailServer, MDaemon, Courier, Haraka. */
static const struct bytes phrases[] = {
	BYTES("relay access denied"),
	BYTES("relay not permitted"),
	BYTES("relaying denied"),
	BYTES("relaying not allowed"),
	BYTES("relaying not permitted"),
	BYTES("relaying is not allowed"),
	BYTES("relaying is prohibited"),
	BYTES("relaying prohibited"),
	BYTES("relay denied"),
	BYTES("relay prohibited"),
	BYTES("relay is not allowed"),
	BYTES("relay operation rejected"),
	BYTES("unable to relay"),
	BYTES("cannot relay"),
	BYTES("won't relay"),
	BYTES("do not relay"),
	BYTES("don't relay"),
	BYTES("not permitted to relay"),
	BYTES("not allowed to relay"),
	BYTES("not an open relay"),
	BYTES("isn't in my list of allowed rcpthosts"),
};

bool relay_is_denied(const struct smtp_reply *reply)
{
	if (reply->code / 100 != 5 || (reply->enhanced.class && reply->enhanced.subject != 7))
		return false;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (bytes_case_find(reply->text, phrases[i]))
			return true;
	return false;
}
