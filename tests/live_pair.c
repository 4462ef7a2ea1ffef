/* SPDX-License-Identifier: BSD-3-Clause */
/* The network between two model endpoints and a gate, and the time. */
#include <rte_ring.h>

#include "dataplane/packet_write.h"
#include "dataplane/tcp/tcp.h"
#include "tests/live_pair_internal.h"
#include "tests/unit/test.h"

#define IDLE (40 * MS) /* between two looks of the gate's at its timers */

static uint32_t chance(struct pair *p, unsigned per_mille)
{
	return fixture_below(&p->random, 1000) < per_mille;
}

/* The wire ---------------------------------------------------------------- */

void pair_put_in_flight(struct pair *p, const uint8_t *frame, uint32_t len, unsigned to,
			bool to_gate)
{
	unsigned copies = 1 + chance(p, p->options.copies);

	if (chance(p, p->options.loss))
		return;
	while (copies--) {
		struct pair_packet *f;
		uint64_t delay = MS / 4 + fixture_below(&p->random, (uint32_t)MS / 4);

		if (chance(p, p->options.disorder))
			delay += fixture_below(&p->random, (uint32_t)(20 * MS));
		/* A full queue: lost. */
		if (p->in_flight == PAIR_FLIGHT)
			return;
		f = &p->flight[p->in_flight++];
		*f = (struct pair_packet){.time = p->now + delay,
					  .frame = malloc(len),
					  .len = len,
					  .to = to,
					  .to_gate = to_gate};
		assert_non_null(f->frame);
		memcpy(f->frame, frame, len);
	}
}

void pair_trace(const struct pair *p, const char *where, unsigned from, const uint8_t *frame,
		uint32_t len)
{
	uint32_t l3 = p->options.vlan ? 18 : 14, l4 = l3 + (p->options.ipv6 ? 40 : 20);
	const uint8_t *tcp = frame + l4;
	uint32_t head = (tcp[12] >> 4) * 4u;

	if (!p->trace)
		return;
	fprintf(p->trace, "%8.2f %s %s flags %02x seq %u ack %u win %u len %u \"",
		(double)(p->now - p->began) / 1e6, where, from ? "server" : "client", tcp[13],
		get32(tcp + 4) - p->peer[from].isn - 1, get32(tcp + 8) - p->peer[!from].isn - 1,
		get16(tcp + 14), len - l4 - head);
	for (uint32_t i = l4 + head; i < len && i < l4 + head + 60; i++)
		fputc(frame[i] < 32 ? '~' : frame[i], p->trace);
	fprintf(p->trace, "\"\n");
}

/* It has arrived. */
static void flight_drop(struct pair *p, struct pair_packet *f)
{
	free(f->frame);
	*f = p->flight[--p->in_flight];
}

/* The gate ---------------------------------------------------------------- */

static void take_left(struct pair *p)
{
	for (unsigned i = 0; i < p->g->left_count; i++) {
		const struct left_packet *left = &p->g->left[i];
		unsigned from = left->hdr.sport == p->ends.port[1];

		if (!left->sound)
			fail_msg("a packet of side %u left with a wrong checksum", from);
		if (left->meta.role != (from ? PORT_INSIDE : PORT_OUTSIDE))
			fail_msg("a packet of side %u left by the wrong port", from);
		p->from_gate += !!(left->meta.flags & PACKET_FROM_GATE);
		pair_trace(p, "  to", from, left->bytes, left->len);
		pair_put_in_flight(p, left->bytes, left->len, !from, false);
	}
	gate_fixture_forget(p->g);
}

static void run_gate(struct pair *p)
{
	p->g->time = p->now;
	p->g->w->now = RTE_MAX(p->g->w->now, p->now);
	/* As often as a live worker's heart beats. */
	worker_sweep(p->g->w);
	do
		gate_fixture_turn(p->g);
	while (p->g->queued);
	take_left(p);
	p->gate_time = p->now + IDLE;
}

/* Everything that has come by now, in one burst. */
static void feed_gate(struct pair *p)
{
	bool any = false;

	for (;;) {
		struct pair_packet *next = NULL;

		for (unsigned i = 0; i < p->in_flight; i++) {
			struct pair_packet *f = &p->flight[i];

			if (f->to_gate && f->time <= p->now && (!next || f->time < next->time))
				next = f;
		}
		if (!next)
			break;
		p->g->time = p->now;
		gate_fixture_put(p->g, LINK_ETHERNET, next->frame, next->len, 0);
		flight_drop(p, next);
		any = true;
	}
	if (any || p->gate_time <= p->now)
		run_gate(p);
}

/* Steps ------------------------------------------------------------------- */

