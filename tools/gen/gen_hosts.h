/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who talks to whom. Tenant N (from 1) has 10.N.0.0/16 and 2001:db8:N::/48, or
 * the Nth prefix that was given; mail from tenantN.example.com and numbers
 * that begin with +1212555 and N. The internet is documentation's: RFC 5737's
 * 198.51.100.0/24 and 203.0.113.0/24, RFC 3849's 2001:db8:ffff::/48.
 */
#ifndef POSTERN_GEN_HOSTS_H
#define POSTERN_GEN_HOSTS_H

#include "tools/gen/gen_packet.h"
#include "tools/gen/gen_random.h"

enum { GEN_MAX_TENANTS = 200 };

struct gen_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t bits;
	uint8_t address[16];
};

struct gen_hosts {
	uint32_t tenants;            /* 1 to GEN_MAX_TENANTS */
	uint32_t ipv6;               /* share of flows, where the tenant has both families */
	struct gen_prefix *prefixes; /* one a tenant, or NULL */
	uint16_t vlan;
	uint16_t outer_vlan;
};

/* "10.1.0.0/16" or "2001:db8::/32"; false when it is none. */
bool prefix_parse(const char *text, struct gen_prefix *prefix);

/* A tenant's number, from 1. */
uint32_t hosts_tenant(const struct gen_hosts *hosts, struct gen_random *random);
/* A path from one of its hosts to a server's port. Source ports are ephemeral. */
struct gen_path hosts_path(const struct gen_hosts *hosts, uint32_t tenant, uint16_t port,
			   struct gen_random *random);

/* An address as text: "10.1.0.7", "2001:db8:1::7". */
enum { GEN_ADDRESS_TEXT = 46 };
void address_text(uint8_t family, const uint8_t *address, char out[GEN_ADDRESS_TEXT]);

#endif
