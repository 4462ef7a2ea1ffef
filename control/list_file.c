/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/list_file.h"

#include <string.h>

#include "control/text_file.h"

/* Blanks or control characters: two entries in a line, or another kind of file. */
static bool is_one_word(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

uint64_t list_entry(const uint64_t key[2], enum list_kind kind, uint32_t owner, const char *text,
		    const char **expected)
{
	uint8_t normal[LIST_TEXT_MAX];
	size_t len = strlen(text);

	switch (kind) {
	case LIST_OPTOUT:
		*expected = "an address such as user@example.com";
		len = is_one_word(text) ? list_address(text, len, normal) : 0;
		break;
	case LIST_DNC:
	case LIST_NUMBER:
		*expected = "a telephone number such as +14155550100";
		len = list_number(text, len, normal);
		break;
	default:
		*expected = "a domain such as example.com";
		len = is_one_word(text) ? list_domain(text, len, normal) : 0;
	}
	return len ? list_hash(key, kind, owner, normal, len) : 0;
}

int list_file_read(const char *path, const uint64_t key[2], enum list_kind kind, uint32_t owner,
		   struct hash_list *list, struct diag *diag)
{
	struct text_file file;
	const char *entry, *expected;
	int err = text_file_open(&file, path);

	if (err)
		return err;
	while (!err && (entry = text_file_next(&file, diag))) {
		uint64_t hash = list_entry(key, kind, owner, entry, &expected);

		if (hash)
			err = hash_list_add(list, hash);
		else
			diag_error(diag, path, file.line, "expected %s, not \"%.60s\"", expected,
				   entry);
	}
	text_file_close(&file);
	return err;
}
