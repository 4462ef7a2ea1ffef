/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/live/snapshot.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

static int image_copy(struct image *image, int fd, size_t size)
{
	uint8_t *copy = aligned_alloc(64, (size + 63) / 64 * 64);
	size_t at = 0;

	if (!copy)
		return -ENOMEM;
	while (at < size) {
		ssize_t n = pread(fd, copy + at, size - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n ? -errno : -EIO;

			free(copy);
			return err;
		}
		at += (size_t)n;
	}
	*image = (struct image){.data = copy, .size = size};
	return 0;
}

static int image_map(struct image *image, int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	*image = (struct image){.data = map, .size = size, .mapped = true};
	return 0;
}

int image_open(struct image *image, int fd, uint64_t size, char *error, size_t error_size)
{
	struct stat st;
	int rc;

	if (fd < 0) {
		snprintf(error, error_size, "no file came with it");
		return -EBADF;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size != size) {
		snprintf(error, error_size, "the file is not of the size that was said");
		return -EINVAL;
	}
	rc = is_sealed(fd) ? image_map(image, fd, size) : image_copy(image, fd, size);
	if (rc)
		snprintf(error, error_size, "the file can't be read: %s", strerror(-rc));
	return rc;
}

void image_close(struct image *image)
{
	if (image->mapped)
		munmap((void *)(uintptr_t)image->data, image->size);
	else
		free((void *)(uintptr_t)image->data);
	*image = (struct image){0};
}
