/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/policy_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MARK_MAX  64
#define TAG_MAX   200
#define FIELD_MAX 60

const char *policy_check_host(const char *text)
{
	static const char expected[] = "a host's name such as \"mx.example.com\", or "
				       "\".example.com\" for all below it";

	if (!text[text[0] == '.'] || strlen(text) > 253 || strstr(text, ".."))
		return expected;
	return strpbrk(text, " \t@<>\"*/\\,;:()[]") ? expected : NULL;
}

const char *policy_check_mark(const char *text)
{
	size_t len = strlen(text);

	if (len >= 2 && len <= MARK_MAX && text[0] != ' ' && text[len - 1] != ' ' &&
	    !strstr(text, "  ") && !strpbrk(text, "\t\r\n"))
		return NULL;
	return "a name of 2 to 64 bytes, with single blanks in it";
}

/* RFC 5322 3.6.8, and a value that a line has room for. */
const char *policy_check_tag(const char *text)
{
	static const char expected[] = "a header field's name, or one with its value: "
				       "\"X-Provider-ID\", \"X-Provider-ID: acme\", "
				       "\"X-Provider-ID: {id}-*\"";
	size_t name = strcspn(text, ":");

	if (!name || name > FIELD_MAX || strlen(text) > TAG_MAX)
		return expected;
	for (size_t i = 0; i < name; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return expected;
	for (text += name; *text; text++)
		if (*text < ' ' || *text > '~')
			return expected;
	return NULL;
}

/* False: there is no room for it. */
static bool word_add(struct policy_words *words, size_t *used, const char *text, size_t len)
{
	if (len + 2 > sizeof(words->text) - *used)
		return false;
	for (size_t i = 0; i < len; i++)
		words->text[*used + i] = (char)tolower((unsigned char)text[i]);
	*used += len + 1;
	return true;
}

static void fill_list(struct policy_words *words, const struct setting_texts *texts,
		      struct diag *diag)
{
	size_t used = 0;

	for (size_t i = 0; i < texts->count; i++)
		if (!word_add(words, &used, texts->items[i].text, strlen(texts->items[i].text))) {
			setting_error(diag, texts->items[i].where,
				      "more than the %u bytes that there is room for",
				      POLICY_WORDS);
			return;
		}
}

/* Blank-separated. */
static void fill_text(struct policy_words *words, const char *text)
{
	size_t used = 0;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		word_add(words, &used, text, len);
		text += len;
	}
}

void policy_words_fill(struct policy *policy, const struct config *config, struct diag *diag)
{
	fill_list(&policy->marks, &config->marks, diag);
	fill_list(&policy->provider_hosts, &config->provider_hosts, diag);
	fill_text(&policy->reserved_domains, config->reserved_domains);
}

static const struct config_tier *tier_of(const struct config *config,
					 const struct config_tenant *tenant)
{
	return tenant->tier ? config_tier_find(config, tenant->tier) : NULL;
}

static const char *tag_setting(const struct config *config, const struct config_tenant *tenant)
{
	const struct config_tier *tier = tier_of(config, tenant);

	if (tenant->required_tag)
		return tenant->required_tag;
	return tier && tier->required_tag ? tier->required_tag : "";
}

uint32_t policy_mail_flags(const struct config *config, const struct config_tenant *tenant)
{
	static const uint32_t flags[] = {
		[MAIL_MIXED] = 0,
		[MAIL_BULK] = TENANT_MAIL_BULK,
		[MAIL_TRANSACTIONAL] = TENANT_MAIL_TRANSACTIONAL,
	};
	const struct config_tier *tier = tier_of(config, tenant);
	uint32_t tag = *tag_setting(config, tenant) ? TENANT_HAS_TAG : 0;

	if (tenant->mail_class != MAIL_AS_TIER)
		return flags[tenant->mail_class] | tag;
	return (tier ? flags[tier->mail_class] : 0) | tag;
}

char *policy_tag_of(const struct config *config, const struct config_tenant *tenant)
{
	const char *from = tag_setting(config, tenant);
	char *tag = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&tag, &size);

	if (!out)
		return NULL;
	while (*from) {
		if (strncmp(from, "{id}", 4) == 0) {
			fprintf(out, "%u", tenant->id);
			from += 4;
		} else if (strncmp(from, "{name}", 6) == 0) {
			fputs(tenant->name, out);
			from += 6;
		} else {
			fputc(*from++, out);
		}
	}
	if (fclose(out) == 0)
		return tag;
	free(tag);
	return NULL;
}
