/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Block lists of the DNS (RFC 5782): names to ask for, what answers mean, and when an address is
 * listed. Pure; one thread.
 *
 * An answer is a listing by its code, 127.0.0.2 and so on. 127.255.255.0/24 is how a list says that
 * the question was not allowed, and an address outside of 127.0.0.0/8 is how a resolver lies about
 * names that it does not know: both say nothing, as does no answer. NXDOMAIN, or no address, is
 * "not listed". What says nothing leaves everything as it was.
 *
 * A listing begins when two answers in a row say so, and ends the same way: one alone may be a
 * list's mistake of a minute, and costs tenants their points.
 */
#ifndef POSTERN_CONTROL_DNSBL_H
#define POSTERN_CONTROL_DNSBL_H

#include "control/dns/dns_answer.h"

#define DNSBL_CODES   32
#define DNSBL_WORD    24
#define DNSBL_CONFIRM 2 /* answers in a row */

struct dnsbl_code {
	uint32_t first, last; /* host order */
	char name[DNSBL_WORD];
};

struct dnsbl_codes {
	unsigned count;
	struct dnsbl_code code[DNSBL_CODES];
};

/* "127.0.0.4-127.0.0.7 XBL" or "127.0.0.2 SBL" into it; NULL, or what was expected. */
const char *dnsbl_code_add(struct dnsbl_codes *codes, const char *text);

enum dnsbl_said {
	DNSBL_NOTHING, /* no answer, an error, a lie */
	DNSBL_NOT_LISTED,
	DNSBL_LISTED,
};

struct dnsbl_word {
	enum dnsbl_said said;
	char names[64]; /* "SBL XBL"; codes that the map does not have as they are */
	bool blames;    /* one of them is not in `blameless` */
};

/* `blameless`: names of listings that are nobody's fault, NULL-terminated. */
struct dnsbl_word dnsbl_read(const struct dns_answer *answer, const struct dnsbl_codes *codes,
			     const char *const *blameless);

/* The name to ask for: "10.2.0.192.zone", or nibbles for IPv6. -EINVAL: no address;
 * -ENAMETOOLONG. */
int dnsbl_name(const char *address, const char *zone, char out[DNS_NAME_SIZE]);

/* Of one address in one zone; zeroed at first. */
struct dnsbl_state {
	bool listed;
	uint8_t against; /* answers in a row that say otherwise */
	char names[64];  /* while it is listed: what the last answer said */
	bool blames;
};

enum dnsbl_change { DNSBL_STAYS, DNSBL_BEGINS, DNSBL_ENDS };

enum dnsbl_change dnsbl_take(struct dnsbl_state *state, const struct dnsbl_word *word);

#endif
