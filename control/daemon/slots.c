/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(struct slots *s)
{
	void *memory = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	s->slot = memory;
	return 0;
}

/* Sealed: whoever maps it need not fear that it becomes shorter. */
static int create_memory(struct slots *s)
{
	s->fd = memfd_create("postern-tenants", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)s->size) != 0 ||
	    fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return -errno;
	return 0;
}

/* Its room is there before anybody maps it. */
static int create_file(struct slots *s, const char *next)
{
	if (unlink(next) != 0 && errno != ENOENT)
		return -errno;
	s->fd = open(next, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;
	return -posix_fallocate(s->fd, 0, (off_t)s->size);
}

/* With what `from` (-1: none) holds; in its place at once, or not at all. */
static int create(struct slots *s, const char *path, int from, size_t size)
{
	size_t keep = size < s->size ? size : s->size;
	char next[PATH_MAX];
	int rc;

	keep = keep / sizeof(struct tenant_slot) * sizeof(struct tenant_slot);
	if (path && snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next))
		return -ENAMETOOLONG;
	rc = path ? create_file(s, next) : create_memory(s);
	if (!rc)
		rc = map(s);
	if (!rc && from >= 0 && pread(from, s->slot, keep, 0) != (ssize_t)keep)
		rc = errno ? -errno : -EIO;
	if (!rc && path && rename(next, path) != 0)
		rc = -errno;
	return rc;
}

/* One that somebody else may write is not believed. */
static int open_kept(const char *path)
{
	int fd = path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	return -1;
}

static bool is_file(const struct stat *st, const char *path)
{
	struct stat there;

	return lstat(path, &there) == 0 && there.st_dev == st->st_dev && there.st_ino == st->st_ino;
}

int slots_open(int left, const char *path, uint32_t count, struct slots *slots)
{
	struct slots s = {.fd = -1, .count = count, .size = count * sizeof(struct tenant_slot)};
	int from = left >= 0 ? fcntl(left, F_DUPFD_CLOEXEC, 0) : open_kept(path), rc;
	struct stat st = {0};

	if ((left >= 0 && from < 0) || (from >= 0 && fstat(from, &st) != 0)) {
		rc = -errno;
	} else if (from >= 0 && (size_t)st.st_size == s.size && (!path || is_file(&st, path))) {
		s.fd = fcntl(from, F_DUPFD_CLOEXEC, 0);
		rc = s.fd < 0 ? -errno : map(&s);
	} else {
		rc = create(&s, path, from, (size_t)st.st_size);
	}
	s.adopted = from >= 0;
	if (from >= 0)
		close(from);
	if (rc)
		slots_close(&s);
	else
		*slots = s;
	return rc;
}

void slots_close(struct slots *s)
{
	if (s->slot && !s->kernels)
		munmap(s->slot, s->size);
	if (s->fd >= 0)
		close(s->fd);
	*s = (struct slots){.fd = -1};
}

#define STORE(member) __atomic_store_n(&live->member, wanted->member, __ATOMIC_RELAXED)

/* Whether `a` ever lets through what `b` would not. */
static bool is_wider(const struct gcra *a, const struct gcra *b)
{
	if (!b->interval)
		return false;
	return !a->interval || a->interval < b->interval || a->tolerance > b->tolerance;
}

static void limit_apply(struct tenant_slot *live, const struct tenant_slot *wanted, unsigned i)
{
	const bool wider = is_wider(&wanted->limit[i], &live->limit[i]);

	gcra_write(&live->limit[i], &wanted->limit[i]);
	/* The debt of a slow limit would hold a fast one back for as long as it was made for. */
	if (wider)
		__atomic_store_n(&live->bucket[i], 0, __ATOMIC_RELAXED);
	if (wider && i == LIMIT_SYNS)
		__atomic_store_n(&live->bucket[BUCKET_SYNS_KNOWN], 0, __ATOMIC_RELAXED);
}

void slot_apply(struct tenant_slot *live, const struct tenant_slot *wanted)
{
	const bool another = live->id != wanted->id;

	STORE(flags);
	STORE(emergency);
#define X(id, name, most) STORE(name);
	TENANT_COUNTS(X)
#undef X
	gcra_write(&live->per_domain, &wanted->per_domain);
	STORE(country);
	STORE(shadow);
	STORE(shadow_checks);
	STORE(configured_state);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		limit_apply(live, wanted, i);
	for (unsigned i = 0; another && i < BUCKET_COUNT; i++)
		__atomic_store_n(&live->bucket[i], 0, __ATOMIC_RELAXED);
	STORE(id);
	__atomic_store_n(&live->state, wanted->state, __ATOMIC_RELEASE);
}
