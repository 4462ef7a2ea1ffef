/* SPDX-License-Identifier: BSD-3-Clause */
/* A model of a TCP endpoint. */
#include "tests/live_pair_internal.h"

#include "dataplane/packet_write.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_option.h"
#include "tests/unit/test.h"

#define TIMEOUT (300 * MS)
#define FLIGHT  8192 /* bytes not acknowledged, at most */
#define PSH     0x08

/* Packets ----------------------------------------------------------------- */

static bool scaled(const struct pair *p)
{
	return p->options.peer[0].scale && p->options.peer[1].scale;
}

/* Up to three blocks beyond the gap, the nearest first. */
static uint32_t put_sack(const struct pair *p, const struct peer *peer, unsigned side, uint8_t *to)
{
	uint32_t isn = p->peer[!side].isn + 1, n = 0, at = peer->in_next;

	while (n < 3) {
		uint32_t left, right;

		while (at < peer->in_max && !peer->have[at])
			at++;
		if (at >= peer->in_max)
			break;
		for (left = at; at < peer->in_max && peer->have[at]; at++)
			;
		right = at;
		put32(to + 4 + 8 * n, isn + left);
		put32(to + 8 + 8 * n, isn + right);
		n++;
	}
	if (!n)
		return 0;
	to[0] = to[1] = TCP_OPTION_NOP;
	to[2] = TCP_OPTION_SACK;
	to[3] = (uint8_t)(2 + 8 * n);
	return 4 + 8 * n;
}

static uint32_t put_options(const struct pair *p, unsigned side, uint8_t flags, uint8_t *to)
{
	const struct peer *peer = &p->peer[side];
	uint32_t len = 0;

	if (p->options.stamps && !(flags & TCP_RST)) {
		to[0] = to[1] = TCP_OPTION_NOP;
		to[2] = TCP_OPTION_STAMPS;
		to[3] = 10;
		put32(to + 4, (uint32_t)(p->now / MS) + peer->isn);
		put32(to + 8, flags & TCP_ACK ? peer->stamp : 0);
		len = 12;
	}
	if ((flags & TCP_SYN) && peer->options.scale) {
		to[len] = TCP_OPTION_SCALE;
		to[len + 1] = 3;
		to[len + 2] = peer->options.scale;
		to[len + 3] = TCP_OPTION_NOP;
		len += 4;
	}
	if (peer->options.sack && !(flags & (TCP_SYN | TCP_RST)))
		len += put_sack(p, peer, side, to + len);
	return len;
}

/* The right edge never goes back (RFC 9293 3.8.6). */
static uint16_t window_field(const struct pair *p, struct peer *peer, uint8_t flags)
{
	unsigned shift = scaled(p) && !(flags & TCP_SYN) ? peer->options.scale : 0;
	uint32_t room = peer->options.buffer - (peer->in_next - peer->in_read);
	uint32_t field = room >> shift;

	if (field > 65535)
		field = 65535;
	if (peer->in_next + (field << shift) > peer->in_right)
		peer->in_right = peer->in_next + (field << shift);
	else
		field = (peer->in_right - peer->in_next) >> shift;
	return (uint16_t)field;
}

void peer_send_raw(struct pair *p, unsigned side, uint8_t flags, uint32_t at, const void *data,
		   uint32_t len)
{
	uint8_t frame[2048];
	struct peer *peer = &p->peer[side];
	struct segment s = {
		.from = side,
		.flags = flags,
		.seq = peer->isn + at + !(flags & TCP_SYN),
		.ack = p->peer[!side].isn + 1 + peer->in_next + (peer->in_next == peer->in_fin),
		.window = window_field(p, peer, flags),
		.data = data,
		.len = len,
	};

	s.options_len = put_options(p, side, flags, s.options);
	len = segment_write(frame, &p->ends, &s);
	peer->ack_now = false;
	peer->quiet = p->now + 100 * TIMEOUT;
	pair_trace(p, "from", side, frame, len);
	pair_put_in_flight(p, frame, len, !side, true);
}

/* Sending ----------------------------------------------------------------- */

void peer_timer_start(struct pair *p, struct peer *peer)
{
	peer->timeout = p->now + (TIMEOUT << RTE_MIN(peer->backoff, 4u));
}

static uint32_t out_end(const struct peer *peer)
{
	return peer->out_len + peer->out_fin;
}

