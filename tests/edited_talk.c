/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/edited_talk.h"

#include "dataplane/packet_write.h"
#include "dataplane/tcp/tcp.h"
#include "dataplane/tcp/tcp_option.h"
#include "tests/unit/test.h"

static const char config[] =
	"tenants: ({ id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" "
	"];\n"
	"  optout = [ \"%s\" ]; });\n"
	"policy: { actions: { header_missing = \"pass\"; }; mail: { mailbomb = \"unlimited\"; }; "
	"};\n"
	"budgets: { flows = 256; sessions = 128; messages = 16; calls = 256; fragments = 64; };\n";

struct gate_fixture g;

int edited_setup(void **state)
{
	gate_fixture_open_listed(&g, config, "evil@two.example\n");
	return 0;
}

int edited_teardown(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

/* The wire ------------------------------------------------------------------ */

struct segment_ends ends;
uint32_t isn[2];
bool stamps;
uint32_t clock_of[2];

void wire_new(bool ipv6)
{
	gate_fixture_reset(&g);
	ends = segment_ends(ipv6, 1, 40001, 25);
	isn[CLIENT] = 1000;
	isn[SERVER] = 5000000;
	stamps = false;
	clock_of[CLIENT] = 70000;
	clock_of[SERVER] = 90000;
}

struct segment segment_of(unsigned from, uint8_t flags, uint32_t at, uint32_t ack, const char *data)
{
	struct segment s = {
		.from = from,
		.flags = flags,
		.seq = isn[from] + at - !!(flags & TCP_SYN),
		.ack = isn[!from] + ack,
		.window = 8000,
		.data = data,
		.len = data ? (uint32_t)strlen(data) : 0,
	};

	if (!stamps)
		return s;
	s.options[0] = s.options[1] = TCP_OPTION_NOP;
	s.options[2] = TCP_OPTION_STAMPS;
	s.options[3] = 10;
	put32(s.options + 4, clock_of[from]++);
	put32(s.options + 8, flags & TCP_ACK ? clock_of[!from] - 1 : 0);
	s.options_len = 12;
	return s;
}

void queue(const struct segment *s)
{
	uint8_t frame[4096];

	gate_fixture_put(&g, LINK_ETHERNET, frame, segment_write(frame, &ends, s), 0);
}

/* What left before is forgotten. */
void put_segment(const struct segment *s)
{
	gate_fixture_forget(&g);
	queue(s);
	gate_fixture_run(&g);
}

void put(unsigned from, uint8_t flags, uint32_t at, uint32_t ack, const char *data)
{
	struct segment s = segment_of(from, flags, at, ack, data);

	put_segment(&s);
}

/* Nothing comes; the gate looks at its timers. */
void pass(uint64_t ns)
{
	gate_fixture_forget(&g);
	g.time += ns;
	g.w->now = g.time;
	worker_sweep(g.w);
	gate_fixture_turn(&g);
}

/* What left in that end's name, the n-th of it. NULL: no such. */
const struct left_packet *left(unsigned from, unsigned n)
{
	for (unsigned i = 0; i < g.left_count; i++) {
		const struct left_packet *p = &g.left[i];

		assert_true(p->sound);
		if (p->hdr.class == CLASS_L4 && p->hdr.sport == ends.port[from] && n-- == 0)
			return p;
	}
	return NULL;
}

void assert_left(unsigned from, unsigned n, uint8_t flags, uint32_t at, uint32_t ack,
		 const char *data)
{
	const struct left_packet *p = left(from, n);

	assert_non_null(p);
	assert_int_equal(p->hdr.tcp_flags & ~PSH, flags & ~PSH);
	assert_int_equal(p->hdr.seq - isn[from], at);
	if (flags & TCP_ACK)
		assert_int_equal(p->hdr.ack - isn[!from], ack);
	assert_int_equal(p->hdr.payload_len, data ? strlen(data) : 0);
	if (data)
		assert_memory_equal(p->bytes + p->hdr.payload, data, strlen(data));
}

void assert_only(unsigned client, unsigned server)
{
	assert_null(left(CLIENT, client));
	assert_null(left(SERVER, server));
	assert_int_equal(g.left_count, client + server);
}

/* Up to the command that is refused. */
void talk_begin(void)
{
	struct segment syn = segment_of(CLIENT, TCP_SYN, 0, 0, NULL);

	put_segment(&syn);
	put(SERVER, TCP_SYN | TCP_ACK, 0, 0, NULL);
	put(CLIENT, TCP_ACK, 0, 0, NULL);
	put(SERVER, TCP_ACK, 0, 0, GREETING);
	put(CLIENT, TCP_ACK, 0, sizeof(GREETING) - 1, EHLO);
	put(SERVER, TCP_ACK, sizeof(GREETING) - 1, sizeof(EHLO) - 1, OK);
	put(CLIENT, TCP_ACK, sizeof(EHLO) - 1, sizeof(GREETING OK) - 1, MAIL);
	put(SERVER, TCP_ACK, sizeof(GREETING OK) - 1, HEARD, OK);
}

/* It is refused; `window`: what the client takes. */
void talk_refuse(uint16_t window)
{
	struct segment s;

	talk_begin();
	s = segment_of(CLIENT, TCP_ACK, HEARD, REPLIED, EVIL);
	s.window = window;
	put_segment(&s);
	/* The server is told what of its own the client has, and no more. */
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, NULL);
}

void talk_edited(bool ipv6)
{
	wire_new(ipv6);
	talk_refuse(8000);
	assert_left(SERVER, 0, TCP_ACK, REPLIED, SAID, REFUSED);
	assert_only(1, 1);
}

void talk_heard(bool ipv6)
{
	talk_edited(ipv6);
	put(CLIENT, TCP_ACK, SAID, TOLD, NULL);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, NULL);
	assert_only(1, 0);
}

/* The session goes on, in each one's numbers. */
void talk_goes_on(void)
{
	put(CLIENT, TCP_ACK, SAID, TOLD, GOOD);
	assert_left(CLIENT, 0, TCP_ACK, HEARD, REPLIED, GOOD);
	put(SERVER, TCP_ACK, REPLIED, HEARD + sizeof(GOOD) - 1, OK);
	assert_left(SERVER, 0, TCP_ACK, TOLD, SAID + sizeof(GOOD) - 1, OK);
	assert_only(0, 1);
}
