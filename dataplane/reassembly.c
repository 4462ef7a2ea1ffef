/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments are copied into one linear packet, whatever their number and order;
 * the originals wait with it and leave in its stead, as they came. (DPDK's
 * rte_ip_frag takes eight fragments at most, a chain of mbufs, and nothing between
 * the IPv6 header and the fragment header; SIP messages of 20 KB have more.)
 */
#include "dataplane/reassembly.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>
#include <string.h>

#include "dataplane/policy/memory.h"
#include "dataplane/tcp/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define HEAD_MAX 512         /* link header, tags, IPv4 options or IPv6 extensions */
#define UNITS    (65536 / 8) /* fragments come in units of eight bytes */
#define PIECES   128         /* of one packet: 64 KiB over links of 552 bytes and more */

struct fragment_key {
	uint8_t src[16], dst[16];
	uint32_t id;
	uint16_t vlan[2];
	uint8_t proto, family;
	uint8_t zero[6];
};

/* One unfinished packet. */
struct partial {
	struct fragment_key key;
	uint64_t started;
	struct rte_mbuf *whole; /* NULL: the entry is free */
	struct rte_mbuf *first, *last;
	uint32_t head;     /* bytes before the fragmented part in `whole` */
	uint32_t received; /* bytes */
	uint32_t total;    /* of the fragmented part; 0 until the last one came */
	uint32_t reach;    /* end of what came so far */
	uint32_t pieces;
	bool headed;
	uint64_t units[UNITS / 64];
};

struct reassembly {
	uint32_t capacity, used, hand;
	uint64_t timeout;
	struct rte_mempool *pool;
	struct partial *partial;
};

/* What one fragment says of itself. */
struct fragment {
	struct fragment_key key;
	uint32_t offset, len; /* bytes */
	bool more;
	uint32_t head;    /* link and IP headers before the fragmented part, in this packet */
	uint32_t keep;    /* of these, what the whole packet keeps */
	uint32_t next_at; /* IPv6: the byte that names the fragment header */
	uint8_t next;     /* IPv6: what it must name afterwards */
};

struct reassembly *reassembly_new(uint32_t packets, uint64_t timeout, struct rte_mempool *whole)
{
	struct reassembly *r = rte_zmalloc("reassembly", sizeof(*r), 0);

	if (!r)
		return NULL;
	*r = (struct reassembly){.capacity = packets, .timeout = timeout, .pool = whole};
	r->partial = memory_reserve(sizeof(*r->partial) * packets, MEMORY_SPARSE);
	if (r->partial)
		return r;
	rte_free(r);
	return NULL;
}

void reassembly_free(struct reassembly *r)
{
	if (!r)
		return;
	memory_release(r->partial, sizeof(*r->partial) * r->capacity);
	rte_free(r);
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS ||
	       proto == IPPROTO_AH;
}

/* RFC 4302: AH counts in 4-byte units, less two; RFC 6946: atomic fragments are in the way too. */
static uint32_t extension_size(uint8_t proto, const uint8_t *p)
{
	if (proto == IPPROTO_FRAGMENT)
		return 8;
	return proto == IPPROTO_AH ? (p[1] + 2u) * 4 : (p[1] + 1u) * 8;
}

static bool fragment_is_ours(const struct headers *h)
{
	return h->proto == IPPROTO_TCP || h->proto == IPPROTO_UDP ||
	       (h->family == 6 && (is_extension(h->proto) || h->proto == IPPROTO_FRAGMENT));
}

/* decode has walked here: h->l4 is the end of the IPv4 header or the IPv6 fragment header. */
static bool fragment_read(const struct rte_mbuf *m, const struct headers *h, struct fragment *f)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t end;

	memset(f, 0, sizeof(*f));
	memcpy(f->key.src, h->key.addr[0], 16);
	memcpy(f->key.dst, h->key.addr[1], 16);
	memcpy(f->key.vlan, h->key.vlan, sizeof(f->key.vlan));
	f->key.proto = h->family == 4 ? h->proto : 0;
	f->key.family = h->family;
	if (h->family == 4) {
		uint16_t field = (uint16_t)(p[h->l3 + 6] << 8 | p[h->l3 + 7]);

		f->key.id = (uint32_t)(p[h->l3 + 4] << 8 | p[h->l3 + 5]);
		f->offset = (field & 0x1fffu) * 8;
		f->more = field & 0x2000;
		f->head = f->keep = h->l4;
		end = h->l3 + (uint32_t)(p[h->l3 + 2] << 8 | p[h->l3 + 3]);
	} else {
		const uint8_t *fh = p + h->l4;
		uint32_t at = h->l3 + 40u;

		f->next_at = h->l3 + 6u;
		while (at < h->l4) {
			uint32_t size = extension_size(p[f->next_at], p + at);

			f->next_at = at;
			at += size;
		}
		memcpy(&f->key.id, fh + 4, 4);
		f->offset = ((uint32_t)(fh[2] << 8 | fh[3]) & 0xfff8u);
		f->more = fh[3] & 1;
		f->next = fh[0];
		f->keep = h->l4;
		f->head = h->l4 + 8u;
		end = h->l3 + 40u + (uint32_t)(p[h->l3 + 4] << 8 | p[h->l3 + 5]);
	}
	/* Not all there (a cut capture), empty, or not a multiple of eight (RFC 8200 4.5). */
	if (end > m->data_len || end <= f->head)
		return false;
	f->len = end - f->head;
	return !(f->more && f->len % 8) && f->keep + f->offset + f->len <= 65535;
}

