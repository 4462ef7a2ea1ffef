/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies that name a block list which has the address, as the policy lists them (AUP-BLACKLIST).
 * On the wire rules find them (rules/blocklists.rules, which know more); a test holds this to their
 * samples. What is said of contents, of a domain or of authentication is none.
 */
#include <string.h>

#include "control/feedback.h"

static const char *const phrases[] = {
	/* Spamhaus */
	"blocked using Spamhaus",
	"blocked using zen.spamhaus.org",
	"is listed in Spamhaus",
	"is listed by Spamhaus",
	"is listed on Spamhaus",
	/* Yahoo */
	"[BL21]",
	"[BL23]",
	"[TS01]",
	"[TS02]",
	"[TS03]",
	"[TSS04]",
	"[TSS05]",
	"[TSS06]",
	"[TSS09]",
	"[IPTS04]",
	"[IPTS05]",
	/* Microsoft */
	"on our block list (S3140)",
	"on our block list (S3150)",
	"on our block list (AS3140)",
	"on our block list (AS3150)",
	"banned sending IP",
	"rate limited due to IP reputation",
	/* Gmail */
	"unusual rate of unsolicited mail",
	/* Proofpoint, Cloudmark, Barracuda */
	"blocked using prs.proofpoint.com",
	"ipcheck.proofpoint.com",
	"Cloudmark Sender Intelligence",
	"csi.cloudmark.com",
	"blocked using Barracuda Reputation",
	"b.barracudacentral.org",
	/* Apple, Comcast, web.de, Orange */
	"[CS01]",
	"[HCM1]",
	"BL000000",
	"IP address is block listed",
	"OFR006_102",
};

bool feedback_names_block_list(const char *text)
{
	/* The list refused to answer the server that asked it: an error, no listing. */
	if (strcasestr(text, "spamhaus.org/returnc"))
		return false;
	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strcasestr(text, phrases[i]))
			return true;
	return false;
}
