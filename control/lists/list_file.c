/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_file.h"

#include <string.h>

#include "control/base/text_file.h"
#include "control/lists/list_kind.h"

uint64_t list_entry(const uint64_t key[2], enum list_kind kind, uint32_t owner, const char *text,
		    const char **expected)
{
	const struct list_kind_info *info = list_kind_of(kind);

	*expected = info->entry;
	return list_kind_hash(info, key, owner, text, strlen(text));
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
