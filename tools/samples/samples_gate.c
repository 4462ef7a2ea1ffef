/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/samples/samples_gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <rte_ring.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/policy/policy_build.h"
#include "dataplane/sip/calls.h"
#include "tools/inputs.h"

#define SECOND UINT64_C(1000000000)
#define DAY    (86400 * SECOND)
#define BEGIN  (UINT64_C(1767225600) * SECOND) /* 2026-01-01 */

/* A segment of 2,000 is one packet on no wire; but what is small enough comes whole. */
const struct samples_way samples_ways[] = {
	{"in large packets", IPPROTO_TCP, 1400, 1, false},
	{"in packets of 1 byte", IPPROTO_TCP, 1, 1, false},
	{"in packets of 7 bytes", IPPROTO_TCP, 7, 1, false},
	{"in packets as the sample cuts them", IPPROTO_TCP, 1400, 1, true},
	{"in datagrams", IPPROTO_UDP, 0, 1, false},
	{"in datagrams of 3 fragments", IPPROTO_UDP, 0, 3, false},
};
const size_t samples_way_count = sizeof(samples_ways) / sizeof(samples_ways[0]);

#define BYTEWISE_MAX 65536 /* bytes: what is longer comes in packets of 7 and more */
#define DATAGRAM_MAX 60000

static bool turns_fit(const struct script *script)
{
	for (size_t i = 0; i < script->turn_count; i++)
		if (script->turns[i].len > DATAGRAM_MAX)
			return false;
	return true;
}

bool samples_way_suits(const struct samples_way *way, const struct sample *sample,
		       const struct script *script)
{
	if (sample->over && way->transport != sample->over)
		return false;
	if (sample->family == BUFFER_SMTP && way->transport != IPPROTO_TCP)
		return false;
	if (way->transport == IPPROTO_UDP)
		return turns_fit(script);
	if (way->cuts)
		return script->cut_count;
	return way->segment > 1 || script->bytes.len <= BYTEWISE_MAX;
}

/* Tenants -------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Its place among those that samples name, or their number. */
static unsigned tenant_find(const struct samples_gate *g, const struct sample *s)
{
	unsigned i = 0;

	while (i < g->tenant_count &&
	       (!is_same(g->tenants[i].name, s->tenant) || !is_same(g->tenants[i].tier, s->tier)))
		i++;
	return i;
}

static bool tenants_find(struct samples_gate *g, const struct sample_list *samples)
{
	for (size_t i = 0; i < samples->count; i++) {
		const struct sample *s = &samples->samples[i];

		if ((!s->tenant && !s->tier) || tenant_find(g, s) < g->tenant_count)
			continue;
		if (g->tenant_count == SAMPLES_TENANTS)
			return false;
		g->tenants[g->tenant_count++] = (struct samples_tenant){s->tenant, s->tier};
	}
	return true;
}

static bool tier_is_new(const struct samples_gate *g, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (is_same(g->tenants[i].tier, g->tenants[n].tier))
			return false;
	return g->tenants[n].tier;
}

/* The second byte of the named tenants' networks; others have those below. */
#define NAMED_FIRST 200

static void write_tenants(const struct samples_gate *g, FILE *out)
{
	fputs("tiers: {", out);
	for (unsigned i = 0; i < g->tenant_count; i++)
		if (tier_is_new(g, i))
			fprintf(out, " %s: { };", g->tenants[i].tier);
	fputs(" };\ntenants: ( { id = 1; name = \"sample\"; country = \"US\"; "
	      "prefixes = [ \"10.0.0.0/8\", \"fd00::/8\" ]; }",
	      out);
	for (unsigned i = 0; i < g->tenant_count; i++) {
		const struct samples_tenant *t = &g->tenants[i];

		fprintf(out, ",\n{ id = %u; name = \"%s%s\"; country = \"US\"; ", i + 2,
			t->name ? "" : "of-", t->name ? t->name : t->tier);
		if (t->tier)
			fprintf(out, "tier = \"%s\"; ", t->tier);
		fprintf(out, "prefixes = [ \"10.%u.0.0/16\", \"fd%02x::/16\" ]; }", NAMED_FIRST + i,
			NAMED_FIRST + i);
	}
	fputs(" );\n", out);
}

