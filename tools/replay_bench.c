/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets for a benchmark: read once, then handed out from memory, loop after
 * loop. Every loop is other traffic: the outer of the two endpoints has another
 * address, the times go on, calls have other Call-IDs; checksums are kept right.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/proto/bytes.h"
#include "tools/replay.h"

struct kept {
	uint32_t at, len, wirelen; /* in `bytes` */
	uint64_t time;
	uint16_t link;
	uint8_t flags;
	uint8_t family;   /* of the address to change; 0: none */
	uint16_t addr;    /* offsets in the packet */
	uint16_t ip_sum;  /* 0: none */
	uint16_t l4_sum;  /* 0: none */
	uint16_t call_id; /* 0: none */
	uint16_t l4;      /* where the transport header begins */
};

struct feed_bench {
	struct replay_feed feed;
	uint8_t *bytes;
	size_t used, room;
	struct kept *packet;
	size_t count, packets;
	size_t next;
	unsigned loop, loops;
	uint64_t span; /* ns: a loop takes */
};

/* RFC 1624: a field changed from `old` to `new`, both as they stand in memory. */
static void sum_update(uint8_t *sum, uint16_t old, uint16_t new)
{
	uint32_t s;
	uint16_t field;

	memcpy(&field, sum, 2);
	s = (uint16_t)~field + (uint32_t)(uint16_t)~old + new;
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	field = (uint16_t)~s;
	memcpy(sum, &field, 2);
}

/* Letters and digits turn, so that what differed before differs after. */
static uint8_t turn(uint8_t c, unsigned by)
{
	if (c >= '0' && c <= '9')
		return (uint8_t)('0' + (c - '0' + by) % 10);
	if (c >= 'a' && c <= 'z')
		return (uint8_t)('a' + (c - 'a' + by) % 10);
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)('A' + (c - 'A' + by) % 10);
	return c;
}

/* The first characters of a Call-ID turn by the digits of the loop's number. */
static void change_call_id(uint8_t *p, const struct kept *k, unsigned loop)
{
	/* Even from the transport header on: that is how its checksum adds words. */
	uint32_t at = k->call_id + ((k->call_id - k->l4) & 1u);

	for (unsigned i = 0; i < 6; i += 2, loop /= 100) {
		uint16_t old, new;

		memcpy(&old, p + at + i, 2);
		p[at + i] = turn(p[at + i], loop % 10);
		p[at + i + 1] = turn(p[at + i + 1], loop / 10 % 10);
		memcpy(&new, p + at + i, 2);
		if (k->l4_sum)
			sum_update(p + k->l4_sum, old, new);
	}
}

static void change_address(uint8_t *p, const struct kept *k, unsigned loop)
{
	uint8_t *a = p + k->addr + (k->family == 4 ? 0 : 12);

	for (unsigned i = 0; i < 4; i += 2) {
		uint16_t old, new, mask = rte_cpu_to_be_16((uint16_t)(loop >> (i ? 0 : 16)));

		memcpy(&old, a + i, 2);
		new = old ^ mask;
		memcpy(a + i, &new, 2);
		if (k->ip_sum)
			sum_update(p + k->ip_sum, old, new);
		if (k->l4_sum)
			sum_update(p + k->l4_sum, old, new);
	}
}

static int bench_next(struct replay_feed *feed, struct capture_frame *frame)
{
	struct feed_bench *f = (struct feed_bench *)feed;
	const struct kept *k;

	if (f->next == f->count) {
		f->next = 0;
		f->loop++;
	}
	if (f->loop >= f->loops || !f->count)
		return 0;
	k = &f->packet[f->next++];
	*frame = (struct capture_frame){
		.data = f->bytes + k->at,
		.len = k->len,
		.wirelen = k->wirelen,
		.time = k->time + f->loop * f->span,
		.number = (uint64_t)f->loop * f->count + f->next,
		.link = k->link,
		.flags = k->flags,
	};
	return 1;
}

static void bench_change(struct replay_feed *feed, uint8_t *packet)
{
	const struct feed_bench *f = (const struct feed_bench *)feed;
	const struct kept *k = &f->packet[f->next - 1];

	if (!f->loop || !k->family)
		return;
	change_address(packet, k, f->loop);
	if (k->call_id)
		change_call_id(packet, k, f->loop);
}

static void bench_close(struct replay_feed *feed)
{
	struct feed_bench *f = (struct feed_bench *)feed;

	free(f->bytes);
	free(f->packet);
	free(f);
}

