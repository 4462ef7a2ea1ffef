/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_mail.h"

#include <errno.h>
#include <stdlib.h>

static void copy(struct bytes value, char *out, size_t size)
{
	if (!*out) /* the first of a kind counts */
		feedback_text(value, out, size);
}

/* "dns; mx.example.org", "smtp; 550 …" (RFC 3464 2.1.2): what follows the type. */
static struct bytes typed(struct bytes value)
{
	const uint8_t *semicolon = bytes_chr(value, ';');

	return semicolon ? bytes_trim(bytes_of(semicolon + 1,
					       (size_t)(value.p + value.len - semicolon) - 1))
			 : value;
}

static void copy_address(struct bytes value, char out[FEEDBACK_ADDRESS])
{
	if (!*out)
		feedback_address(value, out);
}

/* RFC 5965 3.2: unsigned, of 32 bits. */
static void take_incidents(struct feedback_item *item, struct bytes value)
{
	uint64_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (!ascii_isdigit(value.p[i]) || n > UINT32_MAX)
			return;
		n = n * 10 + (uint64_t)(value.p[i] - '0');
	}
	if (value.len && n && n <= UINT32_MAX)
		item->incidents = (uint32_t)n;
}

/* RFC 5965 3. */
static void report_field(struct feedback_mail *m, struct bytes name, struct bytes value)
{
	struct feedback_item *item = &m->item;

	if (bytes_caseeq(name, BYTES("Feedback-Type"))) {
		copy(value, item->type, sizeof(item->type));
		m->has_type = true;
	} else if (bytes_caseeq(name, BYTES("User-Agent"))) {
		copy(value, item->reporter, sizeof(item->reporter));
	} else if (bytes_caseeq(name, BYTES("Original-Mail-From"))) {
		copy_address(value, item->from);
	} else if (bytes_caseeq(name, BYTES("Original-Rcpt-To"))) {
		copy_address(value, item->rcpt);
	} else if (bytes_caseeq(name, BYTES("Source-IP"))) {
		if (!*item->address)
			feedback_ip(value, item->address);
	} else if (bytes_caseeq(name, BYTES("Arrival-Date")) ||
		   bytes_caseeq(name, BYTES("Received-Date"))) { /* RFC 5965 3.2, obsolete name */
		copy(value, item->arrived, sizeof(item->arrived));
	} else if (bytes_caseeq(name, BYTES("Original-Envelope-Id"))) {
		copy(value, item->envelope, sizeof(item->envelope));
	} else if (bytes_caseeq(name, BYTES("Incidents"))) {
		take_incidents(item, value);
	}
}

/* RFC 3464 2.2: the first block. */
static void message_field(struct feedback_mail *m, struct bytes name, struct bytes value)
{
	struct feedback_item *item = &m->item;

	if (bytes_caseeq(name, BYTES("Original-Envelope-Id")))
		copy(value, item->envelope, sizeof(item->envelope));
	else if (bytes_caseeq(name, BYTES("Reporting-MTA")))
		copy(typed(value), item->reporter, sizeof(item->reporter));
	else if (bytes_caseeq(name, BYTES("Arrival-Date")))
		copy(value, item->arrived, sizeof(item->arrived));
}

/* RFC 3464 2.3: each block after it. */
static void recipient_field(struct feedback_mail *m, struct bytes name, struct bytes value)
{
	struct feedback_recipient *r = &m->recipient[m->recipients];

	m->beyond = m->recipients == FEEDBACK_RECIPIENTS;
	if (m->beyond)
		return;
	if (bytes_caseeq(name, BYTES("Original-Recipient"))) {
		feedback_address(value, r->rcpt);
		r->is_original = true;
	} else if (bytes_caseeq(name, BYTES("Final-Recipient"))) {
		if (!r->is_original)
			feedback_address(value, r->rcpt);
	} else if (bytes_caseeq(name, BYTES("Action"))) {
		copy(value, r->action, sizeof(r->action));
	} else if (bytes_caseeq(name, BYTES("Status"))) {
		copy(value, r->status, sizeof(r->status));
	} else if (bytes_caseeq(name, BYTES("Remote-MTA"))) {
		copy(typed(value), r->remote, sizeof(r->remote));
	} else if (bytes_caseeq(name, BYTES("Diagnostic-Code"))) {
		copy(typed(value), r->diagnostic, sizeof(r->diagnostic));
	}
}

