/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tcp/segment_queue.h"

#include <rte_mbuf.h>
#include <string.h>

#include "dataplane/packet.h"

static const uint8_t *segment_data(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, const uint8_t *, packet_meta(m)->payload);
}

static uint32_t segment_end(struct rte_mbuf *m)
{
	return packet_meta(m)->seq + packet_meta(m)->len;
}

void segment_queue_append(struct segment_queue *q, struct rte_mbuf *m)
{
	packet_meta(m)->next = NULL;
	if (q->tail)
		packet_meta(q->tail)->next = m;
	else
		q->head = m;
	q->tail = m;
	q->bytes += packet_meta(m)->len;
	q->count++;
}

static void insert_after(struct segment_queue *q, struct rte_mbuf *prev, struct rte_mbuf *m)
{
	struct packet_meta *meta = packet_meta(m);

	if (!prev) {
		meta->next = q->head;
		q->head = m;
	} else {
		meta->next = packet_meta(prev)->next;
		packet_meta(prev)->next = m;
	}
	if (!meta->next)
		q->tail = m;
	q->bytes += meta->len;
	q->count++;
}

static void trim_front(struct packet_meta *meta, uint32_t n)
{
	meta->seq += n;
	meta->payload = (uint16_t)(meta->payload + n);
	meta->len -= n;
}

/* Drops queued segments that lie whole within the newcomer; says what stands before it. */
static struct rte_mbuf *drop_covered(struct segment_queue *q, uint32_t seq, uint32_t end)
{
	struct rte_mbuf *prev = NULL, *m = q->head;

	while (m && seq_before(packet_meta(m)->seq, seq)) {
		prev = m;
		m = packet_meta(m)->next;
	}
	while (m && seq_at_or_before(segment_end(m), end) && !packet_meta(m)->fin) {
		struct rte_mbuf *next = packet_meta(m)->next;

		if (prev)
			packet_meta(prev)->next = next;
		else
			q->head = next;
		if (!next)
			q->tail = prev;
		q->bytes -= packet_meta(m)->len;
		q->count--;
		packet_free(m);
		m = next;
	}
	return prev;
}

bool segment_queue_insert(struct segment_queue *q, struct rte_mbuf *m, unsigned *match)
{
	struct packet_meta *meta = packet_meta(m);
	struct rte_mbuf *prev, *next;

	*match = SEGMENT_UNKNOWN;
	/* Most segments beyond a gap come in order among themselves. */
	if (!q->tail || seq_at_or_before(segment_end(q->tail), meta->seq)) {
		segment_queue_append(q, m);
		return true;
	}
	*match = segment_queue_compare(q, meta->seq, (uint8_t *)(uintptr_t)segment_data(m),
				       meta->len);
	if (!(*match & SEGMENT_UNKNOWN))
		return false;
	prev = drop_covered(q, meta->seq, segment_end(m));
	next = prev ? packet_meta(prev)->next : q->head;
	if (prev && seq_before(meta->seq, segment_end(prev)))
		trim_front(meta, segment_end(prev) - meta->seq);
	if (next && seq_before(packet_meta(next)->seq, segment_end(m))) {
		meta->len = packet_meta(next)->seq - meta->seq;
		meta->fin = 0;
		meta->missing = 0;
	}
	insert_after(q, prev, m);
	return true;
}

struct rte_mbuf *segment_queue_pop(struct segment_queue *q)
{
	struct rte_mbuf *m = q->head;

	if (!m)
		return NULL;
	q->head = packet_meta(m)->next;
	if (!q->head)
		q->tail = NULL;
	q->bytes -= packet_meta(m)->len;
	q->count--;
	packet_meta(m)->next = NULL;
	return m;
}

void segment_queue_release(struct segment_queue *q, uint32_t seq)
{
	while (q->head && seq_at_or_before(segment_end(q->head), seq))
		packet_free(segment_queue_pop(q));
}

void segment_queue_clear(struct segment_queue *q)
{
	while (q->head)
		packet_free(segment_queue_pop(q));
}

unsigned segment_queue_compare(const struct segment_queue *q, uint32_t seq, uint8_t *data,
			       uint32_t len)
{
	uint32_t at = seq, end = seq + len;
	unsigned match = SEGMENT_SAME;

	for (struct rte_mbuf *m = q->head; m && seq_before(at, end); m = packet_meta(m)->next) {
		const struct packet_meta *meta = packet_meta(m);
		uint32_t to = seq_before(segment_end(m), end) ? segment_end(m) : end;
		const uint8_t *first;

		if (seq_at_or_before(to, at))
			continue;
		if (seq_before(at, meta->seq)) {
			match |= SEGMENT_UNKNOWN;
			if (seq_at_or_before(end, meta->seq))
				return match;
			at = meta->seq;
		}
		first = segment_data(m) + (at - meta->seq);
		if (memcmp(first, data + (at - seq), to - at) != 0) {
			match |= SEGMENT_DIFFERS;
			memcpy(data + (at - seq), first, to - at);
		}
		at = to;
	}
	return seq_before(at, end) ? match | SEGMENT_UNKNOWN : match;
}
