/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_kind.h"

#include <stddef.h>
#include <string.h>

#define ADDRESS "an address such as user@example.com"
#define NUMBER  "a telephone number such as +14155550100"
#define DOMAIN  "a domain such as example.com"

/* clang-format off */
const struct list_kind_info list_kinds[] = {
	{"optout", LIST_OPTOUT, true, true, true, ADDRESS, "who wants no mail"},
	{"dnc", LIST_DNC, true, true, false, NUMBER, "who wants no calls"},
	{"trap", LIST_TRAP, false, true, false, ADDRESS, "spam traps that were never anybody's"},
	{"trap-recycled", LIST_TRAP_RECYCLED, false, true, false, ADDRESS, "spam traps that were somebody's once"},
	{"domain", LIST_DOMAIN, true, false, false, DOMAIN ", or .example.com for what is below it", "domains that a tenant sends from"},
	{"forwarder", LIST_FORWARDER, true, true, false, DOMAIN, "domains whose mail is passed on"},
	{"number", LIST_NUMBER, true, false, false, NUMBER, "numbers that a tenant calls from"},
	{"sms", LIST_SMS, true, true, false, NUMBER, "who wants no texts"},
	{"sms-stop", LIST_SMS_STOP, true, false, false, NUMBER, "who said that they want no texts (STOP)"},
	{"suppressed", LIST_SUPPRESSED, true, false, false, ADDRESS, "recipients that bounced"},
	{"invalid-domain", LIST_INVALID_DOMAIN, false, true, false, DOMAIN, "domains that don't exist, or take no mail"},
	{0},
};
/* clang-format on */

const struct list_kind_info *list_kind_find(const char *name)
{
	for (const struct list_kind_info *k = list_kinds; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

const struct list_kind_info *list_kind_of(unsigned kind)
{
	for (const struct list_kind_info *k = list_kinds; k->name; k++)
		if (k->kind == kind)
			return k;
	return NULL;
}

const char *list_kind_names(void)
{
	return "optout, dnc, trap, trap-recycled, domain, forwarder, number, sms, sms-stop, "
	       "suppressed or invalid-domain";
}

/* Blanks or control characters: two entries in a line, or another kind of file. */
static bool is_one_word(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return true;
}

uint64_t list_kind_hash(const struct list_kind_info *info, const uint64_t key[2], uint32_t owner,
			const char *text, size_t len)
{
	enum list_kind kind = info->kind;
	uint8_t normal[LIST_TEXT_MAX];

	switch (kind) {
	case LIST_DNC:
	case LIST_NUMBER:
	case LIST_SMS:
	case LIST_SMS_STOP:
		len = list_number(text, len, normal);
		break;
	case LIST_DOMAIN:
	case LIST_FORWARDER:
	case LIST_INVALID_DOMAIN:
		if (kind == LIST_DOMAIN && len && text[0] == '.') {
			kind = LIST_SUBDOMAINS;
			text++;
			len--;
		}
		if (memchr(text, '@', len))
			return 0;
		len = is_one_word(text, len) ? list_domain(text, len, normal) : 0;
		break;
	default:
		len = is_one_word(text, len) ? list_address(text, len, normal) : 0;
	}
	return len ? list_hash(key, kind, owner, normal, len) : 0;
}
