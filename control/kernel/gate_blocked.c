/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kernel/gate_blocked.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int entry_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct gate_prefix));
}

/* One more entry, of the kernel's. */
static int entry_read(struct gate_blocked *p, const struct gate_prefix *key, size_t *room)
{
	if (p->count == *room) {
		size_t more = *room ? 2 * *room : 64;
		void *larger = reallocarray(p->entries, more, sizeof(*p->entries));

		if (!larger)
			return -ENOMEM;
		p->entries = larger;
		*room = more;
	}
	p->entries[p->count++] = *key;
	return 0;
}

int gate_blocked_open(struct gate_blocked *p, int fd)
{
	struct gate_prefix key, *last = NULL;
	size_t room = 0;
	int err = 0;

	*p = (struct gate_blocked){.fd = fd};
	while (!err && bpf_map_get_next_key(fd, last, &key) == 0) {
		err = entry_read(p, &key, &room);
		last = &key;
	}
	if (err)
		gate_blocked_close(p);
	else if (p->count)
		qsort(p->entries, p->count, sizeof(*p->entries), entry_compare);
	return err;
}

void gate_blocked_close(struct gate_blocked *p)
{
	free(p->entries);
	*p = (struct gate_blocked){.fd = p->fd};
}

struct gate_prefix *gate_blocked_wanted(const struct prefix_list *list)
{
	struct gate_prefix *wanted = calloc(list->count ? list->count : 1, sizeof(*wanted));

	if (!wanted)
		return NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct prefix *p = &list->items[i];

		wanted[i].length = GATE_PREFIX_HEAD + p->length;
		wanted[i].family = p->family;
		memcpy(wanted[i].addr, p->addr, sizeof(p->addr));
	}
	if (list->count)
		qsort(wanted, list->count, sizeof(*wanted), entry_compare);
	return wanted;
}

int gate_blocked_put(struct gate_blocked *p, const struct gate_prefix *wanted, size_t count,
		     unsigned *changes)
{
	const uint32_t blocked = 1; /* anything */
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		int order = 1;

		while (known < p->count &&
		       (order = entry_compare(&p->entries[known], &wanted[i])) < 0)
			known++;
		if (order == 0)
			continue;
		if (bpf_map_update_elem(p->fd, &wanted[i], &blocked, BPF_ANY) < 0)
			return -errno;
		++*changes;
	}
	return 0;
}

int gate_blocked_trim(struct gate_blocked *p, struct gate_prefix *wanted, size_t count,
		      unsigned *changes)
{
	size_t next = 0;

	for (size_t i = 0; i < p->count; i++) {
		int order = 1;

		while (next < count && (order = entry_compare(&wanted[next], &p->entries[i])) < 0)
			next++;
		if (next < count && order == 0)
			continue;
		if (bpf_map_delete_elem(p->fd, &p->entries[i]) < 0 && errno != ENOENT)
			return -errno;
		++*changes;
	}
	free(p->entries);
	p->entries = wanted;
	p->count = count;
	return 0;
}
