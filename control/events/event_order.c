/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/event_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct event_order_entry {
	uint64_t packet;
	uint64_t flow_id;
	uint64_t seq;
	size_t offset; /* of the record in bytes */
	uint32_t size;
	uint32_t worker;
};

void event_order_init(struct event_order *order)
{
	*order = (struct event_order){0};
}

void event_order_fini(struct event_order *order)
{
	free(order->bytes);
	free(order->entry);
	event_order_init(order);
}

/* The array with room for need members of size bytes each, at least doubled when it grows; NULL:
 * no memory, the array is as before. */
static void *grow(void *array, size_t *room, size_t need, size_t size)
{
	size_t wanted = *room ? *room : 1024;
	void *bigger;

	if (need <= *room)
		return array;
	while (wanted < need)
		wanted *= 2;
	bigger = reallocarray(array, wanted, size);
	if (bigger)
		*room = wanted;
	return bigger;
}

int event_order_push(struct event_order *order, unsigned worker, const struct event_head *head,
		     size_t len)
{
	struct event_order_entry *entry;
	struct event_reader reader;
	uint8_t *bytes;

	if (!event_open(&reader, head, len))
		return -EBADMSG;
	bytes = grow(order->bytes, &order->room, order->used + head->size, 1);
	if (!bytes)
		return -ENOMEM;
	order->bytes = bytes;
	entry = grow(order->entry, &order->entry_room, order->entries + 1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	order->entry = entry;
	memcpy(order->bytes + order->used, head, head->size);
	order->entry[order->entries++] = (struct event_order_entry){
		.packet = head->packet,
		.flow_id = head->flow_id,
		.seq = order->seq++,
		.offset = order->used,
		.size = head->size,
		.worker = worker,
	};
	order->used += head->size;
	return 0;
}

static int content_order(const struct event_order_entry *a, const struct event_order_entry *b,
			 const uint8_t *bytes)
{
	const size_t common = a->size < b->size ? a->size : b->size;
	const int rc = memcmp(bytes + a->offset, bytes + b->offset, common);

	return rc ? rc : (a->size > b->size) - (a->size < b->size);
}

static int entry_order(const void *left, const void *right, void *bytes)
{
	const struct event_order_entry *a = left, *b = right;

	if (a->packet != b->packet)
		return a->packet < b->packet ? -1 : 1;
	if (a->flow_id != b->flow_id)
		return a->flow_id < b->flow_id ? -1 : 1;
	if (!a->flow_id)
		return content_order(a, b, bytes);
	if (a->worker != b->worker)
		return a->worker < b->worker ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

/* Moves the entries due to the front; returns how many there are. */
static size_t split_due(struct event_order *order, uint64_t upto)
{
	struct event_order_entry swap;
	size_t due = 0;

	for (size_t i = 0; i < order->entries; i++) {
		if (order->entry[i].packet > upto)
			continue;
		swap = order->entry[due];
		order->entry[due++] = order->entry[i];
		order->entry[i] = swap;
	}
	return due;
}

static int offset_order(const void *left, const void *right)
{
	const struct event_order_entry *a = left, *b = right;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Forgets the first entries, due of them, and closes the gaps that their records leave. */
static void forget(struct event_order *order, size_t due)
{
	const size_t kept = order->entries - due;

	memmove(order->entry, order->entry + due, kept * sizeof(*order->entry));
	order->entries = kept;
	order->used = 0;
	qsort(order->entry, kept, sizeof(*order->entry), offset_order);
	for (size_t i = 0; i < kept; i++) {
		struct event_order_entry *entry = &order->entry[i];

		memmove(order->bytes + order->used, order->bytes + entry->offset, entry->size);
		entry->offset = order->used;
		order->used += entry->size;
	}
}

int event_order_release(struct event_order *order, uint64_t upto,
			int (*take)(void *arg, const struct event_head *head, size_t len),
			void *arg)
{
	const size_t due = split_due(order, upto);
	int rc = 0;

	if (!due)
		return 0;
	qsort_r(order->entry, due, sizeof(*order->entry), entry_order, order->bytes);
	for (size_t i = 0; i < due && !rc; i++) {
		const struct event_order_entry *entry = &order->entry[i];

		rc = take(arg, (const struct event_head *)(order->bytes + entry->offset),
			  entry->size);
	}
	forget(order, due);
	return rc;
}