static bool is_recipient_field(struct bytes name)
{
	return bytes_caseeq(name, BYTES("Original-Recipient")) ||
	       bytes_caseeq(name, BYTES("Final-Recipient")) ||
	       bytes_caseeq(name, BYTES("Action")) || bytes_caseeq(name, BYTES("Status"));
}

/* Some writers leave the first block out, or the empty line behind it. */
static void status_field(struct feedback_mail *m, struct bytes name, struct bytes value)
{
	if (!m->in_block && is_recipient_field(name))
		m->in_block = true;
	if (m->in_block)
		recipient_field(m, name, value);
	else
		message_field(m, name, value);
}

static void take_tag(struct feedback_mail *m, struct bytes name, struct bytes value)
{
	char *out = m->item.tag;

	for (size_t i = 0; m->tags && m->tags[i] && !*out; i++) {
		if (!bytes_caseeq(name, bytes_of(m->tags[i], strlen(m->tags[i]))))
			continue;
		feedback_text(name, out, FEEDBACK_WORD);
		strcat(out, ": ");
		feedback_text(value, out + strlen(out), FEEDBACK_TAG - strlen(out));
	}
}

static void original_field(struct feedback_mail *m, struct bytes name, struct bytes value)
{
	struct feedback_item *item = &m->item;

	if (bytes_caseeq(name, BYTES("Message-ID"))) {
		if (!*item->message_id)
			feedback_message_id(value, item->message_id);
	} else if (bytes_caseeq(name, BYTES("Return-Path"))) {
		copy_address(value, item->from);
	} else if (bytes_caseeq(name, BYTES("X-HmXmrOriginalRecipient"))) {
		copy_address(value, item->rcpt); /* Microsoft's reports have no Original-Rcpt-To */
	} else {
		take_tag(m, name, value);
	}
}

/* Fields that are text */

static void on_field(void *ctx, struct bytes name, struct bytes value)
{
	struct feedback_mail *m = ctx;

	if (m->role == FEEDBACK_ROLE_REPORT)
		report_field(m, name, value);
	else if (m->role == FEEDBACK_ROLE_STATUS)
		status_field(m, name, value);
	else if (m->role == FEEDBACK_ROLE_ORIGINAL && !m->header_over)
		original_field(m, name, value);
	m->header_begun = true;
}

static void on_block_end(void *ctx)
{
	struct feedback_mail *m = ctx;
	struct feedback_recipient *r = &m->recipient[m->recipients];

	if (m->role == FEEDBACK_ROLE_ORIGINAL)
		m->header_over = m->header_over || m->header_begun;
	if (m->role != FEEDBACK_ROLE_STATUS)
		return;
	if (m->recipients == FEEDBACK_RECIPIENTS) {
		m->left_out += m->beyond;
		m->beyond = false;
	} else if (*r->rcpt || *r->action || *r->status) {
		m->recipients++;
	} else {
		m->in_block = true; /* what was read is the mail's */
	}
}

static struct feedback_fields_sink fields_sink(struct feedback_mail *m)
{
	return (struct feedback_fields_sink){on_field, on_block_end, m};
}

/* Parts */

static bool is_type(const struct mime_part *part, struct bytes a, struct bytes b)
{
	return bytes_eq(part->type, a) || bytes_eq(part->type, b);
}

