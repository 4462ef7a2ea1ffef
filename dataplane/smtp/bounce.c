/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp/bounce.h"

static const struct bytes phrases[] = {
	BYTES("user unknown"),      BYTES("unknown user"),        BYTES("no such user"),
	BYTES("does not exist"),    BYTES("doesn't exist"),       BYTES("unknown recipient"),
	BYTES("recipient unknown"), BYTES("no mailbox"),          BYTES("mailbox not found"),
	BYTES("no such mailbox"),   BYTES("mailbox unavailable"), BYTES("invalid recipient"),
	BYTES("invalid mailbox"),   BYTES("account is disabled"), BYTES("not a valid"),
};

bool bounce_is_hard(unsigned code, unsigned class, unsigned subject, unsigned detail,
		    struct bytes text)
{
	if (code < 500 || code > 599)
		return false;
	if (class) {
		if (subject == 1)
			return (detail >= 1 && detail <= 3) || detail == 6 || detail == 10;
		if (subject == 2)
			return detail == 1;
		if (subject || detail)
			return false;
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (bytes_case_find(text, phrases[i]))
			return true;
	return false;
}
