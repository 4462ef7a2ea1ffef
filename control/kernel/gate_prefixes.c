/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kernel/gate_prefixes.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int key_compare(const struct gate_prefix *a, const struct gate_prefix *b)
{
	return memcmp(a, b, sizeof(*a));
}

static int entry_compare(const void *a, const void *b)
{
	return key_compare(&((const struct gate_entry *)a)->key,
			   &((const struct gate_entry *)b)->key);
}

/* One more entry, of the kernel's. */
static int entry_read(struct gate_prefixes *p, const struct gate_prefix *key, size_t *room)
{
	struct gate_entry *e;

	if (p->count == *room) {
		size_t more = *room ? 2 * *room : 64;
		void *larger = reallocarray(p->entries, more, sizeof(*p->entries));

		if (!larger)
			return -ENOMEM;
		p->entries = larger;
		*room = more;
	}
	e = &p->entries[p->count];
	e->key = *key;
	if (bpf_map_lookup_elem(p->fd, key, &e->slot) < 0)
		return -errno;
	p->count++;
	return 0;
}

int gate_prefixes_open(struct gate_prefixes *p, int fd)
{
	struct gate_prefix key, *last = NULL;
	size_t room = 0;
	int err = 0;

	*p = (struct gate_prefixes){.fd = fd};
	while (!err && bpf_map_get_next_key(fd, last, &key) == 0) {
		err = entry_read(p, &key, &room);
		last = &key;
	}
	if (err)
		gate_prefixes_close(p);
	else if (p->count)
		qsort(p->entries, p->count, sizeof(*p->entries), entry_compare);
	return err;
}

void gate_prefixes_close(struct gate_prefixes *p)
{
	free(p->entries);
	*p = (struct gate_prefixes){.fd = p->fd};
}

struct gate_entry *gate_prefixes_wanted(const struct prefix_list *list)
{
	struct gate_entry *wanted = calloc(list->count ? list->count : 1, sizeof(*wanted));

	if (!wanted)
		return NULL;
	for (size_t i = 0; i < list->count; i++) {
		const struct prefix *p = &list->items[i];

		wanted[i].key.length = GATE_PREFIX_HEAD + p->length;
		wanted[i].key.family = p->family;
		memcpy(wanted[i].key.addr, p->addr, sizeof(p->addr));
		wanted[i].slot = p->slot;
	}
	if (list->count)
		qsort(wanted, list->count, sizeof(*wanted), entry_compare);
	return wanted;
}

int gate_prefixes_put(struct gate_prefixes *p, const struct gate_entry *wanted, size_t count,
		      unsigned *changes)
{
	size_t known = 0;

	for (size_t i = 0; i < count; i++) {
		int order = 1;

		while (known < p->count &&
		       (order = key_compare(&p->entries[known].key, &wanted[i].key)) < 0)
			known++;
		if (order == 0 && p->entries[known].slot == wanted[i].slot)
			continue;
		if (bpf_map_update_elem(p->fd, &wanted[i].key, &wanted[i].slot, BPF_ANY) < 0)
			return -errno;
		++*changes;
	}
	return 0;
}

int gate_prefixes_trim(struct gate_prefixes *p, struct gate_entry *wanted, size_t count,
		       unsigned *changes)
{
	size_t next = 0;

	for (size_t i = 0; i < p->count; i++) {
		int order = 1;

		while (next < count &&
		       (order = key_compare(&wanted[next].key, &p->entries[i].key)) < 0)
			next++;
		if (next < count && order == 0)
			continue;
		if (bpf_map_delete_elem(p->fd, &p->entries[i].key) < 0 && errno != ENOENT)
			return -errno;
		++*changes;
	}
	free(p->entries);
	p->entries = wanted;
	p->count = count;
	return 0;
}