/* A provider whose rules only look. */
static struct policy *ordinary_policy(const struct samples_gate *g)
{
	int fd = memfd_create("samples", MFD_CLOEXEC);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	struct policy *policy = NULL;
	char path[32];

	if (!out)
		return NULL;
	write_tenants(g, out);
	fputs("policy: { shadow = true; };\n"
	      "budgets: { flows = 256; sessions = 64; messages = 16; calls = 256; "
	      "fragments = 64; };\n",
	      out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fflush(out) == 0)
		policy = inputs_policy(path);
	fclose(out);
	return policy;
}

int samples_gate_open(struct samples_gate *g, const struct ruleset *ruleset,
		      const struct sample_list *samples, const char *config, char error[GATE_ERROR])
{
	struct gate_config gate = {
		.ruleset = ruleset,
		.workers = 1,
		.options = {.inspect = true, .keep_ghosts = true},
	};
	int rc;

	*g = (struct samples_gate){.time = BEGIN};
	if (!tenants_find(g, samples)) {
		snprintf(error, GATE_ERROR, "samples name more than %d tenants", SAMPLES_TENANTS);
		return -E2BIG;
	}
	g->policy = config ? inputs_policy(config) : ordinary_policy(g);
	if (!g->policy) {
		snprintf(error, GATE_ERROR, "no configuration");
		return -EINVAL;
	}
	g->policy->shadow = true;
	gate.policy = g->policy;
	rc = gate_environment(1, gate_memory(&gate), error);
	if (!rc)
		rc = gate_new(&gate, &g->gate, error);
	if (!rc)
		rc = port_capture_open(&g->port, g->gate, false, error);
	if (!rc)
		g->worker = g->gate->worker[0];
	return rc;
}

void samples_gate_close(struct samples_gate *g)
{
	if (g->worker)
		port_capture_close(&g->port);
	gate_free(g->gate);
	gate_environment_end();
	policy_free(g->policy);
	flow_free(&g->flow);
}

/* Who talks -------------------------------------------------------------- */

static void end_from(struct gen_endpoint *end, const struct sample_end *given, uint8_t family,
		     const uint8_t *ordinary, uint16_t port)
{
	*end = (struct gen_endpoint){.port = given->port ? given->port : port, .hop_limit = 60};
	memcpy(end->address, given->family ? given->addr : ordinary, family == 6 ? 16 : 4);
}

/* Ends that nothing is remembered of. One family: the one that the sample names. */
static struct gen_path path_for(struct samples_gate *g, const struct sample *s)
{
	uint32_t n = ++g->conversation;
	uint8_t a = (uint8_t)((n >> 16) % NAMED_FIRST), b = (uint8_t)(n >> 8), c = (uint8_t)n;
	bool six = s->client.family == 6 || s->server.family == 6;
	bool named = s->tenant || s->tier;
	uint8_t net = (uint8_t)(NAMED_FIRST + tenant_find(g, s));
	uint8_t inside4[4] = {10, named ? net : a, b, c};
	uint8_t inside6[16] = {0xfd, named ? net : 0, [13] = a, b, c};
	uint8_t outside4[4] = {198, (uint8_t)(18 + (a & 1)), b, c};
	uint8_t outside6[16] = {0x20, 0x01, 0x0d, 0xb8, [13] = a, b, c};
	const uint8_t *inside = six ? inside6 : inside4, *outside = six ? outside6 : outside4;
	/* A client that the sample names, and a tenant: the tenant is the server. */
	bool turned = named && s->client.family;
	struct gen_path path = {.family = six ? 6 : 4};

	end_from(&path.ends[FROM_CLIENT], &s->client, path.family, inside,
		 (uint16_t)(20000 + n % 40000));
	end_from(&path.ends[FROM_SERVER], &s->server, path.family, turned ? inside : outside,
		 s->family == BUFFER_SIP ? 5060 : 25);
	return path;
}

/* The packets ------------------------------------------------------------ */

/* The turn's bytes from `at` up to where the sample wants a packet to end. */
static size_t piece_len(const struct script *script, const struct script_turn *turn, size_t at,
			bool cuts)
{
	size_t end = turn->start + turn->len;

	for (size_t i = 0; cuts && i < script->cut_count; i++)
		if (script->cuts[i] > at && script->cuts[i] < end)
			return script->cuts[i] - at;
	return end - at;
}

