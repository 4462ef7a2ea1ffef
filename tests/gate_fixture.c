/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/gate_fixture.h"

#include <netinet/in.h>
#include <rte_ring.h>
#include <stdio.h>
#include <unistd.h>

#include "bpf/event_record.h"
#include "control/policy/policy_build.h"
#include "dataplane/sip/calls.h"
#include "dataplane/tcp/checksum.h"
#include "dataplane/tcp/tcp.h"
#include "tests/text_file.h"
#include "tests/unit/test.h"

#define SECOND UINT64_C(1000000000)
#define MEMORY 256 /* megabytes */

const struct talk talk_smtp = {
	.addr = {0x0a010002, 0xcb007109},
	.port = {40001, 25},
	.isn = {1000, 5000000},
};

uint64_t fixture_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void gate_fixture_environment(void)
{
	static bool done;
	char error[GATE_ERROR];

	if (done)
		return;
	assert_int_equal(gate_environment(1, MEMORY, error), 0);
	done = true;
	atexit(gate_environment_end);
}

static struct config *config_of(const char *text, struct diag *diag)
{
	return text ? text_config(text, diag) : config_default();
}

static struct policy *policy_of(const char *text)
{
	struct diag diag = {0};
	struct config *config = config_of(text, &diag);
	struct policy *policy;

	diag_print(&diag, stderr);
	assert_non_null(config);
	assert_int_equal(diag.errors, 0);
	if (!text || !strstr(text, "budgets")) {
		config->budgets.flows = 256;
		config->budgets.sessions = 128;
		config->budgets.messages = 16;
		config->budgets.calls = 256;
		config->budgets.fragments = 64;
	}
	policy = policy_build(config, &diag);
	assert_non_null(policy);
	config_free(config);
	diag_fini(&diag);
	return policy;
}

static void fixture_open(struct gate_fixture *g, const char *text, struct worker_options options)
{
	struct gate_config config = {
		.workers = 1,
		.options = options,
		.events = true,
	};
	char error[GATE_ERROR];

	gate_fixture_environment();
	*g = (struct gate_fixture){.time = UINT64_C(1767225600) * SECOND, .step = 1000000};
	g->policy = policy_of(text);
	config.policy = g->policy;
	assert_int_equal(gate_new(&config, &g->gate, error), 0);
	assert_int_equal(port_capture_open(&g->port, g->gate, true, error), 0);
	g->w = g->gate->worker[0];
	g->number = 1;
}

void gate_fixture_open(struct gate_fixture *g, const char *text)
{
	fixture_open(
		g, text,
		(struct worker_options){.inspect = true, .digests = true, .keep_ghosts = true});
}

void gate_fixture_open_live(struct gate_fixture *g, const char *text)
{
	fixture_open(g, text, (struct worker_options){.inspect = true, .edits = true});
}

void gate_fixture_open_listed(struct gate_fixture *g, const char *config, const char *entries)
{
	struct text_file list = text_file_make(entries);
	char text[1024];

	assert_true(snprintf(text, sizeof(text), config, list.path, list.path) < (int)sizeof(text));
	gate_fixture_open_live(g, text);
	unlink(list.path);
}

static void assert_all_given_back(const struct gate_fixture *g)
{
	assert_int_equal(rte_mempool_in_use_count(g->gate->small), 0);
	assert_int_equal(rte_mempool_in_use_count(g->gate->large), 0);
	assert_int_equal(g->w->sessions.used, 0);
	assert_int_equal(g->w->lines.used, 0);
	assert_int_equal(g->w->messages.used, 0);
	assert_int_equal(g->w->editors.used, 0);
	assert_null(g->w->editing);
	assert_int_equal(g->w->history, 0);
}

void gate_fixture_forget(struct gate_fixture *g)
{
	for (unsigned i = 0; i < g->left_count; i++)
		free(g->left[i].bytes);
	g->left_count = 0;
}

void gate_fixture_reset(struct gate_fixture *g)
{
	gate_fixture_run(g);
	gate_fixture_finish(g);
	assert_all_given_back(g);
	memset(g->w->counters, 0, sizeof(*g->w->counters));
	memset(g->w->tenants, 0, sizeof(*g->w->tenants) * g->policy->slot_count);
	gate_fixture_forget(g);
	g->digest_count = 0;
	g->flags = 0;
	g->from = FROM_ANYWHERE;
	g->number = 1;
	g->w->packet = 0;
	/* Nothing of the last test is remembered by then. */
	g->time += 3600 * SECOND;
}

void gate_fixture_close(struct gate_fixture *g)
{
	gate_fixture_reset(g);
	port_capture_close(&g->port);
	gate_free(g->gate);
	policy_free(g->policy);
	free(g->left);
}

