/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sip/sip_marks.h"

#include "dataplane/policy/words.h"

#define FOLDED_MAX 1024 /* bytes looked at of a field that is folded */

/* Behind the next '<' or '>'. */
static size_t segment(struct bytes value, size_t from, uint8_t until)
{
	const uint8_t *end = from < value.len ? memchr(value.p + from, until, value.len - from)
					      : NULL;

	return end ? (size_t)(end - value.p) : value.len;
}

/* RFC 3261 20.10: a name stands before a URI in brackets; without brackets there is none. */
static bool names_have_mark(const struct policy *policy, struct bytes value, struct bytes *mark)
{
	size_t at = 0;

	while (at < value.len) {
		size_t open = segment(value, at, '<');

		if (open == value.len)
			return false;
		if (words_find(&policy->marks, bytes_of(value.p + at, open - at), mark).len)
			return true;
		at = segment(value, open, '>') + 1;
	}
	return false;
}

bool sip_has_mark(const struct policy *policy, const struct sip_message *msg, struct bytes *mark)
{
	char buf[FOLDED_MAX];

	if (!policy->marks.text[0])
		return false;
	for (unsigned i = 0; i < msg->header_count; i++) {
		const struct sip_header *h = &msg->headers[i];
		struct bytes value = h->value;

		if (h->id != SIP_HEADER_FROM && h->id != SIP_HEADER_CONTACT)
			continue;
		if (h->folded)
			value = bytes_of(buf, sip_header_unfold(h->value, buf, sizeof(buf)));
		if (names_have_mark(policy, value, mark))
			return true;
	}
	return false;
}
