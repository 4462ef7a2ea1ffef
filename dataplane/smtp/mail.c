/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/smtp/mail.h"

#include <stdio.h>

#include "dataplane/evidence.h"
#include "dataplane/policy/lists.h"
#include "dataplane/proto/mailbox.h"
#include "dataplane/smtp/sender.h"

size_t mail_size(void)
{
	return sizeof(struct mail);
}

/* Only this worker writes it; control reads it to see when the last mail has let go. */
static void matcher_hold(struct matcher *m, int change)
{
	uint32_t held = atomic_load_explicit(&m->held, memory_order_relaxed);

	atomic_store_explicit(&m->held, held + (uint32_t)change, memory_order_release);
}

struct mail *mail_new(struct worker *w, struct flow *f, struct bytes from,
		      const struct match_txn *session)
{
	struct mail *mail = pool_get(block_pool_for(&w->messages, f->tenant));

	if (!mail)
		return NULL;
	/* The large members set themselves up when they are needed. */
	memset(mail, 0, offsetof(struct mail, from));
	mail->limited = false;
	header_facts_init(&mail->facts, f->flags & FLOW_OUTBOUND);
	mail->email = (struct event_builder){NULL, 0};
	mail->from_len = (uint16_t)RTE_MIN(from.len, (size_t)MAIL_ADDRESS);
	if (from.len) /* a MAIL may name nobody */
		memcpy(mail->from, from.p, mail->from_len);
	mail->matcher = w->matcher;
	if (w->matcher) {
		struct match_flow flow = match_flow_of(w, f, true);

		matcher_hold(w->matcher, 1);
		match_begin(w->matcher, &mail->txn, &flow, session);
	}
	return mail;
}

void mail_free(struct worker *w, struct flow *f, struct mail *mail)
{
	if (mail->matcher) {
		match_end(mail->matcher, &mail->txn);
		matcher_hold(mail->matcher, -1);
	}
	pool_put(block_pool_for(&w->messages, f->tenant), mail);
}

void mail_rcpt(struct mail *mail, struct bytes address)
{
	mail->rcpts++;
	if (mail->rcpt_len + address.len + 1 > MAIL_RCPTS)
		return;
	if (address.len)
		memcpy(mail->rcpt + mail->rcpt_len, address.p, address.len);
	mail->rcpt_len = (uint16_t)(mail->rcpt_len + address.len);
	mail->rcpt[mail->rcpt_len++] = '\0';
}

/* What the MIME parser's sink works on. */
struct mail_ctx {
	struct worker *w;
	struct mail *mail;
};

static void scan(struct mail_ctx *c, enum rule_buffer buffer, struct bytes data)
{
	if (!c->w->matcher)
		return;
	match_block(c->w->matcher, &c->mail->txn, buffer, data.p, data.len);
	if (c->w->matcher->nhits)
		findings_take(c->w, &c->mail->finding, data);
}

/* Where a header goes: its buffer and its field. */
static const struct {
	uint8_t id;
	uint8_t buffer;
	uint16_t field;
} headers[] = {
	{MIME_HEADER_FROM, RULE_BUFFER_EMAIL_FROM, FIELD_KEY_EMAIL_FROM},
	{MIME_HEADER_TO, RULE_BUFFER_EMAIL_TO, FIELD_KEY_EMAIL_TO},
	{MIME_HEADER_CC, RULE_BUFFER_EMAIL_CC, FIELD_KEY_EMAIL_CC},
	{MIME_HEADER_SUBJECT, RULE_BUFFER_EMAIL_SUBJECT, FIELD_KEY_EMAIL_SUBJECT},
	{MIME_HEADER_DATE, RULE_BUFFER_EMAIL_DATE, FIELD_KEY_EMAIL_DATE},
	{MIME_HEADER_MESSAGE_ID, RULE_BUFFER_EMAIL_MESSAGE_ID, FIELD_KEY_EMAIL_MESSAGE_ID},
	{MIME_HEADER_X_MAILER, RULE_BUFFER_EMAIL_X_MAILER, FIELD_KEY_EMAIL_X_MAILER},
	{MIME_HEADER_RECEIVED, RULE_BUFFER_EMAIL_RECEIVED, FIELD_KEY_COUNT},
};

/* Whose addresses control may want to look up. */
static void tell_senders(struct mail_ctx *c, struct bytes from)
{
	uint8_t domain[LIST_TEXT_MAX];
	struct mailboxes m;
	struct bytes address;

	mailboxes_init(&m, from);
	while (mailboxes_next(&m, &address)) {
		bool is_bad = false;
		size_t len = list_domain_of(address, domain, &is_bad);

		if (!is_bad)
			sender_tell(c->w, c->w->at.flow->tenant, bytes_of(domain, len));
	}
}

static void note_facts(struct mail_ctx *c, const struct mime_header *h)
{
	const struct policy *policy = c->w->policy;
	struct header_facts *facts = &c->mail->facts;

	if (!(facts->facts & HEADER_OUTBOUND))
		return;
	header_facts_take(facts, policy, c->w->at.flow->tenant, h);
	if (policy->tell_domains && h->id == MIME_HEADER_FROM)
		tell_senders(c, h->value);
}