static void take_left(struct gate_fixture *g, struct rte_mbuf *m)
{
	struct left_packet *p;

	if (g->left_count == g->left_room) {
		g->left_room = g->left_room ? 2 * g->left_room : 256;
		g->left = realloc(g->left, g->left_room * sizeof(*g->left));
		assert_non_null(g->left);
	}
	p = &g->left[g->left_count++];
	p->len = m->data_len;
	p->bytes = malloc(p->len + 1u);
	assert_non_null(p->bytes);
	memcpy(p->bytes, rte_pktmbuf_mtod(m, void *), p->len);
	p->meta = *packet_meta(m);
	packet_decode(m, &p->hdr);
	p->sound = p->hdr.class != CLASS_L4 || packet_checksum_ok(m, &p->hdr);
	rte_pktmbuf_free(m);
}

static void take_event(void *ctx, const struct event_head *e)
{
	struct gate_fixture *g = ctx;
	struct event_value v;

	if (g->event)
		g->event(NULL, e);
	if (e->type != EVENT_EMAIL || g->digest_count == RTE_DIM(g->digests) ||
	    !event_find(e, FIELD_KEY_EMAIL_SHA256, &v))
		return;
	memcpy(g->digests[g->digest_count], v.p, 64);
	g->digests[g->digest_count++][64] = '\0';
}

void gate_fixture_turn(struct gate_fixture *g)
{
	struct rte_mbuf *m;
	unsigned n = worker_turn(g->w);

	assert_in_range(n, 0, g->queued);
	g->queued -= n;
	while (rte_ring_dequeue(g->port.tx[0], (void **)&m) == 0)
		take_left(g, m);
	event_ring_drain(g->w->events, take_event, g);
}

void gate_fixture_run(struct gate_fixture *g)
{
	while (g->queued)
		gate_fixture_turn(g);
}

void gate_fixture_finish(struct gate_fixture *g)
{
	worker_finish(g->w);
	calls_flush(g->w);
	event_ring_drain(g->w->events, take_event, g);
}

void gate_fixture_put(struct gate_fixture *g, uint16_t link, const void *frame, uint32_t len,
		      uint32_t wirelen)
{
	struct capture_frame f = {
		.data = frame,
		.len = len,
		.wirelen = wirelen ? wirelen : len,
		.time = g->time,
		.number = g->number++,
		.link = link,
		.flags = g->flags,
		.from = g->from,
	};
	struct rte_mbuf *m;

	g->time += g->step;
	while (g->queued >= PORT_CAPTURE_RING - 1)
		gate_fixture_turn(g);
	m = port_capture_packet(g->gate, &f);
	assert_non_null(m);
	assert_int_equal(rte_ring_enqueue(g->port.rx[0], m), 0);
	g->queued++;
}

/* Packets ----------------------------------------------------------------- */

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

void frame_finish(uint8_t *frame, uint32_t l3)
{
	uint8_t *ip = frame + l3, *l4 = ip + (ip[0] & 15) * 4;
	uint16_t len = (uint16_t)((ip[2] << 8 | ip[3]) - (ip[0] & 15) * 4);
	uint32_t at = ip[9] == IPPROTO_TCP ? 16 : 6;
	uint16_t sum;

	put16(ip + 10, 0);
	sum = checksum_finish(checksum_add(0, ip, (size_t)(ip[0] & 15) * 4));
	memcpy(ip + 10, &sum, 2);
	if (ip[9] != IPPROTO_TCP && ip[9] != IPPROTO_UDP)
		return;
	put16(l4 + at, 0);
	sum = checksum_finish(
		checksum_add(checksum_pseudo_ipv4(ip + 12, ip + 16, ip[9], len), l4, len));
	memcpy(l4 + at, &sum, 2);
}

uint32_t talk_frame(uint8_t *to, const struct talk *t, unsigned sender, uint8_t flags, uint32_t seq,
		    uint32_t ack, const void *data, uint32_t len)
{
	static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	uint8_t *ip = to + 14, *tcp = ip + 20;

	memcpy(to, ethernet, 14);
	memset(ip, 0, 40);
	ip[0] = 0x45;
	put16(ip + 2, 40 + len);
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	put32(ip + 12, t->addr[sender]);
	put32(ip + 16, t->addr[!sender]);
	put16(tcp, t->port[sender]);
	put16(tcp + 2, t->port[!sender]);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 65535);
	if (len)
		memcpy(tcp + 20, data, len);
	frame_finish(to, 14);
	return 54 + len;
}

void talk_put(struct gate_fixture *g, const struct talk *t, unsigned sender, uint8_t flags,
	      uint32_t seq, uint32_t ack, const void *data, uint32_t len)
{
	static uint8_t frame[FIXTURE_FRAME];
	bool syn = flags & TCP_SYN;

	len = talk_frame(frame, t, sender, flags, t->isn[sender] + !syn + seq,
			 flags & TCP_ACK ? t->isn[!sender] + 1 + ack : 0, data, len);
	gate_fixture_put(g, LINK_ETHERNET, frame, len, 0);
}

void talk_handshake(struct gate_fixture *g, const struct talk *t)
{
	talk_put(g, t, 0, TCP_SYN, 0, 0, NULL, 0);
	talk_put(g, t, 1, TCP_SYN | TCP_ACK, 0, 0, NULL, 0);
	talk_put(g, t, 0, TCP_ACK, 0, 0, NULL, 0);
}
