/* SPDX-License-Identifier: BSD-3-Clause */
/* What posternd asks the DNS: which addresses, in which block lists. */
#include <arpa/inet.h>

#include "control/config/config.h"
#include "control/dns/dnsbl.h"

/* Those of Spamhaus, whose meaning most others share as far as they have them. */
const char *const config_dnsbl_codes[] = {
	"127.0.0.2 SBL",
	"127.0.0.3 CSS",
	"127.0.0.4-127.0.0.7 XBL",
	"127.0.0.10-127.0.0.11 PBL",
	NULL,
};
const char config_dnsbl_blameless[] = "PBL";

#define AT(member) .offset = offsetof(struct config_dnsbl, member)

/* clang-format off */
const struct setting config_dnsbl_settings[] = {
	{.name = "zone", .type = SETTING_TEXT, AT(zone), .required = true,
	 .help = "its domain: `zen.spamhaus.org`"},
	{.name = "codes", .type = SETTING_TEXTS, AT(codes),
	 .help = "what its answers are called: `[ \"127.0.0.2 SBL\", \"127.0.0.4-127.0.0.7 XBL\" ]`; without: Spamhaus's, SBL, CSS, XBL and PBL"},
	{.name = "blameless", .type = SETTING_TEXTS, AT(blameless),
	 .help = "names whose listings are told and give no points; without: `PBL`, which lists ranges for what they are, not for what they did"},
	{0},
};
/* clang-format on */

static void check_codes(struct diag *diag, const struct setting_texts *codes)
{
	struct dnsbl_codes map = {0};

	for (size_t i = 0; i < codes->count; i++) {
		const char *expected = dnsbl_code_add(&map, codes->items[i].text);

		if (expected)
			setting_error(diag, codes->items[i].where, "expected %s, not \"%s\"",
				      expected, codes->items[i].text);
	}
}

void config_check_dns(const struct config *config, struct diag *diag)
{
	const struct config_gate *g = &config->gate;
	char name[DNS_NAME_SIZE];

	for (size_t i = 0; i < g->egress.count; i++)
		if (dnsbl_name(g->egress.items[i].text, "", name) != 0)
			setting_error(diag, g->egress.items[i].where,
				      "expected an IPv4 or IPv6 address, not \"%s\"",
				      g->egress.items[i].text);
	for (size_t i = 0; i < g->dnsbl.count; i++) {
		const struct config_dnsbl *list = (const struct config_dnsbl *)g->dnsbl.items + i;

		check_codes(diag, &list->codes);
		if (list->zone && dnsbl_name("::", list->zone, name) != 0)
			setting_error(diag, list->where, "\"%s\" is too long for a zone",
				      list->zone);
	}
}
