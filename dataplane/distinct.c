/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/distinct.h"

#include "bpf/siphash.h"
#include "dataplane/calls.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/proto/sip_uri.h"

uint64_t distinct_hash(const struct worker *w, struct bytes thing)
{
	struct siphash h;

	siphash_init(&h, w->calls->key);
	siphash_add(&h, thing.p, thing.len);
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
	sketch_add(&w->tenants[tenant].callees, w->now, distinct_hash(w, callee));
}
