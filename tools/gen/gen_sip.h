/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP messages of one dialog (RFC 3261), as a trunk's user agents write them. */
#ifndef POSTERN_GEN_SIP_H
#define POSTERN_GEN_SIP_H

#include "tools/gen/gen_counts.h"
#include "tools/gen/gen_flow.h"
#include "tools/gen/gen_hosts.h"

struct sip_dialog {
	bool tcp;
	char caller[24];
	char callee[24];
	char uri[96];                       /* Request-URI of the INVITE */
	char host[2][GEN_ADDRESS_TEXT + 2]; /* by side; IPv6 in brackets */
	const char *family;                 /* "IP4" or "IP6", for SDP */
	uint16_t port[2];
	unsigned long long call_id;
	uint32_t tag[2]; /* of caller and callee */
	uint32_t branch; /* of the transaction in progress */
	uint32_t cseq;
	uint16_t media_port[2];
};

/* The side that sends the request writes it; `sdp` adds an offer. */
void sip_request(struct gen_buffer *out, const struct sip_dialog *dialog, enum gen_direction sender,
		 enum gen_sip_method method, bool sdp);
/* The answer to `method` that the other side had sent. */
void sip_response(struct gen_buffer *out, const struct sip_dialog *dialog,
		  enum gen_direction sender, unsigned int code, enum gen_sip_method method,
		  bool sdp);

#endif
