/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate makes of SIP, in files by what is done: sip_inspect.c reads, sip_judge.c decides
 * (with sip_checks.c and sip_marks.c for what it looks for, sip_scan.c for rules), sip_refuse.c has
 * the client hear of it. For these files alone; the worker calls what is in inspect.h. On the
 * worker, for the packet in w->at.
 */
#ifndef POSTERN_SIP_SINK_H
#define POSTERN_SIP_SINK_H

#include "dataplane/inspect.h"
#include "dataplane/proto/sip_frame.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/sip/calls.h"

struct sip_session {
	struct sip_framer framer[2]; /* by the sender's place in the key */
	uint32_t begin[2];           /* sequence numbers of the first bytes */
	bool looked_at;
};

/* The framer's ctx, and a message's. */
struct sip_ctx {
	struct worker *w;
	struct flow *f;
	uint64_t begin, end;       /* of the message in its stream; a datagram: 0, 0 */
	struct sip_answer answer;  /* that the gate gave it; code 0: none */
	struct call_standing call; /* that the message is of */
	bool repeated;             /* an INVITE that was let through before */
	/* Of a tenant's new call or text. */
	bool is_sos, has_callee;
	struct sip_number callee;
	enum urgent urgent; /* what it is to an emergency call */
};

/* Nothing of it goes on, and whoever sent a request hears why. True when it is carried out. */
bool sip_refuse(struct sip_ctx *c, const struct sip_message *msg, const struct refusal *r);
/*
 * A check (bpf/check.h) found something of its reason in a request of the tenant's: told, counted,
 * refused, or nothing, as the policy says. True: it is refused.
 */
bool sip_check(struct sip_ctx *c, const struct sip_message *msg, enum reason reason,
	       const char *object, struct bytes detail);
/*
 * A request that was refused comes again, or something that is about it (RFC 3261 17.2.1, 17.2.2).
 * It is answered as it was; what the other end says of it all the same goes nowhere.
 */
bool sip_refused_before(struct sip_ctx *c, const struct sip_message *msg);
/* The call was refused, and there was no room to remember by which transaction. */
void sip_absorb(struct sip_ctx *c, const struct sip_message *msg);

/* `calls`: enum call_event bits that the message made. True: it is refused. */
bool sip_judge(struct sip_ctx *c, const struct sip_message *msg, uint32_t calls, bool outbound);

#endif
