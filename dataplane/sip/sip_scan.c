/* SPDX-License-Identifier: BSD-3-Clause */
/* What rules say of a SIP message: each of their buffers, filled and scanned. */
#include <stdio.h>

#include "dataplane/inspect.h"
#include "dataplane/proto/sdp.h"

static struct bytes unfold(const struct sip_header *h, char *buf, size_t size)
{
	return h->folded ? bytes_of(buf, sip_header_unfold(h->value, buf, size)) : h->value;
}

static enum rule_buffer header_buffer(enum sip_header_id id)
{
	switch (id) {
	case SIP_HEADER_FROM:
		return RULE_BUFFER_SIP_FROM;
	case SIP_HEADER_TO:
		return RULE_BUFFER_SIP_TO;
	case SIP_HEADER_CONTACT:
		return RULE_BUFFER_SIP_CONTACT;
	case SIP_HEADER_USER_AGENT:
		return RULE_BUFFER_SIP_USER_AGENT;
	case SIP_HEADER_CALL_ID:
		return RULE_BUFFER_SIP_CALL_ID;
	case SIP_HEADER_VIA:
		return RULE_BUFFER_SIP_VIA;
	case SIP_HEADER_CONTENT_TYPE:
		return RULE_BUFFER_SIP_CONTENT_TYPE;
	case SIP_HEADER_CONTENT_LENGTH:
		return RULE_BUFFER_SIP_CONTENT_LENGTH;
	default:
		return RULE_BUFFER_COUNT;
	}
}

struct scan {
	struct worker *w;
	struct match_txn txn;
	struct finding finding;
};

static void scan(struct scan *s, enum rule_buffer buffer, struct bytes data)
{
	match_block(s->w->matcher, &s->txn, buffer, data.p, data.len);
	if (s->w->matcher->nhits)
		findings_take(s->w, &s->finding, data);
}

static void scan_headers(struct scan *s, const struct sip_message *msg)
{
	bool whole = s->w->matcher->scans[RULE_BUFFER_SIP_HEADER];
	char buf[4096];

	for (unsigned i = 0; i < msg->header_count; i++) {
		const struct sip_header *h = &msg->headers[i];
		enum rule_buffer buffer = header_buffer(h->id);
		int n;

		if (buffer != RULE_BUFFER_COUNT && s->w->matcher->scans[buffer])
			scan(s, buffer, unfold(h, buf, sizeof(buf)));
		if (!whole)
			continue;
		n = snprintf(buf, sizeof(buf), "%.*s: ", (int)RTE_MIN(h->name.len, 256u),
			     (const char *)h->name.p);
		n += (int)sip_header_unfold(h->value, buf + n, sizeof(buf) - (size_t)n);
		scan(s, RULE_BUFFER_SIP_HEADER, bytes_of(buf, (size_t)n));
	}
}

static void scan_body(struct scan *s, struct bytes body)
{
	struct matcher *m = s->w->matcher;

	if (!m->scans[RULE_BUFFER_SIP_BODY] || !body.len)
		return;
	if (!match_stream_open(m, &s->txn, RULE_BUFFER_SIP_BODY)) {
		worker_note(s->w, s->w->at.flow->tenant, REASON_MATCH_BUDGET);
		return;
	}
	match_stream_feed(m, &s->txn, RULE_BUFFER_SIP_BODY, body.p, body.len);
	match_stream_close(m, &s->txn, RULE_BUFFER_SIP_BODY);
	if (m->nhits)
		findings_take(s->w, &s->finding, bytes_of(NULL, 0));
}

/* Lines of a session description, the session's and its media's: what they are called. */
static const struct {
	uint8_t type;
	bool media;
	uint8_t buffer;
} sdp_lines[] = {
	{'o', false, RULE_BUFFER_SDP_ORIGIN},
	{'s', false, RULE_BUFFER_SDP_SESSION_NAME},
	{'i', false, RULE_BUFFER_SDP_SESSION_INFO},
	{'u', false, RULE_BUFFER_SDP_URI},
	{'e', false, RULE_BUFFER_SDP_EMAIL},
	{'p', false, RULE_BUFFER_SDP_PHONE_NUMBER},
	{'c', false, RULE_BUFFER_SDP_CONNECTION_DATA},
	{'b', false, RULE_BUFFER_SDP_BANDWIDTH},
	{'t', false, RULE_BUFFER_SDP_TIME},
	{'r', false, RULE_BUFFER_SDP_REPEAT_TIME},
	{'z', false, RULE_BUFFER_SDP_TIMEZONE},
	{'k', false, RULE_BUFFER_SDP_ENCRYPTION_KEY},
	{'a', false, RULE_BUFFER_SDP_ATTRIBUTE},
	{'m', true, RULE_BUFFER_SDP_MEDIA_MEDIA},
	{'i', true, RULE_BUFFER_SDP_MEDIA_INFO},
	{'c', true, RULE_BUFFER_SDP_MEDIA_CONNECTION_DATA},
	{'b', true, RULE_BUFFER_SDP_MEDIA_BANDWIDTH},
	{'k', true, RULE_BUFFER_SDP_MEDIA_ENCRYPTION_KEY},
	{'a', true, RULE_BUFFER_SDP_MEDIA_ATTRIBUTE},
};

