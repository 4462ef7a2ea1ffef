/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Every reason the gate can give, once: its name (JSON, metrics), its text
 * (people). Nothing is dropped, refused, altered or given up on without one.
 * Counters, metrics and documents are made from this list.
 */
#ifndef POSTERN_REASON_H
#define POSTERN_REASON_H

/* clang-format off */
#define REASONS(X)                                                                                 \
	X(NONE, "none", "nothing to say")                                                           \
	/* Link and network layer */                                                                \
	X(TRUNCATED, "truncated", "the capture holds less of the packet than the wire did")         \
	X(BAD_LENGTH, "bad_length", "a header's length contradicts the packet's")                   \
	X(BAD_CHECKSUM, "bad_checksum", "the receiver would throw the packet away")                 \
	X(UNKNOWN_LINK, "unknown_link", "a link type the gate does not read")                       \
	X(TUNNEL, "tunnel", "tunnelled traffic is not inspected")                                   \
	X(NOT_IP, "not_ip", "neither IPv4 nor IPv6: passes unread")                                 \
	X(HEADERS_DEEP, "headers_deep", "more IPv6 extension headers than the kernel walks")        \
	X(FRAGMENT_BAD, "fragment_bad", "a fragment overlaps another or is impossible")             \
	X(FRAGMENT_TIMEOUT, "fragment_timeout", "the rest of a fragmented packet never came")       \
	X(FRAGMENT_BUDGET, "fragment_budget", "too many unfinished fragmented packets")             \
	/* Flows and streams */                                                                     \
	X(FLOW_BUDGET, "flow_budget", "the tenant's share of the flow table is full")               \
	X(FLOW_EVICTED, "flow_evicted", "an idle flow made room for a new one")                     \
	X(MIDSTREAM, "midstream", "the flow's start was not seen")                                  \
	X(TCP_OUT_OF_WINDOW, "tcp_out_of_window", "data or RST the receiver would not take")        \
	X(TCP_OVERLAP_DIFFERS, "tcp_overlap_differs", "resent data with other content")             \
	X(TCP_UNVERIFIABLE, "tcp_unverifiable", "resent data that can't be compared any more")      \
	X(TCP_REORDER_BUDGET, "tcp_reorder_budget", "too much data beyond a gap")                   \
	X(TCP_GAP, "tcp_gap", "data that the receiver has was never seen")                          \
	X(EDIT_BUDGET, "edit_budget", "too many refusals at once for the session to go on")         \
	X(AFTER_REFUSAL, "after_refusal", "the session was refused before")                         \
	/* Parsers that lost their place; the policy decides, pass by default */                    \
	X(PARSER_BUDGET, "parser_budget", "no memory left for this session's parser")               \
	X(SMTP_LOST, "smtp_lost", "the SMTP parser lost its place")                                 \
	X(SMTP_LINE_TOO_LONG, "smtp_line_too_long", "a command or reply beyond every limit")        \
	X(SMTP_BARE_LF_END, "smtp_bare_lf_end", "an end of data written with a bare LF")            \
	X(SMTP_ENCRYPTED, "smtp_encrypted", "TLS: metadata only from here on")                      \
	X(MIME_LIMIT, "mime_limit", "a message beyond the MIME parser's bounds")                    \
	X(SIP_MALFORMED, "sip_malformed", "a SIP message that can't be read")                       \
	X(SIP_LOST, "sip_lost", "framing lost in a SIP stream")                                     \
	X(SIP_ENCRYPTED, "sip_encrypted", "TLS: metadata only from here on")                        \
	X(CALL_BUDGET, "call_budget", "the tenant's share of the call table is full")               \
	X(MATCH_BUDGET, "match_budget", "no matcher state left for this message")                   \
	/* Live ports */                                                                            \
	X(OVERSIZE, "oversize", "a frame larger than the gate forwards")                            \
	X(CONGESTION, "congestion", "the port or worker it was for had no room")                    \
	/* The wire, when the dataplane is not there */                                             \
	X(PORT_UNKNOWN, "port_unknown", "the port has no place in the gate")                        \
	X(NO_SOCKET, "no_socket", "no dataplane listens on the queue: failure policy")              \
	X(HEARTBEAT_STALE, "heartbeat_stale", "the dataplane stands still: failure policy")         \
	X(CALL_UNREAD, "call_unread", "a suspended tenant's SIP, unread: it may be an emergency call") \
	/* Policy */                                                                                \
	X(RULE, "rule", "a rule matched")                                                           \
	X(TENANT_SUSPENDED, "tenant_suspended", "the tenant is suspended")                          \
	X(TENANT_CLOSED, "tenant_closed", "the tenant has been suspended for long")                 \
	X(LIMIT_MESSAGES, "limit_messages", "too many messages")                                    \
	X(LIMIT_RECIPIENTS, "limit_recipients", "too many recipients")                              \
	X(LIMIT_RECIPIENTS_MESSAGE, "limit_recipients_message", "too many recipients of one message") \
	X(LIMIT_CONNECTIONS, "limit_connections", "too many new connections")                       \
	X(LIMIT_BYTES, "limit_bytes", "too many bytes")                                             \
	X(LIMIT_CALLS, "limit_calls", "too many new calls")                                         \
	X(LIMIT_SIP_REQUESTS, "limit_sip_requests", "too many SIP requests")                        \
	X(LIMIT_SMS, "limit_sms", "too many texts (SIP MESSAGE)")                                   \
	X(LIMIT_REGISTERS, "limit_registers", "too many registrations")                             \
	X(LIMIT_PACKETS, "limit_packets", "too many packets")                                       \
	X(LIMIT_SYNS, "limit_syns", "too many new TCP connections to any port")                     \
	X(SPOOFED, "spoofed", "a source address that is no tenant's")                               \
	X(BLOCKED, "blocked", "a destination that nobody may reach")                                \
	X(FLOW_DECIDED, "flow_decided", "the flow was decided upon before")                         \
	X(DOMAIN_CONSENT, "domain_consent", "a sender's domain that is not the tenant's")           \
	X(OPT_OUT, "opt_out", "the recipient opted out")                                            \
	X(SPAM_TRAP, "spam_trap", "the recipient is a spam trap that was never anybody's")          \
	X(SPAM_TRAP_RECYCLED, "spam_trap_recycled", "the recipient is a spam trap, somebody's once") \
	X(SUPPRESSED, "suppressed", "the recipient bounced for the tenant lately")                  \
	X(MAILBOMB, "mailbomb", "too many mails to one recipient")                                  \
	X(PER_DOMAIN, "per_domain", "too many recipients of one domain")                            \
	X(DISTINCT_RECIPIENTS, "distinct_recipients", "too many different recipients in a day")     \
	X(DISTINCT_DOMAINS, "distinct_domains", "recipients in too many different domains in a day") \
	X(HARVEST, "harvest", "addresses are tried out")                                            \
	X(NEW_RECIPIENTS, "new_recipients", "too many recipients that were never seen before")      \
	X(SAME_BODY, "same_body", "too many mails with the same text")                              \
	X(RELAY, "relay", "many servers say that they relay nothing")                               \
	X(DO_NOT_CALL, "do_not_call", "the callee is on a do-not-call list")                        \
	X(EMERGENCY_NUMBER, "emergency_number", "an emergency number")                              \
	X(EMERGENCY_MEDIA, "emergency_media", "media of an emergency call: passed, whatever its tenant's state and limits") \
	X(HEADER_MISSING, "header_missing", "a mail without From or without Date")                  \
	X(HEADER_REPEATED, "header_repeated", "a header field twice that may be there once")        \
	X(HEADER_NUL, "header_nul", "a header field with a NUL in it")                              \
	X(RECEIVED_FORGED, "received_forged", "a Received field of the provider's that isn't true") \
	X(DOMAIN_INVALID, "domain_invalid", "a sender's domain that doesn't exist")                 \
	X(UNSUBSCRIBE, "unsubscribe", "bulk mail without a one-click way to unsubscribe")           \
	X(HELO_NAME, "helo_name", "an EHLO name that is somebody else's")                           \
	X(TAG_ALTERED, "tag_altered", "the field that tells whose mail it is says somebody else's") \
	X(TAG_MISSING, "tag_missing", "a mail without the field that tells whose it is")            \
	X(SUBJECT_REPLY, "subject_reply", "bulk mail with an answer's subject")                     \
	X(TRADEMARK, "trademark", "a mark of the provider's")                                       \
	X(CALLS_AT_ONCE, "calls_at_once", "too many calls at once")                                 \
	X(CALLER_ID, "caller_id", "a caller's number that is not the tenant's")                     \
	X(CALL_UNSIGNED, "call_unsigned", "a call without a signed identity (RFC 8224)")            \
	X(CALL_UNWANTED, "call_unwanted", "the callee wants no calls of the tenant's (607)")        \
	X(SMS_OPT_OUT, "sms_opt_out", "the recipient wants no texts")                               \
	X(SMS_STOP, "sms_stop", "a recipient asks for no more texts")                               \
	X(SMS_START, "sms_start", "a recipient who asked for no more texts wants them again")       \
	X(PROBING, "probing", "very many destinations within a minute")                             \
	X(AUTH_FAILURES, "auth_failures", "very many log-ins that fail")                            \
	X(RESTRICTED_INDUSTRY, "restricted_industry", "the tenant's industry is restricted")
/* clang-format on */

enum reason {
#define X(id, name, text) REASON_##id,
	REASONS(X)
#undef X
		REASON_COUNT,
};

/* What becomes of a packet, a command, a message or a SIP transaction; later is stronger. */
enum verdict {
	VERDICT_PASS,
	VERDICT_ALERT,
	VERDICT_DROP,   /* withheld, nobody is told */
	VERDICT_REJECT, /* withheld, and the client is told in its protocol */
	VERDICT_COUNT,
};

#ifndef __bpf__
const char *reason_name(enum reason reason);
const char *reason_text(enum reason reason);
const char *verdict_name(enum verdict verdict);
#endif

#endif
