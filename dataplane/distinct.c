/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/distinct.h"

#include "bpf/list.h"
#include "bpf/siphash.h"
#include "dataplane/calls.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/proto/sip_uri.h"

static uint64_t hash_of(const struct worker *w, const void *data, size_t len)
{
	struct siphash h;

	siphash_init(&h, w->calls->key);
	siphash_add(&h, data, len);
	return siphash_end(&h);
}

void distinct_callee(struct worker *w, uint32_t tenant, const struct sip_message *msg)
{
	struct bytes callee = msg->uri;
	struct sip_number number;
	struct sip_uri uri;

	sip_uri_parse(msg->uri, &uri);
	if (sip_number_read(&uri, &number))
		callee = bytes_of(number.digits, number.len);
	sketch_add(&w->tenants[tenant].callees, w->now, hash_of(w, callee.p, callee.len));
}

void distinct_domain(struct worker *w, uint32_t tenant, struct bytes address)
{
	uint8_t domain[LIST_TEXT_MAX];
	size_t at = address.len, len;

	while (at && address.p[at - 1] != '@')
		at--;
	len = at ? list_domain(address.p + at, address.len - at, domain) : 0;
	if (len)
		sketch_add(&w->tenants[tenant].domains, w->now, hash_of(w, domain, len));
}