static struct partial *partial_find(struct reassembly *r, const struct fragment_key *key,
				    bool *fresh)
{
	uint32_t home = (uint32_t)(XXH3_64bits(key, sizeof(*key)) % r->capacity);
	struct partial *free_one = NULL;

	*fresh = false;
	/* Entries leave in any order, so the whole probe length counts; it is short. */
	for (uint32_t i = 0; i < 16 && i < r->capacity; i++) {
		struct partial *p = &r->partial[(home + i) % r->capacity];

		if (p->whole && memcmp(&p->key, key, sizeof(*key)) == 0)
			return p;
		if (!p->whole && !free_one)
			free_one = p;
	}
	*fresh = true;
	return free_one;
}

static void partial_drop(struct worker *w, struct partial *p, enum reason reason)
{
	struct rte_mbuf *m = p->first;

	while (m) {
		struct rte_mbuf *next = packet_meta(m)->next;

		w->counters->verdicts[VERDICT_DROP]++;
		worker_note(w, 0, reason);
		rte_pktmbuf_free(m);
		m = next;
	}
	rte_pktmbuf_free(p->whole);
	p->whole = NULL;
	w->reassembly->used--;
}

static bool partial_start(struct worker *w, struct partial *p, const struct fragment_key *key,
			  uint64_t now)
{
	struct reassembly *r = w->reassembly;

	/* Large packets that are whole need buffers too. */
	if (r->used >= r->pool->size / 2)
		return false;
	p->whole = rte_pktmbuf_alloc(r->pool);
	if (!p->whole)
		return false;
	p->key = *key;
	p->started = now;
	p->first = p->last = NULL;
	p->received = p->total = p->reach = p->pieces = 0;
	p->headed = false;
	p->head = 0;
	memset(p->units, 0, sizeof(p->units));
	r->used++;
	return true;
}

/* Marks the fragment's units. Returns how many were marked before. */
static uint32_t mark_units(struct partial *p, const struct fragment *f)
{
	uint32_t from = f->offset / 8, to = (f->offset + f->len + 7) / 8, known = 0;

	for (uint32_t u = from; u < to; u++) {
		uint64_t bit = 1ULL << (u % 64);

		known += (p->units[u / 64] & bit) != 0;
		p->units[u / 64] |= bit;
	}
	return known;
}

enum addition { ADD_OK, ADD_DUPLICATE, ADD_BAD };

static enum addition partial_add(struct partial *p, struct rte_mbuf *m, const struct fragment *f)
{
	uint8_t *to = rte_pktmbuf_mtod(p->whole, uint8_t *);
	const uint8_t *from = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t known, units = (f->len + 7) / 8;

	if (f->keep > HEAD_MAX || HEAD_MAX + f->offset + f->len > rte_pktmbuf_tailroom(p->whole) ||
	    ++p->pieces > PIECES)
		return ADD_BAD;
	known = mark_units(p, f);
	/* The same bytes again are a copy; anything else that overlaps is an attack (RFC 5722). */
	if (known == units && memcmp(to + HEAD_MAX + f->offset, from + f->head, f->len) == 0)
		return ADD_DUPLICATE;
	if (known || (p->total && f->offset + f->len > p->total))
		return ADD_BAD;
	if (!f->more) {
		if (p->total || p->reach > f->offset + f->len)
			return ADD_BAD;
		p->total = f->offset + f->len;
	}
	if (f->offset == 0) {
		/* Right before the data, so that the packet is in one piece. */
		memcpy(to + HEAD_MAX - f->keep, from, f->keep);
		if (f->next_at)
			to[HEAD_MAX - f->keep + f->next_at] = f->next;
		p->head = f->keep;
		p->headed = true;
	}
	memcpy(to + HEAD_MAX + f->offset, from + f->head, f->len);
	p->received += f->len;
	if (p->reach < f->offset + f->len)
		p->reach = f->offset + f->len;
	return ADD_OK;
}