static enum rule_buffer sdp_buffer(const struct sdp_line *line)
{
	for (size_t i = 0; i < RTE_DIM(sdp_lines); i++)
		if (sdp_lines[i].type == line->type && sdp_lines[i].media == (line->media > 0))
			return (enum rule_buffer)sdp_lines[i].buffer;
	return RULE_BUFFER_COUNT;
}

static bool sdp_is_wanted(const struct matcher *m)
{
	for (size_t i = 0; i < RTE_DIM(sdp_lines); i++)
		if (m->scans[sdp_lines[i].buffer])
			return true;
	return false;
}

static struct bytes sdp_of(const struct sip_message *msg)
{
	unsigned index = 0;
	const struct sip_header *type = sip_header_find(msg, SIP_HEADER_CONTENT_TYPE, &index);
	char buf[1024];

	if (!type)
		return bytes_of(NULL, 0);
	return sdp_in_body(unfold(type, buf, sizeof(buf)), msg->body);
}

/* They are of the body: no event holds them. */
static void scan_sdp(struct scan *s, const struct sip_message *msg)
{
	struct matcher *m = s->w->matcher;
	struct sdp_lines lines = {0};
	struct sdp_line line;

	if (!msg->body.len || !sdp_is_wanted(m))
		return;
	lines.rest = sdp_of(msg);
	while (sdp_line_next(&lines, &line)) {
		enum rule_buffer buffer = sdp_buffer(&line);

		if (buffer == RULE_BUFFER_COUNT)
			continue;
		match_block(m, &s->txn, buffer, line.value.p, line.value.len);
		if (m->nhits)
			findings_take(s->w, &s->finding, bytes_of(NULL, 0));
	}
}

/* The body lies behind the headers, as far as it came. */
static void scan_whole(struct scan *s, const struct sip_message *msg)
{
	struct bytes whole = msg->head;

	if (msg->body.len && msg->body.p == whole.p + whole.len)
		whole.len += msg->body.len;
	match_block(s->w->matcher, &s->txn, RULE_BUFFER_SIP_MESSAGE, whole.p, whole.len);
	if (s->w->matcher->nhits) /* no event holds a body */
		findings_take(s->w, &s->finding, msg->start_line);
}

static void scan_message(struct scan *s, const struct sip_message *msg)
{
	char code[3];

	if (msg->kind == SIP_REQUEST) {
		scan(s, RULE_BUFFER_SIP_METHOD, msg->method);
		scan(s, RULE_BUFFER_SIP_URI, msg->uri);
		scan(s, RULE_BUFFER_SIP_REQUEST_LINE, msg->start_line);
	} else {
		code[0] = (char)('0' + msg->code / 100 % 10);
		code[1] = (char)('0' + msg->code / 10 % 10);
		code[2] = (char)('0' + msg->code % 10);
		scan(s, RULE_BUFFER_SIP_STAT_CODE, bytes_of(code, sizeof(code)));
		scan(s, RULE_BUFFER_SIP_STAT_MSG, msg->reason);
		scan(s, RULE_BUFFER_SIP_RESPONSE_LINE, msg->start_line);
	}
	scan(s, RULE_BUFFER_SIP_PROTOCOL, msg->version);
	scan_headers(s, msg);
	scan_body(s, msg->body);
	scan_sdp(s, msg);
	scan_whole(s, msg);
}

struct finding sip_scan(struct worker *w, struct flow *f, const struct sip_message *msg)
{
	struct scan s; /* match_begin() sets txn up */
	struct match_flow flow;

	s.w = w;
	s.finding = (struct finding){.rule = NULL};
	if (!w->matcher)
		return s.finding;
	flow = match_flow_of(w, f, w->at.to_server);
	match_begin(w->matcher, &s.txn, &flow, NULL);
	scan_message(&s, msg);
	/* Less than was announced says nothing of what was to come. */
	if (msg->error == SIP_ERROR_NONE && msg->content_length <= (int64_t)msg->body.len)
		match_whole(w->matcher, &s.txn, BUFFER_SIP);
	if (w->matcher->nhits)
		findings_take(w, &s.finding, bytes_of(NULL, 0));
	if (s.txn.over_budget)
		worker_note(w, f->tenant, REASON_MATCH_BUDGET);
	match_end(w->matcher, &s.txn);
	return s.finding;
}
