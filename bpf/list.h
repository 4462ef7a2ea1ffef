/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What the lists hold: a keyed hash of (kind, owner, normal form). Control
 * makes it from a line of a list, a worker from what it reads on the wire;
 * both come here, so that they agree. Pure, any thread.
 *
 * A tenant's domains in the configuration are there a second time, owned by nobody (0): they are
 * somebody's.
 *
 * Normal forms:
 *   address  without angle brackets and source route (RFC 5321 4.1.1.3), a quoted local part
 *            without its quotes (4.1.2), everything in lower case (ASCII), no dot at the end. Local
 *            parts could be case-sensitive (2.4); people who opt out don't know that, so here
 *            they are not. Octets beyond ASCII stay as they are in it; the domain's become
 *            A-labels.
 *   domain   lower case (ASCII), no dot at the end, labels in UTF-8 as A-labels (RFC 5890 2.3.2.1)
 *            without a mapping of their letters; octets that are no UTF-8 stay as they are.
 *   number   digits, '*' and '#', without visual separators (RFC 3966 5.1.1) and leading '+'. A
 *            national and an international form of one number stay two.
 */
#ifndef POSTERN_LIST_H
#define POSTERN_LIST_H

#include <stddef.h>
#include <stdint.h>

enum list_kind {
	LIST_OPTOUT = 1, /* addresses that want no mail */
	LIST_DNC,        /* numbers that want no calls */
	LIST_DOMAIN,     /* a tenant's domain */
	LIST_SUBDOMAINS, /* on the list of LIST_DOMAIN: a domain whose subdomains, not itself, are
			    the tenant's */
	LIST_NUMBER,     /* a tenant's number */
	LIST_TRAP,       /* addresses that nobody ever gave to anybody */
	LIST_TRAP_RECYCLED,  /* addresses of people who have gone, that are traps now */
	LIST_FORWARDER,      /* a domain whose senders' mail the tenant passes on */
	LIST_SUPPRESSED,     /* addresses that bounced for the tenant */
	LIST_INVALID_DOMAIN, /* domains that were looked up and don't exist, or take no mail */
	LIST_SMS,            /* numbers that want no texts */
	LIST_SMS_STOP,       /* the same, because they said STOP: START undoes it */
};

#define LIST_TEXT_MAX 320 /* 64 + @ + 255 octets: RFC 5321 4.5.3.1; longer is on no list */

/*
 * The normal form of `len` bytes at `in`, into `out`. Returns its length, or 0
 * if `in` has none: empty, too long, without @ or with nothing beside it; not a number.
 */
size_t list_address(const void *in, size_t len, uint8_t out[LIST_TEXT_MAX]);
size_t list_domain(const void *in, size_t len, uint8_t out[LIST_TEXT_MAX]);
size_t list_number(const void *in, size_t len, uint8_t out[LIST_TEXT_MAX]);

/* Of a normal form; never 0. `owner` is a tenant's id, or 0: the provider's. */
uint64_t list_hash(const uint64_t key[2], enum list_kind kind, uint32_t owner, const uint8_t *text,
		   size_t len);

#endif
