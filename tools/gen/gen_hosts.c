/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_hosts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool prefix_parse(const char *text, struct gen_prefix *prefix)
{
	char address[GEN_ADDRESS_TEXT];
	const char *slash = strchr(text, '/');
	char *end;
	long bits;

	*prefix = (struct gen_prefix){.family = strchr(text, ':') ? 6 : 4};
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	bits = strtol(slash + 1, &end, 10);
	if (end == slash + 1 || *end || bits < 0 || bits > (prefix->family == 4 ? 32 : 128))
		return false;
	prefix->bits = (uint8_t)bits;
	return inet_pton(prefix->family == 4 ? AF_INET : AF_INET6, address, prefix->address) == 1;
}

void address_text(uint8_t family, const uint8_t *address, char out[GEN_ADDRESS_TEXT])
{
	inet_ntop(family == 4 ? AF_INET : AF_INET6, address, out, GEN_ADDRESS_TEXT);
}

uint32_t hosts_tenant(const struct gen_hosts *hosts, struct gen_random *random)
{
	return 1 + random_below(random, hosts->tenants);
}

/* Host 1 to 250 of the prefix, or what its last byte leaves. */
static void pick_host(const struct gen_prefix *prefix, struct gen_random *random, uint8_t *out)
{
	unsigned int size = prefix->family == 4 ? 4 : 16;
	unsigned int free_bits = 8 * size - prefix->bits;
	uint32_t host = 1 + random_below(random, 250);

	memcpy(out, prefix->address, size);
	if (free_bits < 8)
		host &= (1u << free_bits) - 1;
	out[size - 1] |= (uint8_t)host;
}

static struct gen_prefix tenant_prefix(const struct gen_hosts *hosts, uint32_t tenant,
				       struct gen_random *random)
{
	const struct gen_prefix v4 = {4, 16, {10, (uint8_t)tenant}};
	const struct gen_prefix v6 = {6, 48, {0x20, 0x01, 0x0d, 0xb8, 0, (uint8_t)tenant}};

	if (hosts->prefixes)
		return hosts->prefixes[tenant - 1];
	return random_chance(random, hosts->ipv6) ? v6 : v4;
}

struct gen_path hosts_path(const struct gen_hosts *hosts, uint32_t tenant, uint16_t port,
			   struct gen_random *random)
{
	static const struct gen_prefix internet[] = {
		{4, 24, {198, 51, 100}},
		{4, 24, {203, 0, 113}},
		{6, 48, {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff}},
	};
	struct gen_prefix inside = tenant_prefix(hosts, tenant, random);
	struct gen_path path = {
		.family = inside.family,
		.vlan = hosts->vlan,
		.outer_vlan = hosts->outer_vlan,
	};
	struct gen_endpoint *client = &path.ends[FROM_CLIENT], *server = &path.ends[FROM_SERVER];

	pick_host(&inside, random, client->address);
	pick_host(&internet[inside.family == 6 ? 2 : random_below(random, 2)], random,
		  server->address);
	client->port = (uint16_t)(32768 + random_below(random, 28232));
	server->port = port;
	client->hop_limit = 63;
	server->hop_limit = (uint8_t)(48 + random_below(random, 8));
	client->ip_id = (uint16_t)random_next(random);
	server->ip_id = (uint16_t)random_next(random);
	return path;
}