static void on_header(void *ctx, const struct mime_header *h)
{
	struct mail_ctx *c = ctx;
	struct matcher *m = c->w->matcher;

	if (h->part != 0)
		return;
	if (m && m->scans[RULE_BUFFER_EMAIL_HEADER]) {
		uint8_t line[1024];
		int n = snprintf((char *)line, sizeof(line),
				 "%.*s: ", (int)RTE_MIN(h->name.len, 256u),
				 (const char *)h->name.p);
		size_t room = sizeof(line) - (size_t)n;
		size_t len = RTE_MIN(h->value.len, room);

		memcpy(line + n, h->value.p, len);
		scan(c, RULE_BUFFER_EMAIL_HEADER, bytes_of(line, (size_t)n + len));
	}
	for (size_t i = 0; i < RTE_DIM(headers); i++) {
		if (headers[i].id != h->id)
			continue;
		scan(c, headers[i].buffer, h->value);
		if (headers[i].field != FIELD_KEY_COUNT)
			event_put_str(&c->mail->email, headers[i].field, h->value.p,
				      RTE_MIN(h->value.len, (size_t)MAIL_FIELD));
		break;
	}
	note_facts(c, h);
}

static void put_hex(const uint8_t *sum, size_t len, char *hex)
{
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

static void hex_digest(struct sha256_ctx *digest, char hex[2 * SHA256_DIGEST_SIZE + 1])
{
	uint8_t sum[SHA256_DIGEST_SIZE];

	sha256_digest(digest, sizeof(sum), sum);
	put_hex(sum, sizeof(sum), hex);
}

static void on_part_begin(void *ctx, const struct mime_part *part)
{
	struct mail_ctx *c = ctx;
	struct mail *mail = c->mail;

	mail->parts++;
	if (c->w->matcher)
		match_attachment_begin(c->w->matcher, &mail->txn);
	if (part->filename.len) {
		scan(c, RULE_BUFFER_FILE_NAME, part->filename);
		event_put_bytes(&mail->email, FIELD_KEY_EMAIL_ATTACHMENT, part->filename);
	}
	if (part->kind != MIME_LEAF)
		return;
	sha256_init(&mail->part_digest);
	mail->stream = part->is_text ? RULE_BUFFER_EMAIL_BODY : RULE_BUFFER_FILE_DATA;
	mail->stream_open = true;
	url_init(&mail->urls);
	if (c->w->matcher && !match_stream_open(c->w->matcher, &mail->txn, mail->stream)) {
		mail->stream_open = false;
		worker_note(c->w, c->w->at.flow->tenant, REASON_MATCH_BUDGET);
	}
}

static void on_url(void *ctx, struct bytes url, bool cut)
{
	struct mail_ctx *c = ctx;

	scan(c, RULE_BUFFER_EMAIL_URL, url);
	event_put_bytes(&c->mail->email, FIELD_KEY_EMAIL_URL, url);
}

/* As smtp_watch_refuses_message() will ask for it. */
static bool wants_body_digest(const struct worker *w, const struct mail *mail)
{
	return (mail->facts.facts & HEADER_OUTBOUND) && check_is_on(w, REASON_SAME_BODY) &&
	       w->policy->slots[w->at.flow->tenant].same_body;
}

static void on_data(void *ctx, uint16_t part, enum mime_data kind, struct bytes data)
{
	struct mail_ctx *c = ctx;
	struct mail *mail = c->mail;

	if (kind == MIME_DATA_OUTSIDE)
		return;
	if (c->w->options.digests)
		sha256_update(&mail->part_digest, data.len, data.p);
	if (kind == MIME_DATA_TEXT && wants_body_digest(c->w, mail))
		body_digest_add(&mail->body, data.p, data.len);
	if (kind == MIME_DATA_TEXT && (mail->email.head || c->w->matcher))
		url_feed(&mail->urls, data, on_url, c);
	if (!c->w->matcher || !mail->stream_open)
		return;
	match_stream_feed(c->w->matcher, &mail->txn, mail->stream, data.p, data.len);
	if (c->w->matcher->nhits)
		findings_take(c->w, &mail->finding, bytes_of(NULL, 0));
}

static void on_part_end(void *ctx, uint16_t part)
{
	struct mail_ctx *c = ctx;
	struct mail *mail = c->mail;

	if (!mail->stream_open)
		return;
	mail->stream_open = false;
	if (mail->stream == RULE_BUFFER_EMAIL_BODY)
		url_finish(&mail->urls, on_url, c);
	if (c->w->options.digests) {
		char hex[2 * SHA256_DIGEST_SIZE + 1];

		hex_digest(&mail->part_digest, hex);
		event_put_text(&mail->email, FIELD_KEY_EMAIL_PART_SHA256, hex);
	}
	if (!c->w->matcher)
		return;
	match_stream_close(c->w->matcher, &mail->txn, mail->stream);
	if (c->w->matcher->nhits)
		findings_take(c->w, &mail->finding, bytes_of(NULL, 0));
}

static void on_limit(void *ctx, uint16_t part, enum mime_limit limit)
{
	struct mail_ctx *c = ctx;

	if (!c->mail->limited)
		worker_note(c->w, c->w->at.flow->tenant, REASON_MIME_LIMIT);
	c->mail->limited = true;
}

static const struct mime_sink sink = {
	.header = on_header,
	.part_begin = on_part_begin,
	.data = on_data,
	.part_end = on_part_end,
	.limit = on_limit,
};

static void mail_begin(struct worker *w, struct mail *mail)
{
	mail->begun = true;
	mime_init(&mail->mime);
	sha256_init(&mail->digest);
	md5_init(&mail->body_md5);
	body_digest_init(&mail->body);
	mail->line = LINE_EMPTY;
	mail->head_len = 0;
	mail->head_cut = false;
	mail->email = event_start_at(w, mail->record, sizeof(mail->record) - MAIL_RECORD_END,
				     EVENT_EMAIL);
}

/* Cuts off what is of the message's own header: up to its first empty line, which goes too. */
static struct bytes behind_header(struct mail *mail, struct bytes span)
{
	while (span.len && mail->line != BEHIND_HEADER) {
		uint8_t c = span.p[0];

		if (c == '\n')
			mail->line = mail->line == LINE_TEXT ? LINE_EMPTY : BEHIND_HEADER;
		else if (c != '\r')
			mail->line = LINE_TEXT;
		span = bytes_of(span.p + 1, span.len - 1);
	}
	return span;
}

static bool wants_body_md5(const struct worker *w)
{
	return w->matcher && w->matcher->scans[RULE_BUFFER_EMAIL_BODY_MD5];
}

/* Its header is evidence, what is behind it has a digest: where somebody wants either. */
static void split(struct worker *w, struct mail *mail, struct bytes span)
{
	const bool wants_md5 = wants_body_md5(w), wants_header = evidence_is_kept(w);
	struct bytes body;

	if (!wants_md5 && (!wants_header || mail->line == BEHIND_HEADER))
		return;
	body = behind_header(mail, span);
	if (wants_header && body.len < span.len)
		evidence_keep(mail, bytes_of(span.p, span.len - body.len));
	if (wants_md5)
		md5_update(&mail->body_md5, body.len, body.p);
}

static void scan_body_md5(struct mail_ctx *c)
{
	uint8_t sum[MD5_DIGEST_SIZE];
	char hex[2 * MD5_DIGEST_SIZE + 1];

	if (!wants_body_md5(c->w) || c->mail->incomplete)
		return;
	md5_digest(&c->mail->body_md5, sizeof(sum), sum);
	put_hex(sum, sizeof(sum), hex);
	scan(c, RULE_BUFFER_EMAIL_BODY_MD5, bytes_of(hex, 2 * sizeof(sum)));
}

/* All of it was read: rules may say what is not there. */
static void scan_whole(struct mail_ctx *c)
{
	struct matcher *m = c->w->matcher;

	if (!m || c->mail->incomplete || c->mail->limited)
		return;
	match_whole(m, &c->mail->txn, BUFFER_SMTP);
	if (m->nhits)
		findings_take(c->w, &c->mail->finding, bytes_of(NULL, 0));
}

void mail_body(struct worker *w, struct mail *mail, struct bytes span)
{
	struct mail_ctx c = {w, mail};

	if (!mail->begun)
		mail_begin(w, mail);
	split(w, mail, span);
	mail->size += span.len;
	if (w->options.digests)
		sha256_update(&mail->digest, span.len, span.p);
	mime_feed(&mail->mime, span.p, span.len, &sink, &c);
}

void mail_gap(struct mail *mail)
{
	mail->incomplete = true;
}

static const char *status(const struct mail *mail)
{
	if (mail->incomplete)
		return "incomplete";
	return mail->limited ? "limited" : "parsed";
}

void mail_end(struct worker *w, struct mail *mail)
{
	struct mail_ctx c = {w, mail};
	char hex[2 * SHA256_DIGEST_SIZE + 1];

	if (!mail->begun)
		mail_begin(w, mail);
	mime_finish(&mail->mime, &sink, &c);
	scan_body_md5(&c);
	scan_whole(&c);
	if (!mail->email.head)
		return;
	mail->email.room += MAIL_RECORD_END;
	event_put_uint(&mail->email, FIELD_KEY_EMAIL_PARTS, mail->parts);
	if (w->options.digests && !mail->incomplete) {
		hex_digest(&mail->digest, hex);
		event_put_text(&mail->email, FIELD_KEY_EMAIL_SHA256, hex);
	}
	event_put_text(&mail->email, FIELD_KEY_EMAIL_STATUS, status(mail));
	mail->email.head->packet = w->packet;
	mail->email.head->time = w->now;
	event_copy(w, mail->email.head);
}
