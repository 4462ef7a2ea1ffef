/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/base/file_replace.h"
#include "control/base/json_fd.h"

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

int json_file_read(int dir, const char *name, json_t **rootp, char *error, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	json_error_t where;

	*rootp = NULL;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0) {
		int rc = -errno;

		snprintf(error, size, "%s", strerror(-rc));
		return rc;
	}
	*rootp = json_fd_read(fd, JSON_REJECT_DUPLICATES, &where);
	close(fd);
	if (*rootp)
		return 0;
	snprintf(error, size, "line %d, column %d: %s", where.line, where.column, where.text);
	return -EINVAL;
}
