/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's lists of numbers: what came in, how fast it went. */
#include "control/page/page_sections.h"

#define LABEL_WIDTH 11

static void label(struct page_out *out, const char *text)
{
	page_cell(out, INK_PLAIN, 2, "");
	page_cell(out, INK_DIM, LABEL_WIDTH, text);
	out->indent = out->column;
}

static void count(struct page_out *out, uint64_t n, const char *what)
{
	char text[SHORT_SIZE];

	page_item(out, "%s %s", short_count(text, n), what);
}

/* Only what there is any of. */
static void some(struct page_out *out, uint64_t n, const char *what)
{
	if (n)
		count(out, n, what);
}

static uint64_t names_sum(const struct counted_name names[COUNTED_NAMES])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNTED_NAMES; i++)
		sum += names[i].count;
	return sum;
}

static uint64_t codes_sum(const uint64_t codes[1000])
{
	uint64_t sum = 0;

	for (size_t i = 0; i < 1000; i++)
		sum += codes[i];
	return sum;
}

static void link_lines(struct page_out *out, const struct report *r)
{
	const struct counters *c = r->total;
	char text[SHORT_SIZE];

	label(out, "files");
	for (size_t i = 0; i < r->files; i++)
		page_item(out, "%s", r->file[i]);
	page_newline(out);
	label(out, "packets");
	count(out, c->link.packets, "packets");
	page_item(out, "%s", short_amount(text, (double)c->link.bytes, "B"));
	page_item(out, "%s of traffic", short_duration(text, (double)r->duration_ns / 1e9));
	some(out, c->link.not_ip, "not IP");
	some(out, c->link.not_inspected, "not inspected");
	some(out, c->link.tunnels, "tunnelled");
	some(out, c->link.fragments, "fragments");
	some(out, c->link.malformed, "malformed");
	some(out, c->link.truncated, "cut by the capture");
	page_newline(out);
	label(out, "flows");
	count(out, c->flows_created, "flows");
	count(out, c->tcp.flows, "of them TCP");
	some(out, c->tcp.midstream, "joined midstream");
	some(out, c->tcp.out_of_order, "segments out of order");
	some(out, c->tcp.retransmitted, "sent again");
	some(out, c->tcp.overlap_differs, "sent again with other content");
	some(out, c->tcp.gaps, "gaps");
	page_newline(out);
}

static void smtp_lines(struct page_out *out, const struct counters *c)
{
	const uint64_t commands = names_sum(c->smtp.commands), replies = codes_sum(c->smtp.replies);

	label(out, "SMTP");
	if (!c->smtp.sessions && !commands && !replies) {
		page_rest(out, INK_PLAIN, "none");
		page_newline(out);
		return;
	}
	count(out, c->smtp.sessions, "sessions");
	some(out, c->smtp.starttls, "with STARTTLS");
	some(out, c->smtp.implicit_tls, "TLS from the start");
	some(out, c->smtp.auth, "with AUTH");
	count(out, commands, "commands");
	count(out, replies, "replies");
	page_newline(out);
	label(out, "messages");
	count(out, c->smtp.messages_attempted, "attempted");
	count(out, c->smtp.messages_accepted, "accepted");
	some(out, c->smtp.messages_refused_by_peer, "refused by the peer");
	some(out, c->smtp.messages_refused_by_gate, "refused by the gate");
	page_newline(out);
	label(out, "recipients");
	count(out, c->smtp.rcpt_attempted, "attempted");
	count(out, c->smtp.rcpt_accepted, "accepted");
	count(out, c->smtp.rcpt_delivered, "delivered");
	some(out, c->smtp.rcpt_hard_bounced, "hard-bounced");
	page_newline(out);
}

static void sip_lines(struct page_out *out, const struct counters *c)
{
	const uint64_t requests = names_sum(c->sip.requests),
		       responses = codes_sum(c->sip.responses);
	char text[SHORT_SIZE], n[SHORT_SIZE];

	label(out, "SIP");
	if (!requests && !responses && !c->sip.malformed) {
		page_rest(out, INK_PLAIN, "none");
		page_newline(out);
		return;
	}
	count(out, requests, "requests");
	count(out, responses, "responses");
	some(out, c->sip.malformed, "malformed");
	page_newline(out);
	label(out, "calls");
	count(out, c->sip.calls_attempted, "attempted");
	page_item(out, "%s answered (ASR %s)", short_count(n, c->sip.calls_answered),
		  short_ratio(text, c->sip.calls_answered, c->sip.calls_seized));
	page_item(out, "%s short (%s)", short_count(n, c->sip.calls_short),
		  short_ratio(text, c->sip.calls_short, c->sip.calls_answered));
	count(out, c->sip.calls_completed, "completed");
	page_newline(out);
}

void page_came_in(struct page_out *out, const struct report *r)
{
	const struct counters *c = r->total;

	page_heading(out, "WHAT CAME IN");
	link_lines(out, r);
	smtp_lines(out, c);
	sip_lines(out, c);
	label(out, "verdicts");
	count(out, c->verdicts[VERDICT_PASS], "packets passed");
	some(out, c->verdicts[VERDICT_ALERT], "passed with an alert");
	count(out, c->verdicts[VERDICT_DROP], "dropped");
	count(out, c->verdicts[VERDICT_REJECT], "rejected");
	page_newline(out);
}

void page_speed(struct page_out *out, const struct report *r)
{
	static const char *const stages[STAGE_COUNT] = {
		[STAGE_RX] = "rx",           [STAGE_DECODE] = "decode",   [STAGE_FLOW] = "flow",
		[STAGE_STREAM] = "stream",   [STAGE_INSPECT] = "inspect", [STAGE_TX] = "tx",
		[STAGE_VERDICT] = "verdict",
	};
	const struct counters *c = r->total;
	const double packets = c->link.packets ? (double)c->link.packets : 1;
	double sum = 0;
	char text[SHORT_SIZE];

	page_heading(out, "HOW FAST");
	label(out, "rate");
	if (r->wall_s > 0) {
		page_item(out, "%s packets/s",
			  short_count(text, (uint64_t)((double)c->link.packets / r->wall_s)));
		page_item(out, "%s",
			  short_amount(text, 8.0 * (double)c->link.bytes / r->wall_s, "bit/s"));
	}
	page_item(out, "%s with %u worker%s", short_duration(text, r->wall_s), r->workers,
		  r->workers == 1 ? "" : "s");
	page_newline(out);
	label(out, "cycles");
	for (enum stage s = 0; s < STAGE_COUNT; s++) {
		page_item(out, "%s %.0f", stages[s], (double)c->cycles[s] / packets);
		sum += (double)c->cycles[s] / packets;
	}
	page_item(out, "together %.0f a packet", sum);
	page_newline(out);
	label(out, "memory");
	page_item(out, "%zu bytes a flow", r->bytes_per_flow);
	count(out, c->flows_peak, "flows at most");
	page_newline(out);
}