static bool is_original(const struct mime_part *part)
{
	return is_type(part, BYTES("message/rfc822"), BYTES("message/global")) ||
	       is_type(part, BYTES("text/rfc822-headers"), BYTES("message/global-headers"));
}

static void leaf_open(struct feedback_mail *m, enum feedback_role role)
{
	m->role = (uint8_t)role;
	m->header_over = m->header_begun = false;
	feedback_fields_init(&m->fields);
}

/*
 * A mail in the mail, the mail's whole body perhaps. Of the first one the header is read, of any
 * other nothing, and of what is in them nothing either: a report in there is not this one's.
 */
static void container_open(struct feedback_mail *m, const struct mime_part *part)
{
	m->inside = true;
	m->container = part->index;
	m->is_copy = !m->has_original && is_original(part);
	m->has_original |= m->is_copy;
}

/* The part itself is a container's child: its index is the next one. */
static bool is_copys_header(const struct feedback_mail *m, uint16_t part)
{
	return m->inside && m->is_copy && part == m->container + 1;
}

static void on_part_begin(void *ctx, const struct mime_part *part)
{
	struct feedback_mail *m = ctx;

	m->role = FEEDBACK_ROLE_NONE;
	if (m->inside) {
		/* A copy whose header the parser took for a body: it was encoded. */
		if (is_copys_header(m, part->index) && part->kind == MIME_LEAF &&
		    !*m->item.message_id)
			leaf_open(m, FEEDBACK_ROLE_ORIGINAL);
		return;
	}
	if (part->stray) /* behind a multipart's end, where readers show nothing */
		return;
	if (part->kind == MIME_MESSAGE) {
		container_open(m, part);
	} else if (!m->has_report && bytes_eq(part->type, BYTES("message/feedback-report"))) {
		m->has_report = true;
		leaf_open(m, FEEDBACK_ROLE_REPORT);
	} else if (!m->has_status && is_type(part, BYTES("message/delivery-status"),
					     BYTES("message/global-delivery-status"))) {
		m->has_status = true;
		leaf_open(m, FEEDBACK_ROLE_STATUS);
	} else if (!m->has_original && is_original(part)) {
		m->has_original = true;
		leaf_open(m, FEEDBACK_ROLE_ORIGINAL);
	}
}

static void on_header(void *ctx, const struct mime_header *h)
{
	struct feedback_mail *m = ctx;

	if (is_copys_header(m, h->part))
		original_field(m, h->name, h->raw);
	else if (h->part == 0 && h->id == MIME_HEADER_FROM && !*m->item.remote)
		feedback_text(h->raw, m->item.remote, sizeof(m->item.remote));
}

static void on_data(void *ctx, uint16_t part, enum mime_data kind, struct bytes data)
{
	struct feedback_mail *m = ctx;
	const struct feedback_fields_sink sink = fields_sink(m);

	if (m->role && kind != MIME_DATA_OUTSIDE && kind != MIME_DATA_PREAMBLE)
		feedback_fields_feed(&m->fields, data, &sink);
}

static void on_part_end(void *ctx, uint16_t part)
{
	struct feedback_mail *m = ctx;
	const struct feedback_fields_sink sink = fields_sink(m);

	if (m->role)
		feedback_fields_finish(&m->fields, &sink);
	m->role = FEEDBACK_ROLE_NONE;
	if (m->inside && part == m->container)
		m->inside = false;
}

static const struct mime_sink sink_of_mime = {
	.header = on_header,
	.part_begin = on_part_begin,
	.data = on_data,
	.part_end = on_part_end,
};

/* Items */

static enum feedback_kind arf_kind(const struct feedback_mail *m)
{
	static const struct {
		const char *type;
		enum feedback_kind kind;
	} types[] = {
		{"abuse", FEEDBACK_COMPLAINT},           {"fraud", FEEDBACK_COMPLAINT},
		{"virus", FEEDBACK_COMPLAINT},           {"not-spam", FEEDBACK_NOT_SPAM},
		{"auth-failure", FEEDBACK_AUTH_FAILURE}, {"opt-out", FEEDBACK_OPT_OUT},
		{"opt-out-list", FEEDBACK_OPT_OUT},
	};

