/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/json_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int write_whole(int fd, const json_t *root)
{
	if (json_dumpfd(root, fd, JSON_INDENT(1)) != 0)
		return errno ? -errno : -EIO;
	if (write(fd, "\n", 1) != 1 || fsync(fd) != 0)
		return errno ? -errno : -EIO;
	return 0;
}

int json_file_replace(int dir, const char *name, const json_t *root)
{
	char fresh[NAME_MAX + 8];
	int fd, rc;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	errno = 0;
	rc = write_whole(fd, root);
	close(fd);
	if (!rc && (renameat(dir, fresh, dir, name) != 0 || fsync(dir) != 0))
		rc = -errno;
	if (rc)
		unlinkat(dir, fresh, 0);
	return rc;
}