static uint32_t segment_size(struct pair *p, const struct peer *peer, uint32_t most)
{
	uint32_t n = peer->options.tiny ? 1 : peer->options.mss;

	if (!peer->options.tiny && !peer->options.nagle && fixture_below(&p->random, 3) == 0)
		n = 1 + fixture_below(&p->random, n);
	return RTE_MIN(n, most);
}

static uint32_t send_segment(struct pair *p, unsigned side, uint32_t at, uint32_t most)
{
	struct peer *peer = &p->peer[side];
	uint32_t n = at < peer->out_len ? segment_size(p, peer, RTE_MIN(most, peer->out_len - at))
					: 0;
	bool fin = peer->out_fin && at + n == peer->out_len && most > n &&
		   (n == 0 || fixture_below(&p->random, 2));

	peer_send_raw(p, side, (uint8_t)(TCP_ACK | (n ? PSH : 0) | (fin ? TCP_FIN : 0)), at,
		      peer->out + at, n);
	return n + fin;
}

void peer_send_new(struct pair *p, unsigned side)
{
	struct peer *peer = &p->peer[side];

	while (peer->nxt < out_end(peer) && peer->nxt - peer->una < FLIGHT) {
		uint32_t most = peer->right > peer->nxt ? peer->right - peer->nxt : 0;

		if (!most)
			break;
		if (peer->options.nagle && peer->una < peer->nxt && !peer->out_fin &&
		    peer->out_len - peer->nxt < peer->options.mss)
			break;
		if (!peer->timeout)
			peer_timer_start(p, peer);
		peer->nxt += send_segment(p, side, peer->nxt, most);
		peer->max = RTE_MAX(peer->max, peer->nxt);
	}
	/* A closed window is probed. */
	if (peer->nxt < out_end(peer) && !peer->timeout)
		peer_timer_start(p, peer);
}

static void send_again(struct pair *p, unsigned side)
{
	struct peer *peer = &p->peer[side];
	uint32_t at = peer->una;

	if (at == out_end(peer))
		return;
	send_segment(p, side, at, peer->max > at ? peer->max - at : 1);
	peer->max = RTE_MAX(peer->max, at + 1);
	peer->nxt = RTE_MAX(peer->nxt, at + (peer->nxt > at ? 0 : 1));
	/* And some of what was not reported to be there. */
	for (at = peer->una + peer->options.mss; at < peer->nxt && at < peer->out_len;
	     at += peer->options.mss)
		if (!peer->sacked[at] && fixture_below(&p->random, 3) == 0)
			send_segment(p, side, at, peer->nxt - at);
}

void peer_time_out(struct pair *p, unsigned side)
{
	struct peer *peer = &p->peer[side];

	peer->timeout = 0;
	if (peer->state == PEER_SYN) {
		if (side == 0)
			peer_send_raw(p, side, TCP_SYN, 0, NULL, 0);
		else
			peer_send_raw(p, side, TCP_SYN | TCP_ACK, 0, NULL, 0);
	} else if (peer->state == PEER_ESTABLISHED && peer->una < out_end(peer)) {
		send_again(p, side);
		/* Then all the others, as they are acknowledged. */
		if (fixture_below(&p->random, 2))
			peer->nxt = RTE_MIN(peer->nxt, peer->una + 1);
	} else {
		return;
	}
	peer->backoff++;
	peer_timer_start(p, peer);
}

void peer_write(struct pair *p, unsigned side, const void *data, uint32_t len)
{
	struct peer *peer = &p->peer[side];

	assert_true(peer->out_len + len < PAIR_STREAM);
	memcpy(peer->out + peer->out_len, data, len);
	peer->out_len += len;
}

void peer_finish(struct pair *p, unsigned side)
{
	p->peer[side].out_fin = true;
}

bool peer_heard_all(const struct peer *peer)
{
	return peer->in_fin != NO_FIN && peer->in_next == peer->in_fin &&
	       peer->in_read == peer->in_fin;
}

bool peer_said_all(const struct peer *peer)
{
	return peer->out_fin && peer->una == out_end(peer);
}

/* Receiving --------------------------------------------------------------- */

/* A packet as a peer reads it. */
struct arrival {
	const uint8_t *tcp, *data;
	uint32_t at, ack, len, window; /* offsets */
	uint8_t flags;
	bool stamped;
	uint32_t stamp, echo;
};

