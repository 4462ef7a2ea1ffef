/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes are a message: what it says of itself is the same, whole or a byte at a time, and what
 * is kept of it is within bounds. A field that came twice came once.
 */
#include <stdlib.h>

#include "dataplane/policy/header_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tags[] = {"", "Subject: a*"};
static struct tenant_slot slots[2] = {{0}, {.flags = TENANT_DOMAIN_CONSENT | TENANT_HAS_TAG}};
static struct policy policy = {
	.slots = slots,
	.slot_count = 2,
	.tags = tags,
	.marks = {"a\0example bank\0x y\0"},
	.provider_hosts = {"mx.example.com\0.example\0"},
	.reserved_domains = {"invalid\0test\0"},
};

static void on_header(void *ctx, const struct mime_header *h)
{
	if (h->part == 0)
		header_facts_take(ctx, &policy, 1, h);
}

static void read_message(const uint8_t *data, size_t size, size_t step, struct header_facts *facts)
{
	static const struct mime_sink sink = {.header = on_header};
	struct mime *m = malloc(sizeof(*m));

	if (!m)
		abort();
	memset(facts, 0, sizeof(*facts));
	header_facts_init(facts, true);
	mime_init(m);
	for (size_t at = 0; at < size; at += step)
		mime_feed(m, data + at, size - at < step ? size - at : step, &sink, facts);
	mime_finish(m, &sink, facts);
	free(m);
}

static bool is_in_bounds(const struct header_facts *f)
{
	return f->foreign.len <= HEADER_DETAIL && f->invalid.len <= HEADER_DETAIL &&
	       f->received.len <= HEADER_DETAIL && f->mark.len <= HEADER_DETAIL &&
	       !(f->twice & ~f->seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header_facts whole, cut;

	read_message(data, size, size ? size : 1, &whole);
	read_message(data, size, 1, &cut);
	if (!is_in_bounds(&whole) || memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	return 0;
}
