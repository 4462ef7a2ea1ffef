/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/base/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int write_whole(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : -errno;
}

int file_replace(int dir, const char *name, const void *data, size_t size)
{
	char fresh[NAME_MAX + 8];
	int fd, rc;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_whole(fd, data, size);
	close(fd);
	if (!rc && (renameat(dir, fresh, dir, name) != 0 || fsync(dir) != 0))
		rc = -errno;
	if (rc)
		unlinkat(dir, fresh, 0);
	return rc;
}