static struct arrival arrival_read(const struct pair *p, unsigned side, const uint8_t *frame,
				   uint32_t len)
{
	uint32_t l3 = p->options.vlan ? 18 : 14;
	const uint8_t *ip = frame + l3, *stamps;
	uint32_t l4 = p->options.ipv6 ? 40 : 20, l4_len;
	struct arrival a = {.tcp = ip + l4};
	uint32_t head = (a.tcp[12] >> 4) * 4u;

	l4_len = p->options.ipv6 ? get16(ip + 4) : get16(ip + 2) - 20u;
	assert_true(l3 + l4 + l4_len <= len && head <= l4_len);
	a.data = a.tcp + head;
	a.len = l4_len - head;
	a.flags = a.tcp[13];
	a.at = get32(a.tcp + 4) - p->peer[!side].isn - !(a.flags & TCP_SYN);
	a.ack = get32(a.tcp + 8) - p->peer[side].isn - 1;
	a.window = get16(a.tcp + 14);
	if (scaled(p) && !(a.flags & TCP_SYN))
		a.window <<= p->peer[!side].options.scale;
	stamps = tcp_option_find(a.tcp, TCP_OPTION_STAMPS, 10);
	a.stamped = stamps != NULL;
	a.stamp = stamps ? get32(stamps + 2) : 0;
	a.echo = stamps ? get32(stamps + 6) : 0;
	return a;
}

static void take_sack(struct pair *p, unsigned side, const struct arrival *a)
{
	const uint8_t *sack = tcp_option_find(a->tcp, TCP_OPTION_SACK, 10);
	struct peer *peer = &p->peer[side];

	for (unsigned at = 2; sack && at + 8 <= sack[1]; at += 8) {
		uint32_t left = get32(sack + at) - peer->isn - 1;
		uint32_t right = get32(sack + at + 4) - peer->isn - 1;

		if ((int32_t)right <= (int32_t)peer->una)
			continue;
		if (right > peer->max || (int32_t)left > (int32_t)right)
			fail_msg("seed %llu: side %u: SACK %u..%u of %u bytes", p->seed, side, left,
				 right, peer->max);
		left = RTE_MAX((int32_t)left, (int32_t)peer->una);
		for (uint32_t k = left; k < right; k++)
			peer->sacked[k] = true;
	}
}

static void take_ack(struct pair *p, unsigned side, const struct arrival *a)
{
	struct peer *peer = &p->peer[side];

	if ((int32_t)(a->ack - peer->max) > 0)
		fail_msg("seed %llu: side %u: %u bytes acknowledged of %u", p->seed, side, a->ack,
			 peer->max);
	if ((int32_t)(a->ack + a->window - peer->right) > 0)
		peer->right = a->ack + a->window;
	take_sack(p, side, a);
	if ((int32_t)(a->ack - peer->una) > 0) {
		peer->una = a->ack;
		peer->nxt = RTE_MAX(peer->nxt, peer->una);
		peer->copies = peer->backoff = 0;
		peer->timeout = 0;
		if (peer->una < peer->nxt)
			peer_timer_start(p, peer);
	} else if (a->ack == peer->una && !a->len && peer->una < peer->nxt && ++peer->copies == 3) {
		send_again(p, side);
	}
}

static void take_data(struct pair *p, unsigned side, const struct arrival *a)
{
	struct peer *peer = &p->peer[side];

	for (uint32_t k = 0; k < a->len; k++) {
		uint32_t at = a->at + k;

		/* Beyond the window it is not taken. */
		if ((int32_t)(at - peer->in_right) >= 0)
			break;
		if ((int32_t)(at - peer->in_next) >= 0 && peer->in_fin != NO_FIN &&
		    at >= peer->in_fin)
			fail_msg("seed %llu: side %u: a byte behind the FIN", p->seed, side);
		assert_true((int32_t)at < PAIR_STREAM);
		if ((int32_t)at < 0)
			continue;
		/* One byte before the next: a keep-alive's may be anything. */
		if (peer->have[at] && peer->in[at] != a->data[k] &&
		    !(a->len == 1 && at + 1 == peer->in_next))
			fail_msg("seed %llu: side %u: byte %u was '%c' and is '%c'", p->seed, side,
				 at, peer->in[at], a->data[k]);
		if (!peer->have[at])
			peer->in[at] = a->data[k];
		peer->have[at] = true;
		peer->in_max = RTE_MAX(peer->in_max, at + 1);
	}
	while (peer->in_next < PAIR_STREAM && peer->have[peer->in_next])
		peer->in_next++;
}

