/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of what comes back, and of what is asked of others. */
#include "control/metrics/metrics_internal.h"

void metric_egress(struct metrics_view *v)
{
	const struct egress_look *l;

	for (unsigned i = 0; (l = egress_look_at(v->daemon->egress, i)); i++)
		sample_count(v, l->state.listed, "address=\"%s\",zone=\"%s\"", l->address,
			     sample_label(l->zone));
}

void metric_dnsbl(struct metrics_view *v)
{
	const uint64_t *answers = egress_answers(v->daemon->egress);

	sample_count(v, answers[DNSBL_NOTHING], "said=\"%s\"", "nothing");
	sample_count(v, answers[DNSBL_NOT_LISTED], "said=\"%s\"", "not_listed");
	sample_count(v, answers[DNSBL_LISTED], "said=\"%s\"", "listed");
}

void metric_dns(struct metrics_view *v)
{
	const struct resolver_stats stats = resolver_stats(v->daemon->resolver);

	for (unsigned i = 0; i <= DNS_NXDOMAIN; i++)
		sample_count(v, stats.answers[i], "result=\"%s\"",
			     dns_result_name((enum dns_result)i));
}

void metric_feedback(struct metrics_view *v)
{
	const struct feedback_run *f = &v->daemon->feedback;

	for (unsigned source = 0; source < FEEDBACK_SOURCE_COUNT; source++)
		for (unsigned result = 0; result < FEEDBACK_RESULT_COUNT; result++)
			sample_count(v, f->items[source][result], "source=\"%s\",result=\"%s\"",
				     feedback_source_name((enum feedback_source)source),
				     feedback_result_name((enum feedback_result)result));
}

void metric_feedback_mails(struct metrics_view *v)
{
	sample_count(v, v->daemon->feedback.remembered, NO_LABELS);
}

void metric_domains(struct metrics_view *v)
{
	const struct domain_lookup_stats s = domain_lookup_stats(v->daemon->domains.lookup);

	sample_count(v, s.told, "kind=\"%s\"", "told");
	sample_count(v, s.known, "kind=\"%s\"", "known");
	sample_count(v, s.begun, "kind=\"%s\"", "looked_up");
	sample_count(v, s.refused, "kind=\"%s\"", "refused");
	sample_count(v, s.good, "kind=\"%s\"", "good");
	sample_count(v, s.bad, "kind=\"%s\"", "bad");
	sample_count(v, s.unknown, "kind=\"%s\"", "unknown");
}

void metric_domains_bad(struct metrics_view *v)
{
	sample_count(v, domain_lookup_stats(v->daemon->domains.lookup).bad_now, NO_LABELS);
}