/* Room for `size` more elements of `unit` bytes. */
static bool grow(void **array, size_t used, size_t *room, size_t more, size_t unit)
{
	size_t want = *room ? *room : 4096;
	void *p;

	if (used + more <= *room)
		return true;
	while (want < used + more)
		want *= 2;
	p = realloc(*array, want * unit);
	if (!p)
		return false;
	*array = p;
	*room = want;
	return true;
}

/* Offset of the Call-ID's value in a packet, 0: there is none. */
static uint16_t find_call_id(const uint8_t *p, uint32_t from, uint32_t len)
{
	static const struct bytes names[] = {BYTES("\nCall-ID:"), BYTES("\ni:")};

	for (uint32_t at = from; at + 24 < len; at++) {
		for (unsigned n = 0; n < RTE_DIM(names); n++) {
			uint32_t value = at + (uint32_t)names[n].len;

			if (p[at] != '\n' ||
			    !bytes_case_starts(bytes_of(p + at, len - at), names[n]))
				continue;
			while (value + 8 < len && p[value] == ' ')
				value++;
			return (uint16_t)value;
		}
	}
	return 0;
}

/* Where the outer endpoint's address is: the one that talks on a well-known port. */
static void describe(struct kept *k, const uint8_t *p, const struct headers *h)
{
	bool to_server = h->dport < h->sport;
	uint16_t at = h->family == 4 ? 12 : 8, size = h->family == 4 ? 4 : 16;

	if (h->class != CLASS_L4)
		return;
	k->family = h->family;
	k->addr = (uint16_t)(h->l3 + at + (to_server ? size : 0));
	k->ip_sum = h->family == 4 ? (uint16_t)(h->l3 + 10) : 0;
	k->l4 = h->l4;
	k->l4_sum = (uint16_t)(h->l4 + (h->proto == 6 ? 16 : 6));
	if (h->proto == 17 && !p[k->l4_sum] && !p[k->l4_sum + 1])
		k->l4_sum = 0;
	k->call_id = find_call_id(p, h->payload, k->len);
}

static bool keep(struct feed_bench *f, const struct capture_frame *frame, struct rte_mbuf *scratch)
{
	struct kept k = {
		.at = (uint32_t)f->used,
		.len = RTE_MIN(frame->len, (uint32_t)scratch->buf_len - RTE_PKTMBUF_HEADROOM),
		.wirelen = frame->wirelen,
		.time = frame->time,
		.link = frame->link,
		.flags = frame->flags,
	};
	struct headers h;

	if (!grow((void **)&f->bytes, f->used, &f->room, k.len, 1) ||
	    !grow((void **)&f->packet, f->count, &f->packets, 1, sizeof(*f->packet)))
		return false;
	memcpy(f->bytes + k.at, frame->data, k.len);
	memcpy(rte_pktmbuf_mtod(scratch, void *), frame->data, k.len);
	scratch->data_len = (uint16_t)k.len;
	*packet_meta(scratch) = (struct packet_meta){.wirelen = k.wirelen, .link = k.link};
	packet_decode(scratch, &h);
	describe(&k, f->bytes + k.at, &h);
	f->used += k.len;
	f->packet[f->count++] = k;
	return true;
}

struct replay_feed *feed_bench_open(struct gate *gate, const struct replay_options *o,
				    const struct checksum_survey *survey)
{
	struct feed_bench *f = calloc(1, sizeof(*f));
	struct replay_feed *files = f ? feed_files_open(o, survey) : NULL;
	struct rte_mbuf *scratch = files ? rte_pktmbuf_alloc(gate->large) : NULL;
	struct capture_frame frame;
	uint64_t last = 0;
	int rc = scratch ? 1 : 0;

	while (rc && (rc = files->next(files, &frame)) != 0) {
		if (rc < 0)
			continue;
		if (!keep(f, &frame, scratch))
			break;
		last = RTE_MAX(last, frame.time);
	}
	rte_pktmbuf_free(scratch);
	if (files)
		files->close(files);
	if (!scratch || rc) {
		if (f)
			bench_close(&f->feed);
		return NULL;
	}
	f->feed = (struct replay_feed){bench_next, bench_change, bench_close};
	f->loops = o->loops;
	/* A second between loops: nothing of one is a retransmission of another. */
	f->span = f->count ? last - f->packet[0].time + 1000000000 : 0;
	return &f->feed;
}