static void take_fin(struct pair *p, unsigned side, const struct arrival *a)
{
	struct peer *peer = &p->peer[side];
	uint32_t at = a->at + a->len;

	if (!(a->flags & TCP_FIN))
		return;
	if (peer->in_fin != NO_FIN && peer->in_fin != at)
		fail_msg("seed %llu: side %u: FIN at %u and at %u", p->seed, side, peer->in_fin,
			 at);
	for (uint32_t k = at; k < PAIR_STREAM; k++)
		if (peer->have[k])
			fail_msg("seed %llu: side %u: FIN at %u before byte %u", p->seed, side, at,
				 k);
	peer->in_fin = at;
}

/* RFC 9293 3.10.7.4, RFC 5961 3.2. */
static void take_reset(struct peer *peer, const struct arrival *a)
{
	if (a->at == peer->in_next + (peer->in_next == peer->in_fin)) {
		peer->state = PEER_RESET;
		peer->timeout = 0;
	} else if ((int32_t)(a->at - peer->in_next) > 0 && a->at < peer->in_right) {
		peer->ack_now = true;
	}
}

static bool is_acceptable(struct peer *peer, const struct arrival *a)
{
	uint32_t next = peer->in_next + (peer->in_next == peer->in_fin);
	uint32_t end = a->at + a->len + !!(a->flags & TCP_FIN);

	if ((int32_t)(a->at - peer->in_right) > 0)
		return false;
	if (end == a->at)
		return (int32_t)(a->at - next) >= 0;
	return (int32_t)(end - next) > 0 && (int32_t)(a->at - peer->in_right) < 0;
}

static void handshake(struct pair *p, unsigned side, const struct arrival *a)
{
	struct peer *peer = &p->peer[side];

	if ((a->flags & TCP_SYN) && side == 1 && peer->state == PEER_CLOSED) {
		peer->state = PEER_SYN;
		peer->stamp = a->stamp;
		peer_send_raw(p, side, TCP_SYN | TCP_ACK, 0, NULL, 0);
		peer_timer_start(p, peer);
	} else if ((a->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) && side == 0 &&
		   peer->state == PEER_SYN) {
		peer->state = PEER_ESTABLISHED;
		peer->stamp = a->stamp;
		peer->timeout = 0;
		peer->backoff = 0;
		peer->right = a->window;
		peer_send_raw(p, side, TCP_ACK, 0, NULL, 0);
	} else if (!(a->flags & TCP_SYN) && side == 1 && peer->state == PEER_SYN) {
		peer->state = PEER_ESTABLISHED;
		peer->timeout = 0;
		peer->backoff = 0;
		peer->right = a->window;
	} else if (a->flags & TCP_SYN) {
		peer->ack_now = true;
	}
}

void peer_receive(struct pair *p, unsigned side, const uint8_t *frame, uint32_t len)
{
	struct arrival a = arrival_read(p, side, frame, len);
	struct peer *peer = &p->peer[side];

	if (peer->state == PEER_RESET)
		return;
	if (peer->state != PEER_ESTABLISHED || (a.flags & TCP_SYN))
		handshake(p, side, &a);
	if (peer->state != PEER_ESTABLISHED || (a.flags & TCP_SYN))
		return;
	if (a.flags & TCP_RST) {
		take_reset(peer, &a);
		return;
	}
	if (a.stamped != p->options.stamps)
		fail_msg("seed %llu: side %u: timestamps come and go", p->seed, side);
	/* PAWS: RFC 7323 5.3. */
	if (a.stamped && (int32_t)(a.stamp - peer->stamp) < 0) {
		peer->ack_now = true;
		return;
	}
	if (a.stamped && (int32_t)(a.echo - ((uint32_t)(p->now / MS) + peer->isn)) > 0)
		fail_msg("seed %llu: side %u: an echo from the future", p->seed, side);
	if (!is_acceptable(peer, &a)) {
		peer->ack_now = true;
		if ((int32_t)(a.at - peer->in_right) > 0)
			return;
	}
	if (a.stamped && (int32_t)(a.at - peer->in_next) <= 0)
		peer->stamp = a.stamp;
	take_ack(p, side, &a);
	take_data(p, side, &a);
	take_fin(p, side, &a);
	peer->ack_now |= a.len || (a.flags & TCP_FIN);
}
