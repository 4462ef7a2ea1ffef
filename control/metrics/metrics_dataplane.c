/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the dataplane and of traffic. */
#include "control/metrics/metrics_internal.h"

struct part {
	const char *name;
	uint64_t value;
};

#define PARTS(v, label, ...)                                                             \
	do {                                                                             \
		const struct part parts[] = {__VA_ARGS__};                               \
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)            \
			sample_count(v, parts[i].value, label "=\"%s\"", parts[i].name); \
	} while (0)

void metric_packets(struct metrics_view *v)
{
	sample_count(v, v->total->link.packets, NO_LABELS);
}

void metric_bytes(struct metrics_view *v)
{
	sample_count(v, v->total->link.bytes, NO_LABELS);
}

void metric_link(struct metrics_view *v)
{
	const struct counters *c = v->total;

	PARTS(v, "kind", {"decoded", c->link.decoded}, {"not_ip", c->link.not_ip},
	      {"fragments", c->link.fragments}, {"malformed", c->link.malformed},
	      {"truncated", c->link.truncated}, {"not_inspected", c->link.not_inspected},
	      {"tunnels", c->link.tunnels});
}

void metric_verdicts(struct metrics_view *v)
{
	for (enum verdict i = 0; i < VERDICT_COUNT; i++)
		sample_count(v, v->total->verdicts[i], "verdict=\"%s\"", verdict_name(i));
}

void metric_reasons(struct metrics_view *v)
{
	for (enum reason i = REASON_NONE + 1; i < REASON_COUNT; i++)
		sample_count(v, v->total->reasons[i], "reason=\"%s\"", reason_name(i));
}

void metric_flows(struct metrics_view *v)
{
	sample_count(v, v->total->flows_now, NO_LABELS);
}

void metric_flows_created(struct metrics_view *v)
{
	sample_count(v, v->total->flows_created, NO_LABELS);
}

void metric_tcp(struct metrics_view *v)
{
	const struct counters *c = v->total;

	PARTS(v, "kind", {"midstream", c->tcp.midstream}, {"out_of_order", c->tcp.out_of_order},
	      {"retransmitted", c->tcp.retransmitted}, {"overlap_differs", c->tcp.overlap_differs},
	      {"gaps", c->tcp.gaps});
}

void metric_sessions(struct metrics_view *v)
{
	const struct counters *c = v->total;

	PARTS(v, "kind", {"all", c->smtp.sessions}, {"starttls", c->smtp.starttls},
	      {"auth", c->smtp.auth}, {"implicit_tls", c->smtp.implicit_tls});
}

void metric_messages(struct metrics_view *v)
{
	const struct counters *c = v->total;

	PARTS(v, "result", {"attempted", c->smtp.messages_attempted},
	      {"accepted", c->smtp.messages_accepted},
	      {"refused_by_peer", c->smtp.messages_refused_by_peer},
	      {"refused_by_gate", c->smtp.messages_refused_by_gate});
}

void metric_recipients(struct metrics_view *v)
{
	const struct counters *c = v->total;

	PARTS(v, "result", {"attempted", c->smtp.rcpt_attempted},
	      {"accepted", c->smtp.rcpt_accepted}, {"delivered", c->smtp.rcpt_delivered},
	      {"hard_bounced", c->smtp.rcpt_hard_bounced});
}

static void classes(struct metrics_view *v, const uint64_t codes[1000])
{
	for (unsigned class = 1; class < 7; class ++) {
		uint64_t sum = 0;

		for (unsigned code = class * 100; code < class * 100 + 100; code++)
			sum += codes[code];
		sample_count(v, sum, "class=\"%u\"", class);
	}
}

void metric_replies(struct metrics_view *v)
{
	classes(v, v->total->smtp.replies);
}

void metric_responses(struct metrics_view *v)
{
	classes(v, v->total->sip.responses);
}

void metric_calls(struct metrics_view *v)
{
	const struct counters *c = v->total;

	PARTS(v, "result", {"attempted", c->sip.calls_attempted}, {"seized", c->sip.calls_seized},
	      {"answered", c->sip.calls_answered}, {"short", c->sip.calls_short},
	      {"completed", c->sip.calls_completed});
}

void metric_rules(struct metrics_view *v)
{
	uint64_t other;
	size_t count;
	struct rule_hit *hits = rule_tally_list(&v->daemon->hits, v->memory, &count, &other);

	for (size_t i = 0; i < count; i++) {
		if (i < METRICS_RULES)
			sample_count(v, hits[i].count, "sid=\"%u\"", hits[i].sid);
		else
			other += hits[i].count;
	}
	if (other)
		sample_count(v, other, "sid=\"%s\"", "_other");
	free(hits);
}

