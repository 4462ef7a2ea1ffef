/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/header_facts.h"

#include "bpf/tag.h"
#include "dataplane/policy/lists.h"
#include "dataplane/policy/words.h"
#include "dataplane/proto/mail_field.h"
#include "dataplane/proto/mailbox.h"

void header_facts_init(struct header_facts *f, bool outbound)
{
	f->seen = f->twice = 0;
	f->facts = outbound ? HEADER_OUTBOUND : 0;
	f->foreign.len = f->invalid.len = f->received.len = f->mark.len = 0;
}

/* The first of its kind is what is told. */
static void note(struct header_facts *f, enum header_fact fact, struct header_text *text,
		 struct bytes what)
{
	if (f->facts & fact)
		return;
	f->facts |= fact;
	text->len = (uint8_t)(what.len < HEADER_DETAIL ? what.len : HEADER_DETAIL);
	if (text->len)
		memcpy(text->text, what.p, text->len);
}

static void take_address(struct header_facts *f, const struct policy *policy, uint32_t slot,
			 struct bytes as_written)
{
	uint8_t clean[MAILBOX_ADDRESS], domain[LIST_TEXT_MAX];
	struct bytes address = bytes_of(clean, mailbox_clean(as_written, clean));
	struct bytes name = bytes_of(domain, 0);
	bool is_bad = false;

	if (!address.len && as_written.len)
		address = as_written; /* too long to be one */
	name.len = list_domain_of(address, domain, &is_bad);
	if (!list_may_send_from(policy, slot, address))
		note(f, HEADER_FOREIGN, &f->foreign, name.len ? name : address);
	if (is_bad || words_have_domain(&policy->reserved_domains, name) ||
	    list_is_no_domain(policy, name))
		note(f, HEADER_DOMAIN_INVALID, &f->invalid, name.len ? name : address);
	if (list_is_forwarded(policy, slot, address))
		f->facts |= HEADER_FORWARDED;
}

/* Readers take a field's addresses before they decode words in it, or after: both count. */
static void take_addresses(struct header_facts *f, const struct policy *policy, uint32_t slot,
			   const struct mime_header *h)
{
	struct mailboxes m;
	struct bytes address;

	/* What is behind its end can't be told. */
	if (h->cut && policy->slots[slot].flags & TENANT_DOMAIN_CONSENT)
		note(f, HEADER_FOREIGN, &f->foreign, BYTES("a field too long to be read"));
	for (int i = 0; i < (h->value.p == h->raw.p ? 1 : 2); i++) {
		struct bytes value = i ? h->value : h->raw;

		mailboxes_init(&m, value);
		while (mailboxes_next(&m, &address)) {
			bool is_cut = (h->cut || (i && h->value_cut)) &&
				      address.p + address.len == value.p + value.len;

			if (!is_cut)
				take_address(f, policy, slot, address);
		}
	}
}

/* An address in brackets, or one alone: not with a name before it. */
static bool is_address_alone(struct bytes address)
{
	for (size_t i = 0; i < address.len; i++)
		if (ascii_isblank(address.p[i]) || address.p[i] == '"')
			return false;
	return true;
}

static void take_marks(struct header_facts *f, const struct policy *policy, const uint8_t *from,
		       const uint8_t *to)
{
	struct bytes mark;

	if (words_find(&policy->marks, bytes_of(from, (size_t)(to - from)), &mark).len)
		note(f, HEADER_MARK, &f->mark, mark);
}

/* In a From field the names count, not the addresses. */
static void take_marks_of_names(struct header_facts *f, const struct policy *policy,
				struct bytes value)
{
	const uint8_t *from = value.p;
	struct mailboxes m;
	struct bytes address;

	mailboxes_init(&m, value);
	while (mailboxes_next(&m, &address)) {
		if (!is_address_alone(address))
			continue;
		take_marks(f, policy, from, address.p);
		from = address.p + address.len;
	}
	take_marks(f, policy, from, value.p + value.len);
}

static void take_received(struct header_facts *f, const struct policy *policy, struct bytes value,
			  bool is_last)
{
	struct bytes host;

	if (!policy->provider_hosts.text[0])
		return;
	host = received_by(value);
	if (!host.len || !words_have_host(&policy->provider_hosts, host))
		return;
	note(f, is_last ? HEADER_RECEIVED_FORGED : HEADER_RECEIVED_OURS, &f->received, host);
}

static void take_precedence(struct header_facts *f, struct bytes value)
{
	if (bytes_caseeq(value, BYTES("bulk")) || bytes_caseeq(value, BYTES("list")))
		f->facts |= HEADER_PRECEDENCE_BULK;
}

/* The tenant's tag: its name, and if there is a colon, its value or how that begins. */
static void take_tag(struct header_facts *f, const char *tag, const struct mime_header *h)
{
	enum tag_fit fit = tag_look(tag, h->name.p, h->name.len, h->raw.p, h->raw.len);

	if (fit != TAG_ANOTHER)
		f->facts |= fit == TAG_FITS ? HEADER_TAG : HEADER_TAG_ALTERED;
}

static void take_known(struct header_facts *f, const struct policy *policy, uint32_t slot,
		       const struct mime_header *h, bool is_first)
{
	switch (h->id) {
	case MIME_HEADER_FROM:
		take_addresses(f, policy, slot, h);
		if (policy->marks.text[0])
			take_marks_of_names(f, policy, h->value);
		break;
	case MIME_HEADER_SENDER:
		take_addresses(f, policy, slot, h);
		break;
	case MIME_HEADER_SUBJECT:
		if (subject_is_reply(h->value))
			f->facts |= HEADER_SUBJECT_REPLY;
		take_marks(f, policy, h->value.p, h->value.p + h->value.len);
		break;
	case MIME_HEADER_RECEIVED:
		take_received(f, policy, h->raw, is_first);
		break;
	case MIME_HEADER_PRECEDENCE:
		take_precedence(f, h->raw);
		break;
	case MIME_HEADER_AUTO_SUBMITTED:
		/* RFC 3834 5: what a person's vacation says is not bulk. */
		if (bytes_case_starts(h->raw, BYTES("auto-replied")))
			f->facts |= HEADER_AUTO_REPLY;
		break;
	case MIME_HEADER_LIST_POST:
		/* RFC 2369 3.4: "NO" is how a list says that it only announces. */
		if (bytes_chr(h->raw, '<'))
			f->facts |= HEADER_LIST_POST;
		break;
	case MIME_HEADER_LIST_UNSUBSCRIBE:
		if (unsubscribe_has_https(h->raw))
			f->facts |= HEADER_HTTPS;
		break;
	case MIME_HEADER_LIST_UNSUBSCRIBE_POST:
		if (unsubscribe_is_one_click(h->raw))
			f->facts |= HEADER_ONE_CLICK;
		break;
	default:
		break;
	}
}

void header_facts_take(struct header_facts *f, const struct policy *policy, uint32_t slot,
		       const struct mime_header *h)
{
	uint64_t bit = 1ULL << h->id;

	if (!(f->facts & HEADER_OUTBOUND))
		return;
	if (h->nul)
		f->facts |= HEADER_NUL;
	take_tag(f, header_tag(policy, slot), h);
	f->twice |= f->seen & bit;
	take_known(f, policy, slot, h, !(f->seen & bit));
	f->seen |= bit;
}
