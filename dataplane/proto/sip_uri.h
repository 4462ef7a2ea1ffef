/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * URIs, addresses and Via values inside SIP messages (RFC 3261 19.1, 20.10,
 * 20.42; RFC 3966). Nothing is unescaped here. Pure functions; spans point
 * into the argument; any thread; linear.
 */
#ifndef POSTERN_PROTO_SIP_URI_H
#define POSTERN_PROTO_SIP_URI_H

#include "dataplane/proto/bytes.h"

enum sip_scheme {
	SIP_SCHEME_OTHER, /* only `scheme` and `opaque` are set */
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL, /* `user` is the number */
	SIP_SCHEME_URN,
};

struct sip_uri {
	struct bytes raw;
	struct bytes scheme;
	struct bytes opaque;   /* all after the scheme's colon */
	struct bytes user;     /* with its own parameters, still escaped; no password */
	struct bytes password; /* empty: none */
	struct bytes host;     /* IPv6 without its brackets */
	struct bytes params;   /* behind the first ';' */
	struct bytes headers;  /* behind the '?' */
	uint16_t port;         /* 0: none */
	uint8_t scheme_id;     /* enum sip_scheme */
};

struct sip_address {
	struct bytes display; /* without its quotes; empty: none */
	struct bytes uri;     /* for sip_uri_parse() */
	struct bytes params;  /* the header's, behind the first ';' */
	struct bytes tag;     /* empty: none */
};

struct sip_via {
	struct bytes raw;       /* this one Via value */
	struct bytes transport; /* "UDP", "TCP", … */
	struct bytes host;      /* of sent-by; IPv6 without its brackets */
	struct bytes params;
	struct bytes branch;
	uint16_t port; /* of sent-by, 0: none */
};

/*
 * All three: false when the grammar is left; what was read before that is set, the rest empty.
 * An address's URI is not looked into.
 */
bool sip_uri_parse(struct bytes s, struct sip_uri *out);
bool sip_address_parse(struct bytes s, struct sip_address *out); /* one element of a list */
bool sip_via_parse(struct bytes s, struct sip_via *out);         /* one element of a list */

/*
 * Looks a parameter up in `;`-separated ones (name compared without case).
 * True when it is there; *value is then its value, quotes included, or empty.
 */
bool sip_param(struct bytes params, struct bytes name, struct bytes *value);

#endif
