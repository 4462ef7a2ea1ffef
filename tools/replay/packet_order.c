/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/packet_order.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/packet.h"

void packet_order_push(struct packet_order *o, struct rte_mbuf *m)
{
	if (o->count == o->room) {
		size_t room = o->room ? 2 * o->room : 1024;
		struct packet_order_entry *entry = realloc(o->entry, room * sizeof(*entry));

		if (!entry) {
			rte_pktmbuf_free(m);
			return;
		}
		o->entry = entry;
		o->room = room;
	}
	o->entry[o->count++] = (struct packet_order_entry){m, packet_meta(m)->decided, o->serial++};
}

static int compare(const void *a, const void *b)
{
	const struct packet_order_entry *x = a, *y = b;

	if (x->decided != y->decided)
		return x->decided < y->decided ? -1 : 1;
	if (packet_meta(x->packet)->role != packet_meta(y->packet)->role)
		return packet_meta(x->packet)->role < packet_meta(y->packet)->role ? -1 : 1;
	return x->serial < y->serial ? -1 : 1;
}

void packet_order_release(struct packet_order *o, uint64_t settled,
			  void (*take)(void *ctx, struct rte_mbuf *m), void *ctx)
{
	size_t n = 0;

	if (!o->count)
		return;
	qsort(o->entry, o->count, sizeof(*o->entry), compare);
	while (n < o->count && (settled == UINT64_MAX || o->entry[n].decided < settled))
		take(ctx, o->entry[n++].packet);
	o->count -= n;
	memmove(o->entry, o->entry + n, o->count * sizeof(*o->entry));
}

void packet_order_fini(struct packet_order *o)
{
	free(o->entry);
}
