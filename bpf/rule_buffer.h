/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Every buffer that a rule can name, once: its name, how it is fed, whose it
 * is, and what it holds. The rule parser, the matcher, the documents and the
 * `alert.buffer` field are made from this list. Its order is part of the
 * ruleset's format.
 */
#ifndef POSTERN_RULE_BUFFER_H
#define POSTERN_RULE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum rule_buffer_mode {
	BUFFER_BLOCK,  /* handed over whole */
	BUFFER_STREAM, /* handed over in pieces; matches across them are found */
};

enum rule_buffer_family { BUFFER_SMTP, BUFFER_SIP };

/* Who wrote it. */
enum rule_buffer_side {
	BUFFER_CLIENT, /* to_server */
	BUFFER_SERVER, /* to_client */
	BUFFER_SENDER, /* either: the direction of the message it is of */
};

/* A transaction has one of it, or any number, each matched by itself. */
enum rule_buffer_number { BUFFER_ONE, BUFFER_MANY };

/* clang-format off */
#define RULE_BUFFERS(X)                                                                                  \
	X(SMTP_HELO, "smtp.helo", BLOCK, SMTP, CLIENT, ONE, "argument of HELO or EHLO")                  \
	X(SMTP_MAIL_FROM, "smtp.mail_from", BLOCK, SMTP, CLIENT, ONE, "reverse-path of MAIL, no angle brackets; empty for <>") \
	X(SMTP_RCPT_TO, "smtp.rcpt_to", BLOCK, SMTP, CLIENT, MANY, "forward-path of each RCPT, no angle brackets") \
	X(SMTP_REPLY_CODE, "smtp.reply_code", BLOCK, SMTP, SERVER, MANY, "three digits of each reply")   \
	X(SMTP_REPLY_TEXT, "smtp.reply_text", BLOCK, SMTP, SERVER, MANY, "text of each reply, codes cut off, lines joined by a space") \
	X(EMAIL_FROM, "email.from", BLOCK, SMTP, CLIENT, ONE, "From: field, unfolded, encoded words decoded") \
	X(EMAIL_TO, "email.to", BLOCK, SMTP, CLIENT, ONE, "To: field, likewise")                         \
	X(EMAIL_CC, "email.cc", BLOCK, SMTP, CLIENT, ONE, "Cc: field, likewise")                         \
	X(EMAIL_SUBJECT, "email.subject", BLOCK, SMTP, CLIENT, ONE, "Subject: field, likewise")          \
	X(EMAIL_DATE, "email.date", BLOCK, SMTP, CLIENT, ONE, "Date: field, unfolded")                   \
	X(EMAIL_MESSAGE_ID, "email.message_id", BLOCK, SMTP, CLIENT, ONE, "Message-ID: field, unfolded") \
	X(EMAIL_RECEIVED, "email.received", BLOCK, SMTP, CLIENT, MANY, "each Received: field, unfolded") \
	X(EMAIL_X_MAILER, "email.x_mailer", BLOCK, SMTP, CLIENT, ONE, "X-Mailer: field, unfolded")       \
	X(EMAIL_URL, "email.url", BLOCK, SMTP, CLIENT, MANY, "each URL found in the message's text")     \
	X(EMAIL_HEADER, "email.header", BLOCK, SMTP, CLIENT, MANY, "each header field of the message, unfolded: 'Name: value'") \
	X(EMAIL_BODY_MD5, "email.body_md5", BLOCK, SMTP, CLIENT, ONE, "MD5 of all behind the message's own header, as sent, in 32 hex digits") \
	X(EMAIL_BODY, "email.body", STREAM, SMTP, CLIENT, MANY, "each text part that is no attachment, transfer encoding removed") \
	X(FILE_NAME, "file.name", BLOCK, SMTP, CLIENT, MANY, "name of each attachment, decoded")         \
	X(FILE_DATA, "file.data", STREAM, SMTP, CLIENT, MANY, "content of each attachment, transfer encoding removed; archives stay shut") \
	X(SIP_METHOD, "sip.method", BLOCK, SIP, SENDER, ONE, "method of a request")                      \
	X(SIP_URI, "sip.uri", BLOCK, SIP, SENDER, ONE, "Request-URI as sent")                            \
	X(SIP_FROM, "sip.from", BLOCK, SIP, SENDER, ONE, "From header, unfolded")                        \
	X(SIP_TO, "sip.to", BLOCK, SIP, SENDER, ONE, "To header, unfolded")                              \
	X(SIP_CONTACT, "sip.contact", BLOCK, SIP, SENDER, MANY, "each Contact header, unfolded")         \
	X(SIP_USER_AGENT, "sip.user_agent", BLOCK, SIP, SENDER, ONE, "User-Agent header")                \
	X(SIP_STAT_CODE, "sip.stat_code", BLOCK, SIP, SENDER, ONE, "three digits of a response")         \
	X(SIP_STAT_MSG, "sip.stat_msg", BLOCK, SIP, SENDER, ONE, "reason phrase of a response")          \
	X(SIP_HEADER, "sip.header", BLOCK, SIP, SENDER, MANY, "each header, unfolded: 'Name: value'")    \
	X(SIP_CALL_ID, "sip.call_id", BLOCK, SIP, SENDER, ONE, "Call-ID header")                         \
	X(SIP_VIA, "sip.via", BLOCK, SIP, SENDER, MANY, "each Via header, unfolded")                     \
	X(SIP_CONTENT_TYPE, "sip.content_type", BLOCK, SIP, SENDER, ONE, "Content-Type header")          \
	X(SIP_CONTENT_LENGTH, "sip.content_length", BLOCK, SIP, SENDER, ONE, "Content-Length header")    \
	X(SIP_PROTOCOL, "sip.protocol", BLOCK, SIP, SENDER, ONE, "protocol and version of the first line: SIP/2.0") \
	X(SIP_MESSAGE, "sip.message", BLOCK, SIP, SENDER, ONE, "all of a message as sent, line ends included") \
	X(SIP_BODY, "sip.body", STREAM, SIP, SENDER, ONE, "body of a message")                           \
	X(SIP_REQUEST_LINE, "sip.request_line", BLOCK, SIP, SENDER, ONE, "first line of a request")      \
	X(SIP_RESPONSE_LINE, "sip.response_line", BLOCK, SIP, SENDER, ONE, "first line of a response") \
	X(SDP_ORIGIN, "sdp.origin", BLOCK, SIP, SENDER, ONE, "o= line of a message's SDP, behind the '=': who made it") \
	X(SDP_SESSION_NAME, "sdp.session_name", BLOCK, SIP, SENDER, ONE, "s= line: the session's name") \
	X(SDP_SESSION_INFO, "sdp.session_info", BLOCK, SIP, SENDER, ONE, "i= line of the session") \
	X(SDP_URI, "sdp.uri", BLOCK, SIP, SENDER, ONE, "u= line") \
	X(SDP_EMAIL, "sdp.email", BLOCK, SIP, SENDER, MANY, "each e= line") \
	X(SDP_PHONE_NUMBER, "sdp.phone_number", BLOCK, SIP, SENDER, MANY, "each p= line") \
	X(SDP_CONNECTION_DATA, "sdp.connection_data", BLOCK, SIP, SENDER, ONE, "c= line of the session: where media go") \
	X(SDP_BANDWIDTH, "sdp.bandwidth", BLOCK, SIP, SENDER, MANY, "each b= line of the session") \
	X(SDP_TIME, "sdp.time", BLOCK, SIP, SENDER, MANY, "each t= line") \
	X(SDP_REPEAT_TIME, "sdp.repeat_time", BLOCK, SIP, SENDER, MANY, "each r= line") \
	X(SDP_TIMEZONE, "sdp.timezone", BLOCK, SIP, SENDER, ONE, "z= line") \
	X(SDP_ENCRYPTION_KEY, "sdp.encryption_key", BLOCK, SIP, SENDER, ONE, "k= line of the session") \
	X(SDP_ATTRIBUTE, "sdp.attribute", BLOCK, SIP, SENDER, MANY, "each a= line of the session") \
	X(SDP_MEDIA_MEDIA, "sdp.media.media", BLOCK, SIP, SENDER, MANY, "each m= line: kind, port, protocol, formats") \
	X(SDP_MEDIA_INFO, "sdp.media.media_info", BLOCK, SIP, SENDER, MANY, "each i= line of a media description") \
	X(SDP_MEDIA_CONNECTION_DATA, "sdp.media.connection_data", BLOCK, SIP, SENDER, MANY, "each c= line of a media description") \
	X(SDP_MEDIA_BANDWIDTH, "sdp.media.bandwidth", BLOCK, SIP, SENDER, MANY, "each b= line of a media description; Postern's own") \
	X(SDP_MEDIA_ENCRYPTION_KEY, "sdp.media.encryption_key", BLOCK, SIP, SENDER, MANY, "each k= line of a media description") \
	X(SDP_MEDIA_ATTRIBUTE, "sdp.media.attribute", BLOCK, SIP, SENDER, MANY, "each a= line of a media description; Postern's own")
/* clang-format on */

enum rule_buffer {
#define X(id, name, mode, family, side, count, doc) RULE_BUFFER_##id,
	RULE_BUFFERS(X)
#undef X
		RULE_BUFFER_COUNT,
};

struct rule_buffer_info {
	const char *name;
	const char *doc;
	uint8_t mode, family, side, count; /* the enums above */
};

extern const struct rule_buffer_info rule_buffers[RULE_BUFFER_COUNT];

/* The buffer of that name, or RULE_BUFFER_COUNT. Pure. */
enum rule_buffer rule_buffer_find(const char *name, size_t len);

#endif