/* Lengths, flags and the IPv4 header checksum as if it had never been in pieces. */
static void whole_headers(struct rte_mbuf *m, const struct partial *p, uint16_t l3)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, l3);
	uint32_t ip_len = p->head - l3 + p->total;
	uint16_t field;

	if (p->key.family == 4) {
		field = rte_cpu_to_be_16((uint16_t)ip_len);
		memcpy(ip + 2, &field, 2);
		ip[6] &= 0x40;
		ip[7] = 0;
		memset(ip + 10, 0, 2);
		field = checksum_finish(checksum_add(0, ip, (size_t)(ip[0] & 0x0f) * 4));
		memcpy(ip + 10, &field, 2);
	} else {
		field = rte_cpu_to_be_16((uint16_t)(ip_len - 40));
		memcpy(ip + 4, &field, 2);
	}
}

/* False: what came out is a fragment again. */
static bool partial_finish(struct worker *w, struct burst *b, unsigned i, struct partial *p)
{
	struct packet_meta *last = packet_meta(p->last), *meta = packet_meta(p->whole);
	struct rte_mbuf *m = p->whole;
	uint16_t l3 = b->hdr[i].l3;

	m->data_off = (uint16_t)(m->data_off + HEAD_MAX - p->head);
	m->data_len = (uint16_t)(p->head + p->total);
	m->pkt_len = m->data_len;
	whole_headers(m, p, l3);
	*meta = (struct packet_meta){
		.time = last->time,
		.number = last->number,
		.wirelen = m->data_len,
		.link = last->link,
		.flags = last->flags | PACKET_REASSEMBLED,
		.from = last->from,
		.fragments = p->first,
		.role = last->role,
	};
	p->whole = NULL;
	w->reassembly->used--;
	b->pkt[i] = m;
	packet_decode(m, &b->hdr[i]);
	if (b->hdr[i].class != CLASS_FRAGMENT)
		return true;
	p->whole = m;
	w->reassembly->used++;
	partial_drop(w, p, REASON_FRAGMENT_BAD);
	return false;
}

enum slot_work reassembly_take(struct worker *w, struct burst *b, unsigned i)
{
	struct rte_mbuf *m = b->pkt[i];
	enum reason reason = REASON_FRAGMENT_BAD;
	/* The worker's clock stands at the last burst's packets. */
	uint64_t now = RTE_MAX(w->now, packet_meta(m)->time);
	struct fragment f;
	struct partial *p;
	bool fresh;

	if (!fragment_is_ours(&b->hdr[i]))
		return SLOT_FORWARD;
	if (!fragment_read(m, &b->hdr[i], &f)) {
		if (packet_meta(m)->wirelen > m->data_len)
			reason = REASON_TRUNCATED;
		goto drop;
	}
	p = partial_find(w->reassembly, &f.key, &fresh);
	if (p && !fresh && p->started + w->reassembly->timeout < now) {
		partial_drop(w, p, REASON_FRAGMENT_TIMEOUT);
		fresh = true;
	}
	reason = REASON_FRAGMENT_BUDGET;
	if (!p || (fresh && !partial_start(w, p, &f.key, now)))
		goto drop;
	switch (partial_add(p, m, &f)) {
	case ADD_OK:
		break;
	case ADD_DUPLICATE:
		reason = REASON_FRAGMENT_BAD;
		goto drop;
	case ADD_BAD:
		partial_drop(w, p, REASON_FRAGMENT_BAD);
		reason = REASON_FRAGMENT_BAD;
		goto drop;
	}
	packet_meta(m)->next = NULL;
	if (p->last)
		packet_meta(p->last)->next = m;
	else
		p->first = m;
	p->last = m;
	if (!p->headed || !p->total || p->received < p->total)
		return SLOT_HELD;
	/* Fragments of fragments are nobody's honest packet. */
	if (!partial_finish(w, b, i, p))
		return SLOT_HELD;
	return SLOT_FORWARD;
drop:
	w->counters->verdicts[VERDICT_DROP]++;
	worker_note(w, 0, reason);
	rte_pktmbuf_free(m);
	return SLOT_HELD;
}

void reassembly_sweep(struct worker *w, bool all)
{
	struct reassembly *r = w->reassembly;

	for (uint32_t n = all ? r->capacity : 4; n && r->used; n--) {
		struct partial *p = &r->partial[r->hand];

		r->hand = r->hand + 1 < r->capacity ? r->hand + 1 : 0;
		if (p->whole && (all || p->started + r->timeout < w->now))
			partial_drop(w, p, REASON_FRAGMENT_TIMEOUT);
	}
}