	/* RFC 5965 3.1: a type that we don't know says nothing that we know. */
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(m->item.type, types[i].type) == 0)
			return types[i].kind;
	return FEEDBACK_OTHER;
}

static enum feedback_kind dsn_kind(const struct feedback_recipient *r,
				   const struct feedback_item *item)
{
	/* RFC 3464 2.3.3 */
	if (strcasecmp(r->action, "failed") == 0)
		return feedback_failure(item->code, r->status, item->text);
	if (strcasecmp(r->action, "delayed") == 0)
		return FEEDBACK_DELAYED;
	if (strcasecmp(r->action, "delivered") == 0 || strcasecmp(r->action, "relayed") == 0 ||
	    strcasecmp(r->action, "expanded") == 0)
		return FEEDBACK_DELIVERED;
	return FEEDBACK_OTHER;
}

static void tell_recipient(const struct feedback_mail *m, const struct feedback_recipient *r,
			   const struct feedback_sink *sink)
{
	struct feedback_item item = m->item;

	item.source = FEEDBACK_DSN;
	memcpy(item.rcpt, r->rcpt, sizeof(item.rcpt));
	memcpy(item.remote, r->remote, sizeof(item.remote));
	memcpy(item.type, r->action, sizeof(item.type));
	memcpy(item.status, r->status, sizeof(item.status));
	feedback_reply(bytes_of(r->diagnostic, strlen(r->diagnostic)), item.text, sizeof(item.text),
		       &item.code);
	item.kind = dsn_kind(r, &item);
	sink->item(sink->ctx, &item);
}

static void tell_complaint(struct feedback_mail *m, const struct feedback_sink *sink)
{
	m->item.source = m->has_report ? FEEDBACK_ARF : FEEDBACK_FORWARD;
	m->item.kind = m->has_report ? arf_kind(m) : FEEDBACK_COMPLAINT;
	if (!*m->item.reporter)
		memcpy(m->item.reporter, m->item.remote, sizeof(m->item.reporter));
	m->item.remote[0] = '\0';
	sink->item(sink->ctx, &m->item);
}

void feedback_mail_init(struct feedback_mail *m)
{
	memset(m, 0, offsetof(struct feedback_mail, fields));
	m->item.incidents = 1;
	feedback_fields_init(&m->fields);
	mime_init(&m->mime);
}

void feedback_mail_feed(struct feedback_mail *m, struct bytes data)
{
	mime_feed(&m->mime, data.p, data.len, &sink_of_mime, m);
}

static enum feedback_mail_kind kind_of(const struct feedback_mail *m)
{
	if (m->has_report)
		return m->has_type ? FEEDBACK_MAIL_ARF : FEEDBACK_MAIL_NONE;
	if (m->has_status)
		return m->recipients ? FEEDBACK_MAIL_DSN : FEEDBACK_MAIL_NONE;
	return m->has_original && *m->item.message_id ? FEEDBACK_MAIL_FORWARD : FEEDBACK_MAIL_NONE;
}

enum feedback_mail_kind feedback_mail_finish(struct feedback_mail *m)
{
	mime_finish(&m->mime, &sink_of_mime, m);
	return kind_of(m);
}

void feedback_mail_tell(struct feedback_mail *m, const struct feedback_sink *sink)
{
	const enum feedback_mail_kind kind = kind_of(m);

	if (kind == FEEDBACK_MAIL_ARF || kind == FEEDBACK_MAIL_FORWARD)
		tell_complaint(m, sink);
	for (uint32_t i = 0; kind == FEEDBACK_MAIL_DSN && i < m->recipients; i++)
		tell_recipient(m, &m->recipient[i], sink);
}
