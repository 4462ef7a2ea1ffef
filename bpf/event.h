/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * What workers tell control: self-describing records in a ring of bytes.
 *
 * A record is a fixed head and a list of fields (key, length, value). The list
 * of keys below is the one place that names them: where they stand in EVE JSON
 * and of what kind they are. The worker fills, control formats; the worker
 * never knows JSON. bpf/event_record.h writes and reads them.
 */
#ifndef POSTERN_EVENT_H
#define POSTERN_EVENT_H

#include <stdint.h>

enum event_type {
	EVENT_SMTP = 1, /* one SMTP transaction ended, however */
	EVENT_EMAIL,    /* one message's headers and parts, at its end */
	EVENT_SIP,      /* one SIP message */
	EVENT_CALL,     /* a call ended or was given up */
	EVENT_FLOW,     /* a flow ended */
	EVENT_ALERT,    /* a rule matched */
	EVENT_VERDICT,  /* something was refused or withheld, or would have been (shadow) */
	EVENT_STATS,    /* made by control */
	EVENT_ADDRESS,  /* an envelope address, for replay's summary; never in EVE */
	EVENT_KERNEL,   /* a verdict about a flow, which control puts into the kernel; the same */
	EVENT_DOMAIN,   /* a sender's domain, for control to look up; the same */
	EVENT_BOUNCED,  /* a recipient that doesn't exist, which control puts on a list; the same */
	EVENT_EVIDENCE, /* the header of a mail that was refused, for the abuse desk; the same */
};

enum field_kind {
	FIELD_STR,  /* bytes; control escapes what is not UTF-8 */
	FIELD_UINT, /* 8 bytes, host order */
	FIELD_BOOL, /* 1 byte */
	FIELD_NS,   /* 8 bytes: a duration in ns, shown as seconds with a fraction */
	FIELD_SEC,  /* as FIELD_NS, shown as whole seconds: where Suricata does */
	FIELD_LIST, /* as FIELD_STR, may come several times: a JSON array of strings */
};

