/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who a client says it is: its EHLO's name, its MAIL's domain. A name alone refuses nobody
 * (RFC 5321 4.1.4), unless the policy says otherwise.
 */
#include <arpa/inet.h>

#include "dataplane/policy/lists.h"
#include "dataplane/policy/prefix.h"
#include "dataplane/policy/words.h"
#include "dataplane/smtp/sender.h"
#include "dataplane/smtp/smtp_sink.h"

/* RFC 5321 4.1.3: "192.0.2.1" or "IPv6:2001:db8::1". 0: it is neither; else the family. */
static unsigned literal_read(struct bytes text, uint8_t addr[16])
{
	char copy[INET6_ADDRSTRLEN + 5];
	bool six = bytes_case_starts(text, BYTES("IPv6:"));

	if (text.len >= sizeof(copy))
		return 0;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	if (six)
		return inet_pton(AF_INET6, copy + 5, addr) == 1 ? 6 : 0;
	return inet_pton(AF_INET, copy, addr) == 1 ? 4 : 0;
}

/*
 * Addresses that are nobody's but in a network of one's own, or of this host (RFC 1918, 3927, 1122;
 * RFC 4193, 4291): clients behind an address translator name them in good faith.
 */
static bool is_local(unsigned family, const uint8_t *a)
{
	if (family == 6)
		return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
		       (a[0] == 0 && a[1] == 0);
	return a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) || (a[0] == 192 && a[1] == 168) ||
	       (a[0] == 169 && a[1] == 254) || a[0] == 127 || a[0] == 0;
}

/* An address that is not the client's, nor another of its tenant's. */
static bool literal_is_anothers(const struct smtp_ctx *c, struct bytes literal)
{
	const struct flow_key *key = &c->f->key;
	unsigned client = c->f->client;
	uint8_t addr[16] = {0};
	unsigned family = literal_read(literal, addr);

	if (!family || is_local(family, addr))
		return false;
	if (family == key->family && memcmp(addr, key->addr[client], family == 6 ? 16 : 4) == 0)
		return false;
	return prefix_lookup(&c->w->policy->prefixes, key->vlan[0], (uint8_t)family, addr) !=
	       c->f->tenant;
}

static bool is_anothers(const struct smtp_ctx *c, struct bytes name)
{
	const struct policy *policy = c->w->policy;

	if (name.len > 2 && name.p[0] == '[' && name.p[name.len - 1] == ']')
		return literal_is_anothers(c, bytes_of(name.p + 1, name.len - 2));
	return words_have_host(&policy->provider_hosts, name) ||
	       list_is_anothers(policy, c->f->tenant, name);
}

bool smtp_check_helo(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	struct bytes name = cmd->argument;
	size_t end = 0;

	if (!(c->f->flags & FLOW_OUTBOUND) || !check_is_on(c->w, REASON_HELO_NAME))
		return false;
	while (end < name.len && !ascii_isblank(name.p[end]))
		end++;
	name.len = end;
	return is_anothers(c, name) &&
	       smtp_check(c, REASON_HELO_NAME, "connection", name, cmd->at, false);
}

bool smtp_check_sender(struct smtp_ctx *c, const struct smtp_command *cmd)
{
	const struct policy *policy = c->w->policy;
	uint32_t tenant = c->f->tenant;
	uint8_t text[LIST_TEXT_MAX];
	bool is_bad = false;
	struct bytes domain = bytes_of(text, list_domain_of(cmd->address, text, &is_bad));

	if (check_is_on(c->w, REASON_DOMAIN_CONSENT) &&
	    !list_may_send_from(policy, tenant, cmd->address) &&
	    smtp_check(c, REASON_DOMAIN_CONSENT, "sender", cmd->address, cmd->at, false))
		return true;
	if ((is_bad || words_have_domain(&policy->reserved_domains, domain) ||
	     list_is_no_domain(policy, domain)) &&
	    smtp_check(c, REASON_DOMAIN_INVALID, "sender", cmd->address, cmd->at, false))
		return true;
	sender_tell(c->w, tenant, domain);
	return false;
}
