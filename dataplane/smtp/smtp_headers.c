/* SPDX-License-Identifier: BSD-3-Clause */
/* What a mail's header says of itself, held to the policy at the mail's end. */
#include "dataplane/smtp/smtp_sink.h"

#define PORT_SUBMISSION 587

/* Whose end waits for the verdict. */
struct judged {
	struct smtp_ctx *c;
	const struct mail *mail;
	const struct header_facts *facts;
	struct smtp_span at;
};

static bool has(const struct judged *j, enum header_fact fact)
{
	return j->facts->facts & fact;
}

static bool refuse(const struct judged *j, enum reason reason, struct bytes detail)
{
	return smtp_check(j->c, reason, "message", detail, j->at, true);
}

static uint32_t tenant_flags(const struct judged *j)
{
	return j->c->w->policy->slots[j->c->f->tenant].flags;
}

/* What people are written to by whom they may not know: the tenant's kind, or the mail's marks. */
static bool is_bulk(const struct judged *j)
{
	const struct header_facts *f = j->facts;

	/* RFC 5321 4.5.5: reports of what became of a mail. */
	if (tenant_flags(j) & TENANT_MAIL_TRANSACTIONAL || !j->mail->from_len)
		return false;
	if (tenant_flags(j) & TENANT_MAIL_BULK)
		return true;
	return !has(j, HEADER_AUTO_REPLY) && !has(j, HEADER_LIST_POST) &&
	       (has(j, HEADER_PRECEDENCE_BULK) || header_seen(f, MIME_HEADER_LIST_ID) ||
		header_seen(f, MIME_HEADER_LIST_UNSUBSCRIBE) ||
		header_seen(f, MIME_HEADER_FEEDBACK_ID));
}

/* Told, in the shipped policy; the mail goes on. */
static bool judge_claims(const struct judged *j)
{
	const struct header_facts *f = j->facts;

	if (has(j, HEADER_MARK) && refuse(j, REASON_TRADEMARK, header_text_of(&f->mark)))
		return true;
	if (has(j, HEADER_SUBJECT_REPLY) && !header_seen(f, MIME_HEADER_IN_REPLY_TO) &&
	    !header_seen(f, MIME_HEADER_REFERENCES) && is_bulk(j) &&
	    refuse(j, REASON_SUBJECT_REPLY, mime_header_name(MIME_HEADER_SUBJECT)))
		return true;
	return has(j, HEADER_TAG_ALTERED) && !has(j, HEADER_TAG) &&
	       refuse(j, REASON_TAG_ALTERED, bytes_of(NULL, 0));
}

/* RFC 5322 3.6: From and Date once, what else there is of its kind once at most. */
static bool judge_form(const struct judged *j)
{
	const struct flow_key *key = &j->c->f->key;
	const struct header_facts *f = j->facts;
	uint64_t twice = f->twice & HEADER_SINGLETONS;
	/* RFC 6409 8.2: the date may be the submission server's to add. */
	bool is_submitted = key->port[!j->c->f->client] == PORT_SUBMISSION;

	if (twice && refuse(j, REASON_HEADER_REPEATED,
			    mime_header_name((enum mime_header_id)__builtin_ctzll(twice))))
		return true;
	if (has(j, HEADER_NUL) && refuse(j, REASON_HEADER_NUL, bytes_of(NULL, 0)))
		return true;
	if (j->mail->incomplete)
		return false;
	if (!header_seen(f, MIME_HEADER_FROM))
		return refuse(j, REASON_HEADER_MISSING, mime_header_name(MIME_HEADER_FROM));
	return !header_seen(f, MIME_HEADER_DATE) && !is_submitted &&
	       refuse(j, REASON_HEADER_MISSING, mime_header_name(MIME_HEADER_DATE));
}

/*
 * A mail that comes from a tenant was not taken last by a server of the provider's. It was by one
 * before, where it is one that is passed on: its sender is declared. The tenant's tag, which these
 * servers know, says that it is true.
 */
static bool judge_received(const struct judged *j)
{
	bool forged = has(j, HEADER_RECEIVED_FORGED) ||
		      (has(j, HEADER_RECEIVED_OURS) && !has(j, HEADER_FORWARDED));

	return forged && !has(j, HEADER_TAG) &&
	       refuse(j, REASON_RECEIVED_FORGED, header_text_of(&j->facts->received));
}

static bool judge_sender(const struct judged *j)
{
	const struct header_facts *f = j->facts;

	if (has(j, HEADER_FOREIGN) && refuse(j, REASON_DOMAIN_CONSENT, header_text_of(&f->foreign)))
		return true;
	return has(j, HEADER_DOMAIN_INVALID) &&
	       refuse(j, REASON_DOMAIN_INVALID, header_text_of(&f->invalid));
}

static bool judge_tag(const struct judged *j)
{
	const char *tag = header_tag(j->c->w->policy, j->c->f->tenant);

	return *tag && !has(j, HEADER_TAG) && !j->mail->incomplete &&
	       refuse(j, REASON_TAG_MISSING, bytes_of(tag, strcspn(tag, ":")));
}

/* RFC 2369, RFC 8058 3.1: both fields, and a link of https. */
static bool judge_unsubscribe(const struct judged *j)
{
	if (j->mail->incomplete || !is_bulk(j) ||
	    (has(j, HEADER_HTTPS) && has(j, HEADER_ONE_CLICK)))
		return false;
	return refuse(j, REASON_UNSUBSCRIBE,
		      mime_header_name(has(j, HEADER_HTTPS) ? MIME_HEADER_LIST_UNSUBSCRIBE_POST
							    : MIME_HEADER_LIST_UNSUBSCRIBE));
}

bool smtp_judge_headers(struct smtp_ctx *c, const struct mail *mail, struct smtp_span at)
{
	const struct judged j = {.c = c, .mail = mail, .facts = &mail->facts, .at = at};

	if (!has(&j, HEADER_OUTBOUND))
		return false;
	return judge_claims(&j) || judge_form(&j) || judge_received(&j) || judge_sender(&j) ||
	       judge_tag(&j) || judge_unsubscribe(&j);
}