/* clang-format off */
#define EVENT_FIELDS(X)                                                                            \
	X(SMTP_HELO, STR, "smtp.helo")                                                              \
	X(SMTP_MAIL_FROM, STR, "smtp.mail_from")                                                    \
	X(SMTP_RCPT_TO, LIST, "smtp.rcpt_to")                                                       \
	X(SMTP_RCPT_COUNT, UINT, "smtp.rcpt_count")                                                 \
	X(SMTP_RCPT_ACCEPTED, UINT, "smtp.rcpt_accepted")                                           \
	X(SMTP_REPLY_CODE, STR, "smtp.reply_code")         /* the one after the data, or the last */ \
	X(SMTP_REPLY_TEXT, STR, "smtp.reply_text")                                                  \
	X(SMTP_RESULT, STR, "smtp.result")  /* accepted refused_by_peer refused_by_gate aborted unknown */ \
	X(SMTP_BYTES, UINT, "smtp.message_bytes")                                                   \
	X(SMTP_TLS, BOOL, "smtp.tls")                                                               \
	X(SMTP_MESSAGE_ID, STR, "") /* of one that was accepted: control counts its recipients */   \
	X(EMAIL_FROM, STR, "email.from")                                                            \
	X(EMAIL_TO, LIST, "email.to")                                                               \
	X(EMAIL_CC, LIST, "email.cc")                                                               \
	X(EMAIL_SUBJECT, STR, "email.subject")                                                      \
	X(EMAIL_DATE, STR, "email.date")                                                            \
	X(EMAIL_MESSAGE_ID, STR, "email.message_id")                                                \
	X(EMAIL_X_MAILER, STR, "email.x_mailer")                                                    \
	X(EMAIL_ATTACHMENT, LIST, "email.attachment")                                               \
	X(EMAIL_URL, LIST, "email.url")                                                             \
	X(EMAIL_PARTS, UINT, "email.parts")                                                         \
	X(EMAIL_STATUS, STR, "email.status")                                                        \
	X(EMAIL_SHA256, STR, "email.sha256")        /* replay --digests: the message, unstuffed */   \
	X(EMAIL_PART_SHA256, LIST, "email.part_sha256")   /* replay --digests: each leaf, decoded */ \
	X(SIP_METHOD, STR, "sip.method")                                                            \
	X(SIP_URI, STR, "sip.uri")                                                                  \
	X(SIP_VERSION, STR, "sip.version")                                                          \
	X(SIP_REQUEST_LINE, STR, "sip.request_line")                                                \
	X(SIP_CODE, STR, "sip.code")                                                                \
	X(SIP_REASON, STR, "sip.reason")                                                            \
	X(SIP_RESPONSE_LINE, STR, "sip.response_line")                                              \
	X(SIP_CALL_ID, STR, "sip.call_id")                                                          \
	X(SIP_CSEQ, STR, "sip.cseq")                                                                \
	X(SIP_FROM, STR, "sip.from")                                                                \
	X(SIP_TO, STR, "sip.to")                                                                    \
	X(CALL_ID, STR, "call.call_id")                                                             \
	X(CALL_FROM, STR, "call.from")                                                              \
	X(CALL_TO, STR, "call.to")                                                                  \
	X(CALL_STATE, STR, "call.state")   /* call_state_name() */ \
	X(CALL_CODE, STR, "call.code")                                                              \
	X(CALL_DURATION, NS, "call.duration_s")                                                     \
	X(CALL_RING, NS, "call.ring_s")                                                             \
	X(CALL_SHORT, BOOL, "call.short")                                                           \
	X(CALL_COMPLETED, BOOL, "call.completed")                                                   \
	X(FLOW_PKTS_TOSERVER, UINT, "flow.pkts_toserver")                                           \
	X(FLOW_PKTS_TOCLIENT, UINT, "flow.pkts_toclient")                                           \
	X(FLOW_BYTES_TOSERVER, UINT, "flow.bytes_toserver")                                         \
	X(FLOW_BYTES_TOCLIENT, UINT, "flow.bytes_toclient")                                         \
	X(FLOW_AGE, SEC, "flow.age")                                                                \
	X(FLOW_STATE, STR, "flow.state")     /* new established closed */                           \
	X(FLOW_REASON, STR, "flow.reason")   /* timeout finished reset, or reason_name() */         \
	X(FLOW_MIDSTREAM, BOOL, "flow.midstream")                                                   \
	X(FLOW_BYPASS, STR, "flow.bypass")   /* capture: not all of it came to the dataplane */     \
	X(FLOW_APP, STR, "app_proto")                                                               \
	X(FLOW_SNI, STR, "tls.sni")                                                                 \
	X(ALERT_ACTION, STR, "alert.action")       /* allowed blocked: whether it went on */        \
	X(ALERT_SID, UINT, "alert.signature_id")                                                    \
	X(ALERT_REV, UINT, "alert.rev")                                                             \
	X(ALERT_MSG, STR, "alert.signature")                                                        \
	X(ALERT_CLASS, STR, "alert.category")      /* the rule's classtype */                       \
	X(ALERT_SEVERITY, UINT, "alert.severity")  /* the rule's priority, 1 the gravest */         \
	X(ALERT_AUP, LIST, "alert.metadata.aup")   /* the policy's rows that the rule names */      \
	X(ALERT_SHADOW, BOOL, "alert.shadow")                                                       \
	X(ALERT_BUFFER, STR, "alert.buffer")                                                        \
	X(ALERT_CONTEXT, STR, "alert.context")   /* header values only, cut; never body */           \
	X(VERDICT_ACTION, STR, "verdict.action")   /* verdict_name(); alerts have it too */         \
	X(VERDICT_REASON, STR, "verdict.reason")                                                    \
	X(VERDICT_REJECT, STR, "verdict.reply")                                                     \
	X(VERDICT_OBJECT, STR, "verdict.object")   /* connection message recipient sender call request packet */ \
	X(VERDICT_DETAIL, STR, "verdict.detail")                                                    \
	X(VERDICT_SID, UINT, "verdict.signature_id")   /* with reason rule */                       \
	X(VERDICT_SHADOW, BOOL, "verdict.shadow")                                                   \
	X(ADDRESS_MAIL_FROM, STR, "")                                                               \
	X(ADDRESS_RCPT_TO, STR, "")                                                                 \
	X(ADDRESS_VOID, BOOL, "") /* the flow's last MAIL was refused, its RCPTs with it */          \
	X(KERNEL_FLOW, STR, "")   /* struct kernel_flow */                                          \
	X(DOMAIN_NAME, STR, "")   /* in its normal form (bpf/list.h) */                             \
	X(BOUNCED_HASH, UINT, "") /* list_hash() of LIST_SUPPRESSED */                              \
	X(EVIDENCE_HEADER, STR, "") /* as it came, line ends included */                            \
	X(EVIDENCE_CUT, BOOL, "")   /* there was more of it */                                      \
	X(EVIDENCE_BODY, STR, "")   /* around what a rule with `keep` found: redacted */            \
	X(EVIDENCE_BUFFER, STR, "") /* where that is */                                             \
	X(EVIDENCE_AT, UINT, "")    /* bytes of the buffer before it */
/* clang-format on */

enum field_key {
#define X(key, kind, path) FIELD_KEY_##key,
	EVENT_FIELDS(X)
#undef X
		FIELD_KEY_COUNT,
};

enum event_direction { TO_SERVER, TO_CLIENT };

/* Bit of `direction`: the packet in hand is the tenant's own, not one to it. */
#define EVENT_BY_TENANT (1 << 1)
/* The same: the tenant opened the flow; the packet may be the other end's. */
#define EVENT_TO_OTHERS (1 << 2)

/* Bit of `packet`: a timer's doing, of no packet; the rest of it orders such events. */
#define EVENT_OF_NO_PACKET (1ULL << 63)

/* The packet that caused it, as it came: src is its sender. */
struct event_head {
	uint32_t size;     /* of the record, fields included, a multiple of 8 */
	uint8_t type;      /* enum event_type */
	uint8_t direction; /* enum event_direction, EVENT_BY_TENANT, EVENT_TO_OTHERS */
	uint8_t family;    /* 4, 6 or 0: no address */
	uint8_t proto;     /* IP protocol */
	uint64_t time;     /* ns since 1970, the packet's */
	uint64_t packet;   /* the packet's number in the replay, from 1; 0 in a live gate */
	uint64_t flow_id;
	uint32_t tenant;     /* the slot; control turns it into id and name */
	uint32_t generation; /* the ruleset's */
	uint8_t src[16];
	uint8_t dst[16]; /* IPv4: the first four bytes */
	uint16_t sport;  /* host order */
	uint16_t dport;
	uint16_t vlan;  /* outermost id, 0: none */
	uint16_t count; /* of fields, those included that had no room and were left out */
};

struct event_field {
	uint16_t key;
	uint16_t len; /* of the value that follows; both together are padded to 8 */
};

#endif
