/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_tcp.h"

enum {
	SEGMENT_GAP_NS = 12500,    /* 1,500 bytes at about 1 Gbit/s */
	TCP_WINDOW = 502,          /* scaled by 7: 64 kB */
	OVERLAP_MAX = 64,          /* bytes; below any MSS, so an overlap always brings new ones */
	RESEND_NS = 3000,          /* before the next segment */
	DELAYED_ACK_NS = 40000000, /* as Linux does; RFC 1122 4.2.3.2 allows 500 ms */
};

static void segment_put(struct gen_conn *conn, enum gen_direction sender, uint64_t ts_ns,
			uint8_t flags, uint32_t seq, const uint8_t *data, uint32_t len,
			uint32_t fragments)
{
	struct gen_segment segment = {
		.seq = seq,
		.ack = flags & TCP_ACK ? conn->seq[!sender] : 0,
		.flags = flags,
		.window = flags & TCP_SYN ? 64240 : TCP_WINDOW,
		.ts_value = (uint32_t)(ts_ns / 1000000) + (sender ? 0x40000000 : 0),
		.ts_echo = flags & TCP_ACK ? (uint32_t)((ts_ns - conn->half_rtt_ns) / 1000000) +
						     (sender ? 0 : 0x40000000)
					   : 0,
		.mss = (uint16_t)(conn->mss + 12), /* a segment's options come out of it */
		.payload = data,
		.len = len,
	};

	conn->owes_ack[sender] = false;
	packet_tcp(conn->flow, conn->path, sender, ts_ns, &segment, fragments);
}

/* A segment without data: SYN and FIN take one number. */
static void signal_put(struct gen_conn *conn, enum gen_direction sender, uint8_t flags)
{
	segment_put(conn, sender, conn->now_ns, flags, conn->seq[sender], NULL, 0, 1);
	if (flags & (TCP_SYN | TCP_FIN))
		conn->seq[sender]++;
	conn->now_ns += SEGMENT_GAP_NS;
}

void conn_wait(struct gen_conn *conn, uint64_t ns)
{
	for (int side = FROM_CLIENT; side <= FROM_SERVER; side++) {
		if (conn->owes_ack[side] && ns > DELAYED_ACK_NS)
			segment_put(conn, (enum gen_direction)side, conn->now_ns + DELAYED_ACK_NS,
				    TCP_ACK, conn->seq[side], NULL, 0, 1);
	}
	conn->now_ns += ns;
}

void conn_open(struct gen_conn *conn)
{
	conn->counts->tcp_flows++;
	signal_put(conn, FROM_CLIENT, TCP_SYN);
	conn_wait(conn, conn->half_rtt_ns);
	signal_put(conn, FROM_SERVER, TCP_SYN | TCP_ACK);
	conn_wait(conn, conn->half_rtt_ns);
	signal_put(conn, FROM_CLIENT, TCP_ACK);
}

/* A second copy of a segment that tells another story. */
static void decoy_put(struct gen_conn *conn, enum gen_direction sender, uint64_t ts_ns,
		      uint8_t flags, uint32_t seq, const uint8_t *data, uint32_t len)
{
	uint8_t other[65536];

	for (uint32_t i = 0; i < len; i++)
		other[i] = data[i] >= 'a' && data[i] <= 'z' ? data[i] ^ 1 : data[i];
	segment_put(conn, sender, ts_ns, flags, seq, other, len, 1);
}

/* What one end sends at once, and how far it has got. */
struct burst {
	enum gen_direction sender;
	const uint8_t *data;
	size_t len;
};

/*
 * One segment: `len` bytes from `at`. Its faults take place before the next
 * segment's time, or when everything was acknowledged: the acknowledgements
 * stay true.
 */
static void data_put(struct gen_conn *conn, const struct burst *burst, size_t at, uint32_t len)
{
	const struct gen_faults *faults = conn->faults;
	uint8_t flags = TCP_ACK | (at + len == burst->len ? TCP_PSH : 0);
	uint32_t seq = conn->seq[burst->sender] + (uint32_t)at;
	uint64_t ts_ns = conn->now_ns;
	uint32_t fragments = 1;

	if (random_chance(conn->random, faults->fragment)) {
		fragments = 2 + random_below(conn->random, 2);
		conn->counts->fragmented++;
	}
	segment_put(conn, burst->sender, ts_ns, flags, seq, burst->data + at, len, fragments);
	if (random_chance(conn->random, faults->retransmit)) {
		uint64_t later = random_below(conn->random, 2) ? RESEND_NS : conn->half_rtt_ns;

		segment_put(conn, burst->sender, ts_ns + later, flags, seq, burst->data + at, len,
			    1);
		conn->counts->retransmitted++;
	}
	if (random_chance(conn->random, faults->decoy)) {
		decoy_put(conn, burst->sender, ts_ns + RESEND_NS + 1, flags, seq, burst->data + at,
			  len);
		conn->counts->decoys++;
	}
	conn->now_ns += SEGMENT_GAP_NS;
}

/* The receiver acknowledges the first `len` bytes of a burst, after the last segment so far. */
static void ack_put(struct gen_conn *conn, const struct burst *burst, size_t len)
{
	uint32_t start = conn->seq[burst->sender];

	conn->seq[burst->sender] += (uint32_t)len;
	segment_put(conn, !burst->sender, conn->now_ns - SEGMENT_GAP_NS / 2, TCP_ACK,
		    conn->seq[!burst->sender], NULL, 0, 1);
	conn->seq[burst->sender] = start;
}

static uint32_t segment_len(const struct gen_conn *conn, const struct burst *burst, size_t at)
{
	return (uint32_t)(burst->len - at < conn->mss ? burst->len - at : conn->mss);
}

/* The next one or two segments from `at`; returns where they end. */
static size_t burst_step(struct gen_conn *conn, const struct burst *burst, size_t at)
{
	uint32_t len = segment_len(conn, burst, at);
	uint32_t next = segment_len(conn, burst, at + len);

	if (next && random_chance(conn->random, conn->faults->reorder)) {
		data_put(conn, burst, at + len, next);
		data_put(conn, burst, at, len);
		conn->counts->reordered++;
		return at + len + next;
	}
	if (at && random_chance(conn->random, conn->faults->overlap)) {
		uint32_t most = at < OVERLAP_MAX ? (uint32_t)at : OVERLAP_MAX;
		uint32_t again = 1 + random_below(conn->random, most);

		at -= again;
		len = segment_len(conn, burst, at);
		conn->counts->overlapped++;
	}
	data_put(conn, burst, at, len);
	return at + len;
}

void conn_send(struct gen_conn *conn, enum gen_direction sender, const void *data, size_t len)
{
	const struct burst burst = {sender, data, len};
	unsigned int steps = 0;
	size_t at = 0;

	while (at < len) {
		at = burst_step(conn, &burst, at);
		conn->owes_ack[!sender] = true;
		/* RFC 1122 4.2.3.2: at least every second segment. */
		if (steps++ % 2)
			ack_put(conn, &burst, at);
	}
	conn->seq[sender] += (uint32_t)len;
	conn_wait(conn, conn->half_rtt_ns);
}

void conn_close(struct gen_conn *conn, enum gen_direction first)
{
	signal_put(conn, first, TCP_FIN | TCP_ACK);
	conn_wait(conn, conn->half_rtt_ns);
	signal_put(conn, !first, TCP_FIN | TCP_ACK);
	conn_wait(conn, conn->half_rtt_ns);
	signal_put(conn, first, TCP_ACK);
}
