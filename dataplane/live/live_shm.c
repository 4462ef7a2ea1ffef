/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/live/live.h"

/* Sealed in size: neither side can take it away from under the other. */
static int shm_make(const struct shm_layout *layout, int *fdp, struct shm_head **headp)
{
	size_t size = shm_size(layout);
	int fd = memfd_create("postern-dataplane", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;
	int err;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		goto fail;
	shm_format(map, layout);
	*fdp = fd;
	*headp = map;
	return 0;
fail:
	err = -errno;
	close(fd);
	return err;
}

int live_shm_open(struct live *l)
{
	const struct shm_layout layout = {
		.workers = l->options.workers,
		.slots = l->options.tenants + 1,
		.rules = l->options.rules,
		.ring_size = (uint64_t)l->options.ring_mb << 20,
	};
	int rc = shm_make(&layout, &l->shm_fd, &l->shm);

	if (rc)
		return rc;
	l->shm->pid = (uint32_t)getpid();
	l->shm->started = l->started;
	l->shm->cycles_hz = rte_get_tsc_hz();
	snprintf(l->shm->version, sizeof(l->shm->version), "%s", POSTERN_VERSION);
	return 0;
}

void live_shm_close(struct live *l)
{
	if (!l->shm)
		return;
	munmap(l->shm, l->shm->size);
	close(l->shm_fd);
	l->shm = NULL;
}
