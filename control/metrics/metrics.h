/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that is counted, as Prometheus reads it (exposition format 0.0.4). docs/control.md
 * lists the metrics; a test holds it to the list below. Event loop.
 */
#ifndef POSTERN_CONTROL_METRICS_H
#define POSTERN_CONTROL_METRICS_H

struct daemon;
struct evbuffer;

#define METRICS_RULES 1000 /* sids with series of their own; the rest are summed as `_other` */

/* Function, name, type, labels, help. */
/* clang-format off */
#define METRICS(X)                                                                                 \
	X(build, "postern_build_info", gauge, "version", "1, with the version of posternd")        \
	X(packets, "postern_packets_total", counter, "", "packets that came to the dataplane")     \
	X(bytes, "postern_bytes_total", counter, "", "their bytes on the wire")                    \
	X(link, "postern_link_packets_total", counter, "kind", "packets by what decoding found")   \
	X(verdicts, "postern_verdicts_total", counter, "verdict", "packets decided upon")          \
	X(reasons, "postern_reasons_total", counter, "reason", "reasons given")                    \
	X(flows, "postern_flows", gauge, "", "flows remembered now")                               \
	X(flows_created, "postern_flows_total", counter, "", "flows that began")                   \
	X(tcp, "postern_tcp_segments_total", counter, "kind", "TCP oddities")                      \
	X(sessions, "postern_smtp_sessions_total", counter, "kind", "SMTP sessions, and those that turned to TLS or authenticated") \
	X(messages, "postern_smtp_messages_total", counter, "result", "mails attempted, and what became of them") \
	X(recipients, "postern_smtp_recipients_total", counter, "result", "recipients, the same")  \
	X(replies, "postern_smtp_replies_total", counter, "class", "SMTP replies by the first digit of their codes") \
	X(calls, "postern_sip_calls_total", counter, "result", "calls attempted, and what became of them") \
	X(responses, "postern_sip_responses_total", counter, "class", "SIP responses by the first digit of their codes") \
	X(rules, "postern_rule_hits_total", counter, "sid", "matches of rules that matched")       \
	X(cycles, "postern_cycles_total", counter, "stage", "the CPU's cycles, by stage")          \
	X(tenant_packets, "postern_tenant_packets_total", counter, "tenant", "packets of a tenant, both ways") \
	X(tenant_bytes, "postern_tenant_bytes_total", counter, "tenant", "their bytes")            \
	X(tenant_connections, "postern_tenant_connections_total", counter, "tenant tls", "connections that a tenant makes to inspected ports, in the clear and under TLS") \
	X(tenant_wire, "postern_tenant_inspected_bytes_total", counter, "tenant tls", "their bytes, both ways, when they end; `tls` is `no`, `yes`, or `passed`: under TLS, passed by the kernel itself, at once") \
	X(tenant_messages, "postern_tenant_messages_total", counter, "tenant", "a tenant's mails") \
	X(tenant_recipients, "postern_tenant_recipients_total", counter, "tenant", "their recipients") \
	X(tenant_distinct, "postern_tenant_distinct_recipients", gauge, "tenant", "different recipients of a tenant in the last 12 to 24 hours, within some 6.5 %") \
	X(tenant_calls, "postern_tenant_calls_total", counter, "tenant", "a tenant's calls")       \
	X(tenant_calls_open, "postern_tenant_calls_open", gauge, "tenant", "those of them that ring or are talked on") \
	X(tenant_verdicts, "postern_tenant_verdicts_total", counter, "tenant verdict", "a tenant's packets decided upon") \
	X(tenant_suspended, "postern_tenant_suspended", gauge, "tenant", "1: the tenant is suspended") \
	X(risk_score, "postern_tenant_risk_score", gauge, "tenant", "a tenant's score, 0 to 100; of tenants that are scored") \
	X(risk_levels, "postern_tenants_risk", gauge, "level", "tenants by the level of their risk") \
	X(risk_changes, "postern_risk_changes_total", counter, "level", "times that a tenant came to a level") \
	X(risk_asks, "postern_risk_asks_total", counter, "", "times that a person was asked to suspend a tenant") \
	X(risk_round, "postern_risk_round_seconds", gauge, "", "CPU time that evaluating every tenant took the last time") \
	X(domains, "postern_domains_total", counter, "kind", "senders' domains: told by the dataplane, known still, looked up, refused for being too many; answers by what they said") \
	X(domains_bad, "postern_domains_bad", gauge, "", "domains that don't exist or take no mail, and are on the list invalid-domain for it") \
	X(egress, "postern_egress_listed", gauge, "address zone", "1: the address is on that block list") \
	X(dnsbl, "postern_dnsbl_answers_total", counter, "said", "what block lists said of egress addresses; nothing: an error, or no answer") \
	X(dns, "postern_dns_answers_total", counter, "result", "answers of the DNS to posternd") \
	X(feedback, "postern_feedback_reports_total", counter, "source result", "reports of mail that came back, and what became of them") \
	X(cases_open, "postern_cases", gauge, "state", "cases that are not closed")                \
	X(cases_opened, "postern_cases_opened_total", counter, "", "cases that were opened")        \
	X(cases_overdue, "postern_cases_overdue_total", counter, "", "cases whose tenants did not answer in time") \
	X(notices, "postern_notices_total", counter, "result", "attempts to bring notices to people: sent, failed, or given up") \
	X(evidence, "postern_evidence_total", counter, "result", "refused mails whose headers were kept, were too many of an hour's, or found no room for the disk") \
	X(notices_waiting, "postern_notices_waiting", gauge, "", "notices that are on their way")   \
	X(feedback_mails, "postern_feedback_mails_total", counter, "", "mails that left and are remembered for them") \
	X(list_entries, "postern_list_entries", gauge, "kind", "entries of imported lists")        \
	X(list_hits, "postern_list_hits_total", counter, "kind", "times that an entry was found, of those that are told of") \
	X(list_age, "postern_list_age_seconds", gauge, "file", "since the lists' files were written") \
	X(tenants, "postern_tenants", gauge, "state", "tenants")                                   \
	X(port_packets, "postern_port_packets_total", counter, "port direction", "packets of a port") \
	X(port_bytes, "postern_port_bytes_total", counter, "port direction", "bytes of a port")    \
	X(port_errors, "postern_port_errors_total", counter, "port kind", "packets that a port lost or damaged") \
	X(port_up, "postern_port_up", gauge, "port", "1: the link is up")                          \
	X(kernel_packets, "postern_kernel_packets_total", counter, "port action", "with mode xdp: packets of a port, by what the kernel did with them") \
	X(kernel_bytes, "postern_kernel_bytes_total", counter, "port", "their bytes")              \
	X(kernel_reasons, "postern_kernel_reasons_total", counter, "port action reason", "the kernel's reasons") \
	X(kernel_shadow, "postern_kernel_shadow_packets_total", counter, "port reason", "packets that it would have dropped, but for shadow") \
	X(kernel_tenant_packets, "postern_kernel_tenant_packets_total", counter, "tenant direction", "a tenant's packets, read or not") \
	X(kernel_tenant_bytes, "postern_kernel_tenant_bytes_total", counter, "tenant direction", "their bytes") \
	X(kernel_tenant_inspected, "postern_kernel_tenant_inspected_packets_total", counter, "tenant result", "packets of a tenant that the dataplane should read, and whether it could") \
	X(kernel_tenant_dropped, "postern_kernel_tenant_dropped_packets_total", counter, "tenant reason", "packets of a tenant that the kernel dropped") \
	X(kernel_tenant_shadow, "postern_kernel_tenant_shadow_packets_total", counter, "tenant reason", "packets of a tenant that it would have dropped, but for shadow") \
	X(flow_verdicts, "postern_flow_verdicts_total", counter, "result", "verdicts about flows that the dataplane had for the kernel") \
	X(failure_packets, "postern_failure_packets_total", counter, "reason action", "packets that met the failure policy") \
	X(failure_acting, "postern_failure_acting", gauge, "", "1: packets meet the failure policy now")        \
	X(failure_times, "postern_failures_total", counter, "", "times that it began to act")                   \
	X(events, "postern_events_total", counter, "", "events read from the dataplane")           \
	X(events_lost, "postern_events_lost_total", counter, "place", "events lost: in a worker's ring, in the log, in records that made no sense") \
	X(dataplane_up, "postern_dataplane_up", gauge, "", "1: posternd talks to the dataplane")   \
	X(dataplane_starts, "postern_dataplane_starts_total", counter, "", "dataplanes that posternd started") \
	X(dataplane_deaths, "postern_dataplane_deaths_total", counter, "", "and those of them that died") \
	X(heartbeats, "postern_worker_heartbeat_age_seconds", gauge, "worker", "time since a worker's last heartbeat") \
	X(stalls, "postern_worker_stalls_total", counter, "", "times that a worker stood still for longer than gate.heartbeat") \
	X(turns, "postern_worker_turns_total", counter, "worker kind", "turns of a worker's loop, with packets and without") \
	X(not_sent, "postern_worker_not_sent_total", counter, "worker", "packets that a port would not take") \
	X(handed_over, "postern_worker_handed_over_total", counter, "worker", "packets that a worker received and another one's flow is") \
	X(generation, "postern_generation", gauge, "kind", "the configuration in force, and what the workers use; they differ while no dataplane has taken it") \
	X(reloads, "postern_reloads_total", counter, "result", "configurations read")              \
	X(connections, "postern_control_connections_total", counter, "result", "connections to the control socket") \
	X(clients, "postern_control_clients", gauge, "", "connections now")                        \
	X(requests, "postern_control_requests_total", counter, "", "lines received there")         \
	X(followers, "postern_event_followers", gauge, "", "connections that follow events")       \
	X(store_units, "postern_store_units_total", counter, "result", "units of state: on the disk, refused by it, without room in the queue or among what is kept, or kept in memory when the disk did not take them") \
	X(store_transactions, "postern_store_transactions_total", counter, "", "transactions that brought them") \
	X(store_longest, "postern_store_longest_seconds", gauge, "", "how long the longest of these took") \
	X(store_queue, "postern_store_queue_units", gauge, "", "units that wait for the disk")     \
	X(store_queue_bytes, "postern_store_queue_bytes", gauge, "", "their bytes")                \
	X(store_kept, "postern_store_kept_units", gauge, "", "those of them that are kept in memory because the disk takes nothing") \
	X(store_kept_bytes, "postern_store_kept_bytes", gauge, "", "their bytes, 24 MiB at the most") \
	X(store_kept_since, "postern_store_kept_since_timestamp_seconds", gauge, "", "when the first of these was kept; 0: none is") \
	X(store_bytes, "postern_store_bytes", gauge, "file", "size of state.db, and of its log of writes") \
	X(store_commit, "postern_store_last_commit_timestamp_seconds", gauge, "", "when something was last written; 0: not yet") \
	X(store_checkpoints, "postern_store_checkpoints_total", counter, "", "times that all of the log of writes was in the database") \
	X(store_checkpoint, "postern_store_last_checkpoint_timestamp_seconds", gauge, "", "when that was; 0: not yet") \
	X(store_failing, "postern_store_failing", gauge, "", "1: the disk takes nothing")           \
	X(store_failures, "postern_store_failures_total", counter, "", "times that this began")     \
	X(retention_rows, "postern_retention_rows_total", counter, "", "rows that were deleted for their age") \
	X(log, "postern_log_lines_total", counter, "level", "lines of posternd's log")             \
	X(log_suppressed, "postern_log_suppressed_total", counter, "", "lines kept back for being too many") \
	X(cpu, "process_cpu_seconds_total", counter, "", "CPU time of posternd")                   \
	X(memory, "process_resident_memory_bytes", gauge, "", "memory of posternd")                \
	X(start, "process_start_time_seconds", gauge, "", "when posternd started, seconds since 1970")
/* clang-format on */

/* 0 or -ENOMEM. */
int metrics_write(struct daemon *daemon, struct evbuffer *out);

#endif
