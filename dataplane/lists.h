/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the configured lists say of an address, a domain or a number. Pure
 * reads of the snapshot, any thread, no lock; a normal form and one or two
 * hashes, about 50 ns. Where a tenant has no such list, one load.
 */
#ifndef POSTERN_LISTS_H
#define POSTERN_LISTS_H

#include "bpf/policy.h"
#include "dataplane/proto/bytes.h"

/* On the tenant's opt-out list or the provider's? `address` as in RCPT TO, brackets or not. */
bool list_opted_out(const struct policy *policy, uint32_t slot, struct bytes address);

/* On the tenant's do-not-call list or the provider's? `number`: a URI's user part, unescaped. */
bool list_do_not_call(const struct policy *policy, uint32_t slot, struct bytes number);

/*
 * May the tenant send from this address: is its domain one of the tenant's, or a subdomain
 * of one given with a dot before it? Always for tenants without TENANT_DOMAIN_CONSENT and
 * for the empty address of bounces (RFC 5321 4.5.5).
 */
bool list_may_send_from(const struct policy *policy, uint32_t slot, struct bytes address);

/* Is the number assigned to the tenant? */
bool list_owns_number(const struct policy *policy, uint32_t slot, struct bytes number);

/*
 * An emergency number of the tenant's country? `number`: a URI's user part, unescaped
 * and without parameters. The whole of it must be the number: "+9112..." is none.
 */
bool list_is_emergency(const struct policy *policy, uint32_t slot, struct bytes number);

#endif
