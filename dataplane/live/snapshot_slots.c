/* SPDX-License-Identifier: BSD-3-Clause */
/* The tenants' array: our own, or one that control sends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/live/snapshot_internal.h"
#include "dataplane/policy/memory.h"

size_t snapshot_own_size(const struct snapshot *s)
{
	return s->slots_room * sizeof(struct tenant_slot);
}

/* With whom the first policy names. */
int snapshot_own_slots(struct snapshot *s)
{
	if (s->slots)
		return 0;
	s->slots = memory_reserve(snapshot_own_size(s), MEMORY_SPARSE);
	if (!s->slots)
		return -ENOMEM;
	s->slots_count = s->slots_room;
	s->slots_size = 0;
	return 0;
}

void snapshot_slots_release(struct tenant_slot *slots, size_t mapped, int fd, size_t own)
{
	if (!slots || mapped == SNAPSHOT_BORROWED)
		return;
	if (mapped) {
		munmap(slots, mapped);
		close(fd);
	} else {
		memory_release(slots, own);
	}
}

void snapshot_slots_borrow(struct snapshot *s, struct tenant_slot *slots, uint32_t count)
{
	s->slots = slots;
	s->slots_count = count;
	s->slots_size = SNAPSHOT_BORROWED;
	s->slots_fd = -1;
}

/* An array that may become shorter would end a worker with SIGBUS. */
static bool slots_fd_ok(int fd, uint64_t size)
{
	struct stat st;
	int seals;

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode)) /* a BPF map: mmap() sees to its size */
		return true;
	if ((uint64_t)st.st_size < size)
		return false;
	seals = fcntl(fd, F_GET_SEALS);
	if (seals >= 0 && (seals & F_SEAL_SHRINK))
		return true;
	/* A file, which can't be sealed: its owner controls this process anyway. */
	return (st.st_uid == geteuid() || geteuid() == 0) && st.st_nlink == 1 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int slots_map(int fd, uint64_t size, uint32_t count, struct tenant_slot **slotsp,
		     char *error, size_t error_size)
{
	void *map;

	if (!count || size / sizeof(struct tenant_slot) < count || !slots_fd_ok(fd, size)) {
		snprintf(error, error_size,
			 "no array of %u tenant slots: too small, or not sealed against shrinking",
			 count);
		return -EINVAL;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		int err = -errno;

		snprintf(error, error_size, "the tenants' array can't be mapped: %s",
			 strerror(-err));
		return err;
	}
	*slotsp = map;
	return 0;
}

int snapshot_slots_set(struct snapshot *s, int fd, uint64_t size, uint32_t count, char *error,
		       size_t error_size)
{
	struct tenant_slot *slots = NULL, *before = s->slots;
	size_t before_size = s->slots_size;
	int before_fd = s->slots_fd, kept, rc;

	if (s->policy && count < s->policy->policy->slot_count) {
		snprintf(error, error_size, "the policy in force has %u tenant slots, not %u",
			 s->policy->policy->slot_count, count);
		return -E2BIG;
	}
	rc = slots_map(fd, size, count, &slots, error, error_size);
	if (rc)
		return rc;
	kept = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (kept < 0)
		snprintf(error, error_size, "no descriptor is left");
	rc = kept < 0 ? -errno : 0;
	if (!rc && s->policy)
		rc = snapshot_policy_move(s, slots, s->lists, error, error_size);
	if (rc && rc != -ETIMEDOUT) {
		munmap(slots, size);
		if (kept >= 0)
			close(kept);
		return rc;
	}
	s->slots = slots;
	s->slots_count = count;
	s->slots_size = size;
	s->slots_fd = kept;
	if (!rc)
		snapshot_slots_release(before, before_size, before_fd, snapshot_own_size(s));
	return rc;
}
