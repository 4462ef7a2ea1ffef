/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/gate_view.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(offsetof(struct gate_shared, per_tenant_size) == 6 * sizeof(uint32_t),
	       "gate_shared_check() reads the first seven in their order");

struct array {
	const char *name;
	uint32_t size, count;
	bool by_slot; /* `count` of each slot */
};

static const struct array arrays[] = {
#define X(member, map, element, count) {#map, sizeof(element), count, false},
	GATE_ARRAYS(X)
#undef X
#define X(member, map, element, count) {#map, sizeof(element), count, true},
		GATE_SLOT_ARRAYS(X)
#undef X
};

#define ARRAYS (sizeof(arrays) / sizeof(arrays[0]))

/* The members in the order of `arrays`. */
static void view_members(struct gate_view *view, void ***members)
{
	unsigned i = 0;

#define X(member, map, element, count) members[i++] = (void **)(void *)&view->member;
	GATE_ARRAYS(X)
	GATE_SLOT_ARRAYS(X)
#undef X
}

static int bpf(int command, union bpf_attr *attr)
{
	int rc = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return rc < 0 ? -errno : rc;
}

static int pin_open(const char *path)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)path;
	return bpf(BPF_OBJ_GET, &attr);
}

static int map_info(int fd, struct bpf_map_info *info)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	memset(info, 0, sizeof(*info));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info = (uintptr_t)info;
	attr.info.info_len = sizeof(*info);
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static uint32_t array_count(const struct array *a, uint32_t slots)
{
	return a->by_slot ? a->count * slots : a->count;
}

/* An element takes a multiple of eight bytes, the whole a multiple of a page. */
static size_t array_length(const struct array *a, uint32_t slots)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t length = (size_t)((a->size + 7) & ~7u) * array_count(a, slots);

	return (length + page - 1) & ~(page - 1);
}

/* The first array by slots says how many there are: as many as one of the objects has. */
static uint32_t slots_of(const struct array *a, const struct bpf_map_info *info)
{
	return info->max_entries == a->count * GATE_SLOTS_LARGE ? GATE_SLOTS_LARGE
								: GATE_SLOTS_SMALL;
}

static int array_check(const struct array *a, const struct bpf_map_info *info, uint32_t slots,
		       const char *path, char error[GATE_ERROR_SIZE])
{
	const uint32_t count = array_count(a, slots);

	if (info->type == BPF_MAP_TYPE_ARRAY && info->value_size == a->size &&
	    info->max_entries == count && info->map_flags & BPF_F_MMAPABLE)
		return 0;
	snprintf(error, GATE_ERROR_SIZE,
		 "%.150s: of another version: found map type %u, %u of %u bytes, flags %#x; wanted "
		 "type %u, %u of %u bytes, flags %#x",
		 path, info->type, info->max_entries, info->value_size, info->map_flags,
		 BPF_MAP_TYPE_ARRAY, count, a->size, BPF_F_MMAPABLE);
	return -EPROTO;
}

static int array_map(const struct array *a, const char *dir, uint32_t *slots, void **memory,
		     char error[GATE_ERROR_SIZE])
{
	struct bpf_map_info info;
	char path[PATH_MAX];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", dir, a->name);
	fd = pin_open(path);
	rc = fd < 0 ? fd : map_info(fd, &info);
	if (rc >= 0) {
		if (a->by_slot && !*slots)
			*slots = slots_of(a, &info);
		rc = array_check(a, &info, *slots, path, error);
		if (rc < 0)
			goto out;
		*memory = mmap(NULL, array_length(a, *slots), PROT_READ | PROT_WRITE, MAP_SHARED,
			       fd, 0);
		rc = *memory == MAP_FAILED ? -errno : 0;
	}
	if (rc < 0) {
		*memory = NULL;
		snprintf(error, GATE_ERROR_SIZE, "%.150s: %s", path, strerror(-rc));
	}
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

int gate_view_map(struct gate_view *view, const char *dir, char error[GATE_ERROR_SIZE])
{
	void **members[ARRAYS];

	memset(view, 0, sizeof(*view));
	error[0] = '\0';
	view_members(view, members);
	for (unsigned i = 0; i < ARRAYS; i++) {
		int rc = array_map(&arrays[i], dir, &view->slots, members[i], error);

		if (rc < 0) {
			gate_view_close(view);
			return rc;
		}
	}
	return 0;
}

int gate_view_open(struct gate_view *view, const char *dir, char error[GATE_ERROR_SIZE])
{
	int rc = gate_view_map(view, dir, error);

	if (rc == 0)
		rc = gate_shared_check(view->shared, error);
	if (rc < 0)
		gate_view_close(view);
	return rc;
}

void gate_view_close(struct gate_view *view)
{
	void **members[ARRAYS];

	view_members(view, members);
	for (unsigned i = 0; i < ARRAYS; i++)
		if (*members[i])
			munmap(*members[i], array_length(&arrays[i], view->slots));
	memset(view, 0, sizeof(*view));
}

void gate_shared_stamp(struct gate_shared *shared)
{
	shared->abi = GATE_ABI;
	shared->tenant_abi = TENANT_ABI;
	shared->tenant_size = sizeof(struct tenant_slot);
	shared->reasons = REASON_COUNT;
	shared->counters_size = sizeof(struct gate_port_counters);
	shared->per_tenant_size = sizeof(struct gate_tenant_counters);
	/* Last: who sees it sees the others. */
	__atomic_store_n(&shared->magic, GATE_MAGIC, __ATOMIC_RELEASE);
}

int gate_shared_check(const struct gate_shared *shared, char error[GATE_ERROR_SIZE])
{
	struct gate_shared own = {0};
	const uint32_t *found = &shared->magic, *wanted = &own.magic;
	static const char *const names[] = {"magic",          "abi",     "tenant_abi",
					    "tenant_size",    "reasons", "counters_size",
					    "per_tenant_size"};

	gate_shared_stamp(&own);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (found[i] == wanted[i])
			continue;
		snprintf(error, GATE_ERROR_SIZE,
			 "postern_gate: of another version: %s is %u, this program's is %u",
			 names[i], found[i], wanted[i]);
		return -EPROTO;
	}
	return 0;
}

uint32_t gate_port_find(const struct gate_shared *shared, uint32_t ifindex)
{
	uint32_t i = 0;

	while (i < GATE_PORTS && shared->port[i].ifindex != ifindex)
		i++;
	return i;
}
