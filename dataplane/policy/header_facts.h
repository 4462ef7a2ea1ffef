/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a tenant's mail says of itself in its header, kept until its end for the checks of the
 * policy (smtp_headers.c judges). Filled by the MIME parser's sink, field by field; a few bits, no
 * text but that of what is refused. Nothing is decided here. On the worker.
 */
#ifndef POSTERN_HEADER_FACTS_H
#define POSTERN_HEADER_FACTS_H

#include "bpf/policy.h"
#include "dataplane/proto/mime.h"

#define HEADER_DETAIL 96 /* bytes kept of what an event tells: a domain, a host, a mark */

enum header_fact {
	HEADER_NUL = 1 << 0, /* a field holds one */
	HEADER_RECEIVED_FORGED = 1
				 << 1,  /* the last server to take it was the provider's, it says */
	HEADER_RECEIVED_OURS = 1 << 2,  /* or one before that */
	HEADER_FORWARDED = 1 << 3,      /* its sender is one that the tenant forwards mail of */
	HEADER_FOREIGN = 1 << 4,        /* its sender's domain is not the tenant's */
	HEADER_DOMAIN_INVALID = 1 << 5, /* its sender's domain can't be one, or is nobody's */
	HEADER_PRECEDENCE_BULK = 1 << 6,
	HEADER_AUTO_REPLY = 1 << 7,
	HEADER_HTTPS = 1 << 8,     /* List-Unsubscribe has such a link */
	HEADER_ONE_CLICK = 1 << 9, /* List-Unsubscribe-Post */
	HEADER_SUBJECT_REPLY = 1 << 10,
	HEADER_MARK = 1 << 11,
	HEADER_TAG = 1 << 12,         /* the tenant's, as it is to be */
	HEADER_TAG_ALTERED = 1 << 13, /* the tenant's, otherwise */
	HEADER_LIST_POST = 1 << 14,   /* members write to its list */
	HEADER_OUTBOUND = 1 << 15,    /* it is a tenant's: the others count */
};

struct header_text {
	uint8_t len;
	char text[HEADER_DETAIL];
};

struct header_facts {
	uint64_t seen;  /* fields that came: bit per enum mime_header_id */
	uint64_t twice; /* and that came again */
	uint32_t facts; /* of enum header_fact */
	struct header_text foreign, invalid, received, mark;
};

/* Bits of what may be there once at most (RFC 5322 3.6). */
#define HEADER_SINGLETONS                                                                   \
	(1ULL << MIME_HEADER_DATE | 1ULL << MIME_HEADER_FROM | 1ULL << MIME_HEADER_SENDER | \
	 1ULL << MIME_HEADER_REPLY_TO | 1ULL << MIME_HEADER_TO | 1ULL << MIME_HEADER_CC |   \
	 1ULL << MIME_HEADER_BCC | 1ULL << MIME_HEADER_MESSAGE_ID |                         \
	 1ULL << MIME_HEADER_IN_REPLY_TO | 1ULL << MIME_HEADER_REFERENCES |                 \
	 1ULL << MIME_HEADER_SUBJECT)

static inline bool header_seen(const struct header_facts *f, enum mime_header_id id)
{
	return f->seen >> id & 1;
}

/* The field that the tenant's mails must have, as in policy.tags; "": none. */
static inline const char *header_tag(const struct policy *policy, uint32_t slot)
{
	return policy->slots[slot].flags & TENANT_HAS_TAG && slot < policy->slot_count
		       ? policy->tags[slot]
		       : "";
}

static inline struct bytes header_text_of(const struct header_text *t)
{
	return bytes_of(t->text, t->len);
}

/* For a mail of the tenant's in `slot`; `outbound` false: nothing will be looked at. */
void header_facts_init(struct header_facts *f, bool outbound);

/* A field of the message itself, of the tenant in `slot`. */
void header_facts_take(struct header_facts *f, const struct policy *policy, uint32_t slot,
		       const struct mime_header *h);

#endif