void metric_cycles(struct metrics_view *v)
{
	static const char *const stages[STAGE_COUNT] = {
		[STAGE_RX] = "rx",         [STAGE_DECODE] = "decode",   [STAGE_FLOW] = "flow",
		[STAGE_STREAM] = "stream", [STAGE_INSPECT] = "inspect", [STAGE_VERDICT] = "verdict",
		[STAGE_TX] = "tx",
	};

	for (unsigned i = 0; i < STAGE_COUNT; i++)
		sample_count(v, v->total->cycles[i], "stage=\"%s\"", stages[i]);
}

/* Ports */

static const char *const sides[] = {"inside", "outside"};

void metric_port_packets(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < 2; i++) {
		const struct shm_port *p = &v->memory->port[i];

		sample_count(v, p->rx_packets, "port=\"%s\",direction=\"in\"", sides[i]);
		sample_count(v, p->tx_packets, "port=\"%s\",direction=\"out\"", sides[i]);
	}
}

void metric_port_bytes(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < 2; i++) {
		const struct shm_port *p = &v->memory->port[i];

		sample_count(v, p->rx_bytes, "port=\"%s\",direction=\"in\"", sides[i]);
		sample_count(v, p->tx_bytes, "port=\"%s\",direction=\"out\"", sides[i]);
	}
}

void metric_port_errors(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < 2; i++) {
		const struct shm_port *p = &v->memory->port[i];

		sample_count(v, p->rx_missed, "port=\"%s\",kind=\"missed\"", sides[i]);
		sample_count(v, p->rx_errors, "port=\"%s\",kind=\"in\"", sides[i]);
		sample_count(v, p->rx_nombuf, "port=\"%s\",kind=\"no_buffer\"", sides[i]);
		sample_count(v, p->tx_errors, "port=\"%s\",kind=\"out\"", sides[i]);
	}
}

void metric_port_up(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < 2; i++)
		sample_count(v, v->memory->port[i].link_up, "port=\"%s\"", sides[i]);
}

/* The process and its workers */

void metric_dataplane_up(struct metrics_view *v)
{
	sample_count(v, v->memory != NULL, NO_LABELS);
}

void metric_dataplane_starts(struct metrics_view *v)
{
	const struct supervisor *s = v->daemon->supervisor;

	sample_count(v, s ? supervisor_stats(s).starts : 0, NO_LABELS);
}

void metric_dataplane_deaths(struct metrics_view *v)
{
	const struct supervisor *s = v->daemon->supervisor;

	sample_count(v, s ? supervisor_stats(s).deaths : 0, NO_LABELS);
}

void metric_heartbeats(struct metrics_view *v)
{
	if (!v->memory || !atomic_load(&v->memory->ready))
		return;
	for (unsigned i = 0; i < v->memory->workers; i++)
		sample(v, (double)heartbeat_age(v->memory, i) / 1e9, "worker=\"%u\"", i);
}

void metric_stalls(struct metrics_view *v)
{
	sample_count(v, v->daemon->watch.stalls, NO_LABELS);
}

void metric_turns(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < v->memory->workers; i++) {
		struct shm_worker *w = shm_worker(v->memory, i);
		uint64_t idle = atomic_load(&w->idle), turns = atomic_load(&w->turns);

		sample_count(v, turns > idle ? turns - idle : 0, "worker=\"%u\",kind=\"busy\"", i);
		sample_count(v, idle, "worker=\"%u\",kind=\"idle\"", i);
	}
}

void metric_not_sent(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < v->memory->workers; i++)
		sample_count(v, atomic_load(&shm_worker(v->memory, i)->not_sent), "worker=\"%u\"",
			     i);
}

void metric_handed_over(struct metrics_view *v)
{
	for (unsigned i = 0; v->memory && i < v->memory->workers; i++)
		sample_count(v, atomic_load(&shm_worker(v->memory, i)->handed_over),
			     "worker=\"%u\"", i);
}

void metric_generation(struct metrics_view *v)
{
	const struct roster *r = v->daemon->roster;

	sample_count(v, r ? r->compiled->generation : 0, "kind=\"%s\"", "configuration");
	if (!v->memory || !v->memory->workers)
		return;
	sample_count(v, atomic_load(&shm_worker(v->memory, 0)->policy_generation), "kind=\"%s\"",
		     "policy");
	sample_count(v, atomic_load(&shm_worker(v->memory, 0)->ruleset_generation), "kind=\"%s\"",
		     "ruleset");
}
