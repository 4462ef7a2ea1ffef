/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/json_fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *failed(json_error_t *error, int number)
{
	if (error)
		*error = (json_error_t){.line = 1};
	if (error)
		snprintf(error->text, sizeof(error->text), "%s", strerror(number));
	return NULL;
}

json_t *json_fd_read(int fd, size_t flags, json_error_t *error)
{
	struct stat st;
	json_t *root;
	void *text;

	if (fstat(fd, &st) != 0)
		return failed(error, errno);
	if (!st.st_size) /* mmap() knows no empty ones */
		return json_loadb("", 0, flags, error);
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return failed(error, errno);
	root = json_loadb(text, (size_t)st.st_size, flags, error);
	munmap(text, (size_t)st.st_size);
	return root;
}

int json_fd_write(const json_t *root, int fd)
{
	int copy = dup(fd);
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
	int rc;

	if (!out) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	errno = 0;
	rc = json_dumpf(root, out, JSON_COMPACT) == 0 ? 0 : errno ? -errno : -ENOMEM;
	if (fclose(out) != 0 && !rc)
		rc = -errno;
	return rc;
}
