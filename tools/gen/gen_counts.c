/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_counts.h"

#include <inttypes.h>

static void codes_print(const uint64_t *codes, unsigned int count, FILE *out)
{
	const char *comma = "";

	for (unsigned int code = 0; code < count; code++) {
		if (!codes[code])
			continue;
		fprintf(out, "%s\"%u\": %" PRIu64, comma, code, codes[code]);
		comma = ", ";
	}
}

static void names_print(const uint64_t *values, const char *const *names, unsigned int count,
			FILE *out)
{
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "%s\"%s\": %" PRIu64, i ? ", " : "", names[i], values[i]);
}

static void smtp_print(const struct gen_counts *counts, FILE *out)
{
#define X(verb) #verb,
	static const char *const verbs[] = {GEN_SMTP_VERBS(X)};
#undef X

	fprintf(out, "  \"smtp\": {\"sessions\": %" PRIu64 ", \"commands\": {",
		counts->smtp_sessions);
	names_print(counts->smtp_commands, verbs, GEN_SMTP_VERB_COUNT, out);
	fprintf(out, "},\n    \"replies\": {");
	codes_print(counts->smtp_replies, 600, out);
	fprintf(out,
		"},\n    \"messages\": {\"attempted\": %" PRIu64 ", \"accepted\": %" PRIu64
		", \"refused_by_peer\": %" PRIu64 ", \"spam\": %" PRIu64 "},\n",
		counts->messages_attempted, counts->messages_accepted, counts->messages_refused,
		counts->messages_spam);
	fprintf(out,
		"    \"recipients\": {\"attempted\": %" PRIu64 ", \"accepted\": %" PRIu64
		", \"delivered\": %" PRIu64 ", \"opted_out\": %" PRIu64 "}, \"starttls\": %" PRIu64
		"},\n",
		counts->recipients_attempted, counts->recipients_accepted,
		counts->recipients_delivered, counts->recipients_opted_out, counts->smtp_starttls);
}

static void sip_print(const struct gen_counts *counts, FILE *out)
{
#define X(method) #method,
	static const char *const methods[] = {GEN_SIP_METHODS(X)};
#undef X

	fprintf(out, "  \"sip\": {\"requests\": {");
	names_print(counts->sip_requests, methods, GEN_SIP_METHOD_COUNT, out);
	fprintf(out, "}, \"responses\": {");
	codes_print(counts->sip_responses, 700, out);
	fprintf(out,
		"},\n    \"calls\": {\"attempted\": %" PRIu64 ", \"answered\": %" PRIu64
		", \"short\": %" PRIu64 ", \"completed\": %" PRIu64 ", \"emergency\": %" PRIu64
		", \"opted_out\": %" PRIu64 "}}\n",
		counts->calls_attempted, counts->calls_answered, counts->calls_short,
		counts->calls_completed, counts->calls_emergency, counts->calls_opted_out);
}

void counts_print(const struct gen_counts *counts, FILE *out)
{
	fprintf(out, "{ \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ",\n", counts->packets,
		counts->bytes);
	fprintf(out,
		"  \"tcp\": {\"flows\": %" PRIu64 ", \"retransmitted\": %" PRIu64
		", \"reordered\": %" PRIu64 ", \"overlapped\": %" PRIu64
		", \"fragmented\": %" PRIu64 ", \"decoys\": %" PRIu64 "},\n",
		counts->tcp_flows, counts->retransmitted, counts->reordered, counts->overlapped,
		counts->fragmented, counts->decoys);
	smtp_print(counts, out);
	sip_print(counts, out);
	fprintf(out, "}\n");
}