static void make_tcp(struct samples_gate *g, struct gen_path *path, const struct script *script,
		     const struct samples_way *way)
{
	static const struct gen_faults none;
	struct gen_counts counts = {0};
	struct gen_random random = {1};
	struct gen_conn conn = {
		.flow = &g->flow,
		.path = path,
		.random = &random,
		.faults = &none,
		.counts = &counts,
		.now_ns = g->time,
		.half_rtt_ns = 1000000,
		.mss = way->segment,
		.seq = {1000, 500000},
	};

	conn_open(&conn);
	for (size_t i = 0; i < script->turn_count; i++) {
		const struct script_turn *turn = &script->turns[i];

		for (size_t at = turn->start, n; at < turn->start + turn->len; at += n) {
			n = piece_len(script, turn, at, way->cuts);
			conn_send(&conn, turn->server ? FROM_SERVER : FROM_CLIENT,
				  script->bytes.bytes + at, n);
		}
	}
	conn_close(&conn, FROM_CLIENT);
}

static void make_udp(struct samples_gate *g, struct gen_path *path, const struct script *script,
		     const struct samples_way *way)
{
	uint64_t now = g->time;

	/* Something has come back before: RFC 5626's keep-alive, which is no message. */
	packet_udp(&g->flow, path, FROM_CLIENT, now++, "\r\n\r\n", 4, 1);
	packet_udp(&g->flow, path, FROM_SERVER, now++, "\r\n", 2, 1);
	for (size_t i = 0; i < script->turn_count; i++) {
		const struct script_turn *turn = &script->turns[i];

		packet_udp(&g->flow, path, turn->server ? FROM_SERVER : FROM_CLIENT, now += 1000000,
			   script->bytes.bytes + turn->start, (uint32_t)turn->len, way->fragments);
	}
}

static void turn(struct samples_gate *g)
{
	do
		worker_turn(g->worker);
	while (g->worker->later_count || rte_ring_count(g->port.rx[0]));
}

static void feed(struct samples_gate *g)
{
	flow_sort(&g->flow);
	for (size_t i = 0; i < g->flow.record_count; i++) {
		const struct gen_record *r = &g->flow.records[i];
		struct capture_frame frame = {
			.data = g->flow.frames.bytes + r->offset,
			.len = r->len,
			.wirelen = r->len,
			.time = r->ts_ns,
			.number = ++g->packets,
			.link = LINK_ETHERNET,
		};
		struct rte_mbuf *m = port_capture_packet(g->gate, &frame);

		if (rte_ring_full(g->port.rx[0]))
			turn(g);
		if (m && rte_ring_enqueue(g->port.rx[0], m) != 0)
			rte_pktmbuf_free(m);
	}
	turn(g);
}

/* Flows and calls are over then: tables for a few are enough. */
static void talk_once(struct samples_gate *g, struct gen_path *path, const struct script *script,
		      const struct samples_way *way)
{
	flow_clear(&g->flow);
	if (way->transport == IPPROTO_UDP)
		make_udp(g, path, script, way);
	else
		make_tcp(g, path, script, way);
	feed(g);
	worker_finish(g->worker);
	calls_flush(g->worker);
}

/* A connection more, of the same client. */
static void path_again(struct gen_path *path, const struct sample *s, const struct samples_way *way)
{
	struct gen_endpoint *client = &path->ends[FROM_CLIENT];

	if (way->transport == IPPROTO_TCP && !s->client.port)
		client->port = client->port == UINT16_MAX ? 1024 : (uint16_t)(client->port + 1);
}

void samples_gate_talk(struct samples_gate *g, const struct sample *sample, struct script *script,
		       const struct samples_way *way)
{
	struct gen_path path = path_for(g, sample);
	struct worker *w = g->worker;
	struct sample nth = *sample;

	memset(w->rule_hits, 0,
	       sizeof(*w->rule_hits) * ruleset_image(w->newest->ruleset)->rules.count);
	talk_once(g, &path, script, way);
	while (++nth.nth < sample->times) {
		g->time += (uint64_t)sample->every_ms * 1000000;
		path_again(&path, sample, way);
		script_write(script, &nth);
		talk_once(g, &path, script, way);
	}
	if (sample->times > 1)
		script_write(script, sample); /* for who goes on with it */
	g->time += DAY;
}