static void peer_act(struct pair *p, unsigned side)
{
	struct peer *peer = &p->peer[side];
	uint32_t right = peer->in_right, room;

	if (peer->timeout && peer->timeout <= p->now)
		peer_time_out(p, side);
	if (peer->state != PEER_ESTABLISHED)
		return;
	peer->in_read += RTE_MIN(peer->in_next - peer->in_read,
				 1 + fixture_below(&p->random, peer->options.appetite));
	p->app(p, side);
	peer_send_new(p, side);
	/* RFC 9293 3.8.6.2.2: a window that opens is worth a packet. */
	room = peer->in_next + peer->options.buffer - (peer->in_next - peer->in_read);
	if (peer->ack_now || room > right + peer->options.buffer / 2 ||
	    (right == peer->in_next && room > right))
		peer_send_raw(p, side, TCP_ACK, peer->nxt, NULL, 0);
}

static uint64_t next_time(const struct pair *p)
{
	uint64_t next = p->gate_time;

	for (unsigned i = 0; i < p->in_flight; i++)
		if (p->flight[i].time < next)
			next = p->flight[i].time;
	for (unsigned side = 0; side < 2; side++) {
		const struct peer *peer = &p->peer[side];

		if (peer->timeout && peer->timeout < next)
			next = peer->timeout;
		if (peer->in_read < peer->in_next)
			next = RTE_MIN(next, p->now + MS);
	}
	return RTE_MAX(next, p->now);
}

void pair_step(struct pair *p)
{
	/* A burst is what comes within a moment. */
	p->now = next_time(p) + fixture_below(&p->random, (uint32_t)MS / 2);
	for (unsigned i = 0; i < p->in_flight;) {
		struct pair_packet f = p->flight[i];

		if (f.to_gate || f.time > p->now) {
			i++;
			continue;
		}
		p->flight[i] = p->flight[--p->in_flight];
		peer_receive(p, f.to, f.frame, f.len);
		free(f.frame);
		peer_act(p, f.to);
	}
	feed_gate(p);
	peer_act(p, 0);
	peer_act(p, 1);
}

void pair_open(struct pair *p, struct gate_fixture *g, const struct pair_options *options,
	       unsigned tenant, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	p->g = g;
	p->options = *options;
	p->random = seed;
	p->seed = seed;
	p->ends = segment_ends(options->ipv6, tenant, 40001, options->port ? options->port : 25);
	p->ends.vlan = options->vlan;
	g->step = 0;
	p->now = p->began = g->time;
	p->gate_time = p->now + IDLE;
	for (unsigned side = 0; side < 2; side++) {
		struct peer *peer = &p->peer[side];

		peer->options = options->peer[side];
		/* Around 2^32 as often as not. */
		peer->isn = fixture_below(&p->random, 2)
				    ? (uint32_t)fixture_random(&p->random)
				    : UINT32_MAX - fixture_below(&p->random, 4000);
		peer->in_fin = NO_FIN;
		peer->stamp = 0;
	}
	p->peer[0].state = PEER_SYN;
	peer_send_raw(p, 0, TCP_SYN, 0, NULL, 0);
	peer_timer_start(p, &p->peer[0]);
}

void pair_close(struct pair *p)
{
	while (p->in_flight)
		flight_drop(p, &p->flight[0]);
}

struct pair_options pair_easy(void)
{
	struct peer_options peer = {.mss = 536, .buffer = 65535, .appetite = 65536};

	return (struct pair_options){.peer = {peer, peer}};
}

struct pair_options pair_hostile(uint64_t seed)
{
	uint64_t random = seed * 31;
	struct pair_options o = pair_easy();

	o.loss = fixture_below(&random, 2) ? fixture_below(&random, 150) : 0;
	o.copies = fixture_below(&random, 2) ? fixture_below(&random, 200) : 0;
	o.disorder = fixture_below(&random, 2) ? fixture_below(&random, 400) : 0;
	o.ipv6 = fixture_below(&random, 2);
	o.vlan = fixture_below(&random, 2);
	o.stamps = fixture_below(&random, 2);
	for (unsigned side = 0; side < 2; side++) {
		struct peer_options *peer = &o.peer[side];

		peer->mss = 20 + fixture_below(&random, 1200);
		peer->tiny = fixture_below(&random, 8) == 0;
		/* Byte by byte, each waiting for the one before it, takes hours. */
		peer->nagle = !peer->tiny && fixture_below(&random, 3) == 0;
		peer->sack = fixture_below(&random, 2);
		if (fixture_below(&random, 3) == 0)
			peer->buffer = 300 + fixture_below(&random, 3000);
		peer->scale = (uint8_t)fixture_below(&random, 4);
		if (fixture_below(&random, 3) == 0)
			peer->appetite = 1 + fixture_below(&random, 400);
	}
	return o;
}
