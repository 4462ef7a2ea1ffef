/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/json_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/file_replace.h"

int json_file_replace(int dir, const char *name, const json_t *root)
{
	char *text = json_dumps(root, JSON_INDENT(1));
	size_t len;
	int rc;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len] = '\n'; /* instead of its NUL */
	rc = file_replace(dir, name, text, len + 1);
	free(text);
	return rc;
}
