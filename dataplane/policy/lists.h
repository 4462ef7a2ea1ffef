/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lists, configured (in the policy) and imported (bpf/list_set.h), say of an address, a domain
 * or a number. Pure reads of the snapshot, any thread, no lock, no system call; a normal form and
 * two to four hashes, about 50 ns each. Where there is no such list, one or two loads.
 */
#ifndef POSTERN_LISTS_H
#define POSTERN_LISTS_H

#include "bpf/list_set.h"
#include "bpf/policy.h"
#include "dataplane/proto/bytes.h"

/*
 * A question whose answer is on its way from memory: between asking and answering there is
 * something else to do.
 */
struct list_question {
	enum list_kind kind;
	uint32_t owner;
	uint64_t configured[2], imported[2]; /* the provider's, the owner's; 0: not to be asked */
};

/* An address in its normal form (bpf/list.h), to ask of several lists; `len` 0: it has none. */
struct list_form {
	size_t len;
	uint8_t text[LIST_TEXT_MAX];
};

void list_form_of(struct bytes address, struct list_form *form);

struct list_question list_ask_opted_out(const struct policy *policy, uint32_t slot,
					const struct list_form *address);
bool list_answer(const struct policy *policy, const struct list_question *question);

/* On the tenant's opt-out list or the provider's? `address` as in RCPT TO, brackets or not. */
bool list_opted_out(const struct policy *policy, uint32_t slot, struct bytes address);

/* On the tenant's do-not-call list or the provider's? `number`: a URI's user part, unescaped. */
/* Whether there can be one. */
bool list_has_do_not_call(const struct policy *policy, uint32_t slot);
bool list_do_not_call(const struct policy *policy, uint32_t slot, struct bytes number);

enum list_trap {
	LIST_TRAP_NONE,
	LIST_TRAP_PRISTINE, /* nobody's address, ever */
	LIST_TRAP_OLD,      /* somebody's once */
};

/* A spam trap of the provider's? */
enum list_trap list_trap(const struct policy *policy, const struct list_form *address);

/* Of an address, on the list of those that bounced for the tenant; of no address: 0. */
uint64_t list_suppressed_hash(const struct policy *policy, uint32_t slot, const uint64_t key[2],
			      const struct list_form *address);
/* Is it there? `now`: ns since 1970. */
bool list_suppressed(const struct policy *policy, uint32_t slot, uint64_t hash, uint64_t now);

/*
 * May the tenant send from this address: is its domain one of the tenant's, or a subdomain
 * of one given with a dot before it, or one that it forwards mail of? Always for tenants without
 * TENANT_DOMAIN_CONSENT and for the empty address of bounces (RFC 5321 4.5.5).
 */
bool list_may_send_from(const struct policy *policy, uint32_t slot, struct bytes address);

/* Is the domain of the address, on the tenant's list or the provider's, one that it forwards mail
 * of? */
bool list_is_forwarded(const struct policy *policy, uint32_t slot, struct bytes address);

/*
 * Does the host have a name below a domain of another tenant's, and none of the tenant's own? Of
 * domains in the configuration alone: those imported are known by their tenant's list only.
 */
bool list_is_anothers(const struct policy *policy, uint32_t slot, struct bytes host);

/* Is the domain, in its normal form, on the list of those that were looked up and don't exist? */
bool list_is_no_domain(const struct policy *policy, struct bytes domain);

/*
 * The normal form (bpf/list.h) of an address's domain; 0: it has none. `is_bad` (may be NULL): it
 * has one that no domain can be.
 */
size_t list_domain_of(struct bytes address, uint8_t out[LIST_TEXT_MAX], bool *is_bad);

/* On a list of those who want no texts, the tenant's or the provider's? */
bool list_wants_no_texts(const struct policy *policy, uint32_t slot, struct bytes number);
/* The same, because it told the tenant so, and didn't take it back. */
bool list_said_stop(const struct policy *policy, uint32_t slot, struct bytes number);

/* Whether any number is, by the configuration or by command. */
bool list_has_numbers(const struct policy *policy, uint32_t slot);

/* Is the number assigned to the tenant? */
bool list_owns_number(const struct policy *policy, uint32_t slot, struct bytes number);

/*
 * An emergency number of the tenant's country? `number`: a URI's user part, unescaped
 * and without parameters. The whole of it must be the number: "+9112..." is none.
 */
bool list_is_emergency(const struct policy *policy, uint32_t slot, struct bytes number);

#endif
