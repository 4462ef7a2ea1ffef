/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/slots.h"

#include <errno.h>
#include <fcntl.h>
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
static int create(struct slots *s)
{
	s->fd = memfd_create("postern-tenants", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)s->size) != 0 ||
	    fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return -errno;
	return map(s);
}

static int take(struct slots *s, int left)
{
	size_t keep = s->size;
	struct stat st;

	if (fstat(left, &st) != 0)
		return -errno;
	s->adopted = true;
	if ((size_t)st.st_size == s->size) {
		s->fd = fcntl(left, F_DUPFD_CLOEXEC, 0);
		return s->fd < 0 ? -errno : map(s);
	}
	if ((size_t)st.st_size < keep)
		keep = (size_t)st.st_size / sizeof(struct tenant_slot) * sizeof(struct tenant_slot);
	int rc = create(s);

	if (!rc && pread(left, s->slot, keep, 0) != (ssize_t)keep)
		rc = errno ? -errno : -EIO;
	return rc;
}

int slots_open(int left, uint32_t count, struct slots *slots)
{
	struct slots s = {.fd = -1, .count = count, .size = count * sizeof(struct tenant_slot)};
	int rc = left >= 0 ? take(&s, left) : create(&s);

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

	/* A worker that reads one old and one new word decides once by something in between. */
	STORE(limit[i].interval);
	STORE(limit[i].tolerance);
	/* The debt of a slow limit would hold a fast one back for as long as it was made for. */
	if (wider)
		__atomic_store_n(&live->bucket[i], 0, __ATOMIC_RELAXED);
}

void slot_apply(struct tenant_slot *live, const struct tenant_slot *wanted)
{
	const bool another = live->id != wanted->id;

	STORE(flags);
	STORE(emergency);
	STORE(recipients_per_message);
	STORE(country);
	STORE(shadow);
	STORE(configured_state);
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		limit_apply(live, wanted, i);
		if (another)
			__atomic_store_n(&live->bucket[i], 0, __ATOMIC_RELAXED);
	}
	STORE(id);
	__atomic_store_n(&live->state, wanted->state, __ATOMIC_RELEASE);
}
