/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets for a benchmark: read once, then handed out from memory, loop after
 * loop. Every loop is other traffic: the outer of the two endpoints has another
 * address, the times go on, calls have other Call-IDs; checksums are kept right.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/policy/memory.h"
#include "dataplane/proto/bytes.h"
#include "tools/replay/replay.h"

#define AHEAD           4 /* packets */
#define CALL_ID_CHANGES 8 /* bytes, of the first of a Call-ID */

struct kept {
	uint64_t at; /* in `bytes` */
	uint64_t time;
	uint32_t len, wirelen;
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
	size_t count, packets; /* in use, room for */
	size_t next;
	unsigned loop, loops;
	uint8_t turned[10][256];
	struct {
		uint64_t before; /* packets of the loops before it */
		unsigned loop;
	} changing;
	uint64_t span; /* ns: a loop takes */
};

/*
 * What a checksum's complement grows by when `old` becomes `new`, both as they stand in memory
 * (RFC 1624 section 3), from an even offset of what the checksum is over.
 */
static uint16_t sum_change(uint32_t old, uint32_t new)
{
	uint32_t s = (uint32_t)(uint16_t)~old + (uint16_t) ~(old >> 16) + (uint16_t) new +
		     (new >> 16);

	s = (s & 0xffff) + (s >> 16);
	return (uint16_t)((s & 0xffff) + (s >> 16));
}

static void sum_update(uint8_t *sum, uint16_t change)
{
	uint16_t field;
	uint32_t s;

	memcpy(&field, sum, 2);
	s = (uint32_t)(uint16_t)~field + change;
	field = (uint16_t) ~(s + (s >> 16));
	/* The other zero: in UDP this one says that there is no checksum (RFC 768). */
	if (!field)
		field = 0xffff;
	memcpy(sum, &field, 2);
}

/* Letters and digits turn, so that what differed before differs after. */
static uint8_t turn(uint8_t c, unsigned by)
{
	uint8_t first = c >= 'a' ? 'a' : c >= 'A' ? 'A' : '0';
	unsigned all = first == '0' ? 10 : 26;

	return isalnum(c) ? (uint8_t)(first + (c - first + by) % all) : 0;
}

/* What each character turns into, by a digit; 0: it doesn't turn. Once: no division a packet. */
static void turns_fill(struct feed_bench *f)
{
	for (unsigned by = 0; by < 10; by++)
		for (unsigned c = 0; c < 256; c++)
			f->turned[by][c] = turn((uint8_t)c, by);
}

/* The letters and digits at a Call-ID's beginning turn by the digits of the loop's number. */
static void change_call_id(const struct feed_bench *f, uint8_t *p, const struct kept *k,
			   unsigned loop)
{
	uint8_t *at = p + k->call_id;
	uint32_t old[CALL_ID_CHANGES / 4], new[CALL_ID_CHANGES / 4];

	memcpy(old, at, sizeof(old));
	for (unsigned i = 0; i < sizeof(old) && loop; i++) {
		uint8_t turned = f->turned[loop % 10][at[i]];

		if (!turned)
			continue;
		at[i] = turned;
		loop /= 10;
	}
	memcpy(new, at, sizeof(new));
	for (unsigned i = 0; k->l4_sum && i < RTE_DIM(old); i++) {
		uint16_t change = sum_change(old[i], new[i]);

		/* RFC 1071 section 2 (B): bytes at odd offsets make the same sum, swapped. */
		sum_update(p + k->l4_sum, (k->call_id - k->l4) & 1 ? rte_bswap16(change) : change);
	}
}

static void change_address(uint8_t *p, const struct kept *k, unsigned loop)
{
	uint8_t *at = p + k->addr + (k->family == 4 ? 0 : 12);
	uint32_t old, new;
	uint16_t change;

	memcpy(&old, at, 4);
	new = old ^ rte_cpu_to_be_32(loop);
	memcpy(at, &new, 4);
	change = sum_change(old, new);
	if (k->ip_sum)
		sum_update(p + k->ip_sum, change);
	if (k->l4_sum)
		sum_update(p + k->l4_sum, change);
}

/* Captures are larger than caches: without this, every packet would wait for its bytes. */
static void prefetch_bytes(const struct feed_bench *f, size_t i)
{
	const struct kept *k = &f->packet[i];

	for (uint32_t at = 0; at < k->len; at += RTE_CACHE_LINE_SIZE)
		rte_prefetch0(f->bytes + k->at + at);
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
	if (f->next + AHEAD < f->count)
		prefetch_bytes(f, f->next + AHEAD);
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

static void bench_change(struct replay_feed *feed, uint64_t number, uint8_t *packet)
{
	struct feed_bench *f = (struct feed_bench *)feed;
	const struct kept *k;

	while (number > f->changing.before + f->count) {
		f->changing.before += f->count;
		f->changing.loop++;
	}
	k = &f->packet[number - f->changing.before - 1];
	if (!f->changing.loop || !k->family)
		return;
	change_address(packet, k, f->changing.loop);
	if (k->call_id)
		change_call_id(f, packet, k, f->changing.loop);
}

static void bench_close(struct replay_feed *feed)
{
	struct feed_bench *f = (struct feed_bench *)feed;

	memory_release(f->bytes, f->room);
	free(f->packet);
	free(f);
}

/* Room for `more` bytes. */
static bool bytes_grow(struct feed_bench *f, size_t more)
{
	size_t room = 2 * f->room + (16 << 20);
	uint8_t *bytes;

	if (f->used + more <= f->room)
		return true;
	bytes = memory_reserve(room, MEMORY_DENSE);
	if (!bytes)
		return false;
	memcpy(bytes, f->bytes, f->used);
	memory_release(f->bytes, f->room);
	f->bytes = bytes;
	f->room = room;
	return true;
}

static bool packets_grow(struct feed_bench *f)
{
	size_t packets = 2 * f->packets + 4096;
	struct kept *packet;

	if (f->count < f->packets)
		return true;
	packet = reallocarray(f->packet, packets, sizeof(*packet));
	if (!packet)
		return false;
	f->packet = packet;
	f->packets = packets;
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
			while (value + CALL_ID_CHANGES < len && p[value] == ' ')
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
		.at = f->used,
		.len = RTE_MIN(frame->len, (uint32_t)scratch->buf_len - RTE_PKTMBUF_HEADROOM),
		.wirelen = frame->wirelen,
		.time = frame->time,
		.link = frame->link,
		.flags = frame->flags,
	};
	struct headers h;

	if (!bytes_grow(f, k.len) || !packets_grow(f))
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
	turns_fill(f);
	/* A second between loops: nothing of one is a retransmission of another. */
	f->span = f->count ? last - f->packet[0].time + 1000000000 : 0;
	return &f->feed;
}
