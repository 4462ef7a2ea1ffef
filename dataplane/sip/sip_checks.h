/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate looks for in SIP requests of a tenant's, but for emergency numbers and limits. Each
 * says whether it found it, and leaves in *detail what of the message it is, which lives as long as
 * the message. Worker; reads the policy alone, but for texts (heard.h).
 */
#ifndef POSTERN_SIP_CHECKS_H
#define POSTERN_SIP_CHECKS_H

#include "dataplane/proto/sip.h"
#include "dataplane/worker.h"

/* RFC 3261 12: a request that begins something. */
bool sip_is_new_call(const struct sip_message *msg);
/* RFC 3428. */
bool sip_is_text(const struct sip_message *msg);

/* AUP-DNC: the callee is on a do-not-call list, or said 607 before. */
bool sip_callee_is_listed(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  struct bytes *detail);

/*
 * AUP-CALLERID, of tenants that have numbers. A number in From, P-Asserted-Identity,
 * P-Preferred-Identity (RFC 3325) or Remote-Party-ID is none of them, or From's display name is a
 * number that is none; or From is anonymous (RFC 3323 4.1.1.3) and none of the others names a
 * number of the tenant's. A From without a number (sip:ann@example.com) claims none and passes.
 */
bool sip_caller_is_false(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			 struct bytes *detail);
/* The same tenants' calls without Identity (RFC 8224). */
bool sip_caller_is_unsigned(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			    struct bytes *detail);

/* AUP-SMS: the recipient is on a list of those who want no texts, calls or mail, or said so. */
bool sip_text_is_unwanted(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  struct bytes *detail);

/*
 * A text to a tenant says STOP, UNSUBSCRIBE or another of the words for that, and no more, or START
 * or UNSTOP after one: REASON_SMS_STOP or REASON_SMS_START, and *text (LIST_TEXT_MAX bytes) is
 * whose it is, a number's digits or an address, *len bytes. REASON_NONE: neither, or it comes from
 * nobody who could be told apart. It is remembered.
 */
enum reason sip_text_wish(struct worker *w, uint32_t tenant, const struct sip_message *msg,
			  uint8_t *text, size_t *len);

/*
 * A log-in: a request with credentials is on its way; what came of it. The latter true: it failed
 * (RFC 3261 22: asked again, though not for a nonce that was stale; or 403).
 */
bool sip_has_credentials(const struct sip_message *msg);
void sip_login_tried(struct worker *w, uint32_t tenant, const struct sip_message *msg);
bool sip_login_failed(struct worker *w, uint32_t tenant, const struct sip_message *msg);

#endif
