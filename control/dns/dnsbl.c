/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/dns/dnsbl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool address4(const char *text, uint32_t *out)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		return false;
	*out = ntohl(address.s_addr);
	return *out >> 24 == 127;
}

const char *dnsbl_code_add(struct dnsbl_codes *codes, const char *text)
{
	static const char expected[] = "a code and its name, \"127.0.0.4-127.0.0.7 XBL\"";
	struct dnsbl_code code = {0};
	char range[40] = "", *dash;
	int end = -1;

	if (codes->count == DNSBL_CODES)
		return "no more than 32 codes";
	if (sscanf(text, "%39s %23s%n", range, code.name, &end) != 2 || end < 0 || text[end])
		return expected;
	dash = strchr(range, '-');
	if (dash)
		*dash = '\0';
	if (!address4(range, &code.first) || !address4(dash ? dash + 1 : range, &code.last) ||
	    code.last < code.first)
		return expected;
	codes->code[codes->count++] = code;
	return NULL;
}

static void append(char out[64], const char *word)
{
	const size_t len = strlen(out);

	if (!strstr(out, word) && len + strlen(word) + 2 <= 64)
		snprintf(out + len, 64 - len, "%s%s", len ? " " : "", word);
}

static bool is_blameless(const char *name, const char *const *blameless)
{
	for (; blameless && *blameless; blameless++)
		if (strcmp(*blameless, name) == 0)
			return true;
	return false;
}

static void take_code(struct dnsbl_word *word, uint32_t code, const struct dnsbl_codes *codes,
		      const char *const *blameless)
{
	char number[INET_ADDRSTRLEN];

	word->said = DNSBL_LISTED;
	for (unsigned i = 0; i < codes->count; i++) {
		const struct dnsbl_code *c = &codes->code[i];

		if (code < c->first || code > c->last)
			continue;
		append(word->names, c->name);
		word->blames = word->blames || !is_blameless(c->name, blameless);
		return;
	}
	/* Nobody knows what it stands for: it is told, and blames nobody. */
	inet_ntop(AF_INET, &(struct in_addr){htonl(code)}, number, sizeof(number));
	append(word->names, number);
}

struct dnsbl_word dnsbl_read(const struct dns_answer *answer, const struct dnsbl_codes *codes,
			     const char *const *blameless)
{
	struct dnsbl_word word = {.said = DNSBL_NOTHING};

	if (answer->result == DNS_NXDOMAIN || answer->result == DNS_NODATA)
		word.said = DNSBL_NOT_LISTED;
	if (answer->result != DNS_FOUND)
		return word;
	/* One that is no code makes all of them doubtful. */
	for (unsigned i = 0; i < answer->addresses; i++)
		if (answer->address[i] >> 24 != 127 || answer->address[i] >> 8 == 0x7fffff)
			return word;
	for (unsigned i = 0; i < answer->addresses; i++)
		take_code(&word, answer->address[i], codes, blameless);
	return word;
}

int dnsbl_name(const char *address, const char *zone, char out[DNS_NAME_SIZE])
{
	struct in6_addr six;
	struct in_addr four;
	const uint8_t *b;
	int n = 0;

	if (inet_pton(AF_INET, address, &four) == 1) {
		b = (const uint8_t *)&four;
		n = snprintf(out, DNS_NAME_SIZE, "%u.%u.%u.%u.%s", b[3], b[2], b[1], b[0], zone);
	} else if (inet_pton(AF_INET6, address, &six) == 1) {
		/* RFC 5782 2.4 */
		for (int i = 15; i >= 0; i--)
			n += snprintf(out + n, (size_t)(DNS_NAME_SIZE - n), "%x.%x.",
				      six.s6_addr[i] & 0xf, six.s6_addr[i] >> 4);
		n += snprintf(out + n, (size_t)(DNS_NAME_SIZE - n), "%s", zone);
	} else {
		return -EINVAL;
	}
	return n < DNS_NAME_SIZE ? 0 : -ENAMETOOLONG;
}

enum dnsbl_change dnsbl_take(struct dnsbl_state *s, const struct dnsbl_word *word)
{
	const bool says = word->said == DNSBL_LISTED;

	if (word->said == DNSBL_NOTHING)
		return DNSBL_STAYS;
	if (says) {
		memcpy(s->names, word->names, sizeof(s->names));
		s->blames = word->blames;
	}
	if (says == s->listed) {
		s->against = 0;
		return DNSBL_STAYS;
	}
	if (++s->against < DNSBL_CONFIRM)
		return DNSBL_STAYS;
	s->against = 0;
	s->listed = says;
	return says ? DNSBL_BEGINS : DNSBL_ENDS;
}
