/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_options.h"

#include "tools/gen/gen_text.h"

#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	KIND_SHARE,   /* uint32_t, in millionths */
	KIND_NUMBER,  /* uint32_t */
	KIND_BIG,     /* uint64_t */
	KIND_SIZE,    /* uint64_t, bytes */
	KIND_SECONDS, /* uint64_t, ns */
	KIND_COUNT,   /* mails or calls, as the mode has it */
	KIND_PREFIX,  /* a tenant */
	KIND_FLAG,    /* bool */
};

/* min and max are of the value as it is stored. */
static const struct option_row {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t min, max;
	const char *help;
} rows[] = {
#define AT(field) offsetof(struct gen_settings, field)
	{"seed", KIND_BIG, AT(seed), 0, UINT64_MAX, "the same seed, the same bytes (1)"},
	{"count", KIND_COUNT, 0, 0, 100000000, "mails of `mail`, calls of `call` (1000)"},
	{"mails", KIND_BIG, AT(mails), 0, 100000000, "mails of `mix` (1000)"},
	{"calls", KIND_BIG, AT(calls), 0, 100000000, "calls of `mix` (10000)"},
	{"start", KIND_SECONDS, AT(start_ns), 0, UINT64_MAX,
	 "first flow, s since 1970 (1767268800)"},
	{"duration", KIND_SECONDS, AT(duration_ns), 1000000000, UINT64_MAX / 4,
	 "flows begin within, s (60)"},
	{"pcap", KIND_FLAG, AT(pcap), 0, 1, "write pcap, not pcapng"},
	{"truth", KIND_FLAG, AT(truth), 0, 1, "print what was generated as JSON"},
	{"tenants", KIND_NUMBER, AT(hosts.tenants), 1, GEN_MAX_TENANTS,
	 "tenant N: 10.N.0.0/16, 2001:db8:N::/48 (8)"},
	{"prefix", KIND_PREFIX, AT(hosts), 0, 0, "a tenant's prefix instead; may come again"},
	{"ipv6", KIND_SHARE, AT(hosts.ipv6), 0, SHARE_ALL, "share of flows over IPv6 (0.1)"},
	{"vlan", KIND_NUMBER, AT(vlan), 0, 4094, "802.1Q tag"},
	{"outer-vlan", KIND_NUMBER, AT(outer_vlan), 0, 4094, "802.1ad tag around it"},
	{"mss", KIND_NUMBER, AT(mss), 108, 9000, "payload bytes a segment (1448)"},
	{"retransmit", KIND_SHARE, AT(faults.retransmit), 0, SHARE_ALL, "segments sent twice (0)"},
	{"reorder", KIND_SHARE, AT(faults.reorder), 0, SHARE_ALL, "segments out of order (0)"},
	{"overlap", KIND_SHARE, AT(faults.overlap), 0, SHARE_ALL, "overlapping segments (0)"},
	{"fragment", KIND_SHARE, AT(faults.fragment), 0, SHARE_ALL, "packets in IP fragments (0)"},
	{"decoy", KIND_SHARE, AT(faults.decoy), 0, SHARE_ALL, "resent with other bytes (0)"},
	{"size", KIND_SIZE, AT(mail.size), 1, 1u << 30, "mean bytes of a mail, K and M (76K)"},
	{"recipients", KIND_NUMBER, AT(mail.recipients), 1, 100, "mean of a mail (2)"},
	{"per-session", KIND_NUMBER, AT(mail.per_session), 1, 1000, "most mails a session (3)"},
	{"tls", KIND_SHARE, AT(mail.tls), 0, SHARE_ALL, "sessions with STARTTLS (0)"},
	{"idle", KIND_SHARE, AT(mail.idle), 0, SHARE_ALL, "sessions that stop after EHLO (0)"},
	{"pipelining", KIND_SHARE, AT(mail.pipelining), 0, SHARE_ALL, "sessions (0.5)"},
	{"bdat", KIND_SHARE, AT(mail.bdat), 0, SHARE_ALL, "sessions with CHUNKING (0.1)"},
	{"attachments", KIND_SHARE, AT(mail.attachments), 0, SHARE_ALL, "mails (0.2)"},
	{"html", KIND_SHARE, AT(mail.html), 0, SHARE_ALL, "mails (0.4)"},
	{"spam", KIND_SHARE, AT(mail.spam), 0, SHARE_ALL, "mails with a spam phrase (0.02)"},
	{"refused", KIND_SHARE, AT(mail.refused), 0, SHARE_ALL,
	 "mails that the peer refuses (0.01)"},
	{"bounced", KIND_SHARE, AT(mail.bounced), 0, SHARE_ALL, "unknown recipients (0.02)"},
	{"answered", KIND_SHARE, AT(call.answered), 0, SHARE_ALL, "calls (0.65)"},
	{"short", KIND_SHARE, AT(call.short_calls), 0, SHARE_ALL,
	 "answered calls under 6 s (0.08)"},
	{"unfinished", KIND_SHARE, AT(call.unfinished), 0, SHARE_ALL, "answered, no BYE (0.01)"},
	{"sip-tcp", KIND_SHARE, AT(call.tcp), 0, SHARE_ALL, "calls over TCP (0.1)"},
	{"emergency", KIND_SHARE, AT(call.emergency), 0, SHARE_ALL, "calls to 911, sos (0.001)"},
	{"talk", KIND_SECONDS, AT(call.talk_ns), 1000000000, UINT64_MAX / 8,
	 "mean of a call, s (60)"},
	{"opt-out", KIND_SHARE, AT(mail.opt_out), 0, SHARE_ALL,
	 "optoutN@example.org, +190055501NN (0.005)"},
#undef AT
};

static void print_help(void)
{
	puts("usage: postern-gen mail|call|mix [--OPTION VALUE]... OUTPUT\n\n"
	     "Writes a capture of generated traffic to OUTPUT (- is standard output).\n"
	     "Shares are 0 to 1, or a percentage: 0.05, 5%.\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("  --%-12s %s\n", rows[i].name, rows[i].help);
	puts("\nA spam mail's subject begins with one of:");
	for (int i = 0; i < TEXT_SPAM_PHRASES; i++)
		printf("  %s\n", text_spam_phrases[i]);
}

static uint64_t parse_share(const struct option_row *row, const char *text)
{
	char *end;
	double share = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0)
		share /= 100;
	else if (end == text || *end)
		errx(2, "--%s %s: a share is expected, 0 to 1 or 0%% to 100%%", row->name, text);
	if (!(share >= 0 && share <= 1))
		errx(2, "--%s %s: a share is 0 to 1, or 0%% to 100%%", row->name, text);
	return (uint64_t)lround(share * SHARE_ALL);
}

static uint64_t parse_number(const struct option_row *row, const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10), scale = 1;

	if (row->kind == KIND_SIZE && (*end == 'K' || *end == 'M'))
		scale = *end++ == 'K' ? 1024 : 1024 * 1024;
	if (row->kind == KIND_SECONDS)
		scale = 1000000000;
	if (end == text || *end || *text == '-')
		errx(2, "--%s %s: a number is expected", row->name, text);
	if (__builtin_mul_overflow(value, scale, &value) || value < row->min || value > row->max)
		errx(2, "--%s %s: must be %llu to %llu", row->name, text,
		     (unsigned long long)(row->min / scale),
		     (unsigned long long)(row->max / scale));
	return value;
}

static void add_prefix(struct gen_hosts *hosts, const char *text)
{
	/* The first one given takes the place of the default tenants. */
	uint32_t count = hosts->prefixes ? hosts->tenants : 0;

	if (count == GEN_MAX_TENANTS)
		errx(2, "--prefix %s: over %d tenants", text, GEN_MAX_TENANTS);
	hosts->prefixes = reallocarray(hosts->prefixes, count + 1, sizeof(*hosts->prefixes));
	if (!hosts->prefixes)
		err(1, "--prefix %s", text);
	if (!prefix_parse(text, &hosts->prefixes[count]))
		errx(2, "--prefix %s: an address and its bits are expected, as 10.1.0.0/16", text);
	hosts->tenants = count + 1;
}

static const struct option_row *row_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	errx(2, "--%s: there is no such option; postern-gen --help lists them", name);
}

static void store(struct gen_settings *settings, const struct option_row *row, const char *text,
		  uint64_t *count)
{
	void *field = (char *)settings + row->offset;

	switch (row->kind) {
	case KIND_SHARE:
		*(uint32_t *)field = (uint32_t)parse_share(row, text);
		break;
	case KIND_COUNT:
		*count = parse_number(row, text);
		break;
	case KIND_PREFIX:
		add_prefix(field, text);
		break;
	case KIND_FLAG:
		*(bool *)field = true;
		break;
	case KIND_NUMBER:
		*(uint32_t *)field = (uint32_t)parse_number(row, text);
		break;
	case KIND_BIG:
	case KIND_SIZE:
	case KIND_SECONDS:
		*(uint64_t *)field = parse_number(row, text);
		break;
	}
}

static const struct gen_settings defaults = {
	.seed = 1,
	.mails = 1000,
	.calls = 10000,
	.start_ns = 1767268800ull * 1000000000, /* 2026-01-01 12:00 UTC */
	.duration_ns = 60ull * 1000000000,
	.mss = 1448,
	.hosts = {.tenants = 8, .ipv6 = 100000},
	.mail = {.size = 76 * 1024,
		 .recipients = 2,
		 .per_session = 3,
		 .pipelining = 500000,
		 .bdat = 100000,
		 .attachments = 200000,
		 .html = 400000,
		 .spam = 20000,
		 .refused = 10000,
		 .bounced = 20000,
		 .opt_out = 5000},
	.call = {.answered = 650000,
		 .short_calls = 80000,
		 .unfinished = 10000,
		 .tcp = 100000,
		 .opt_out = 5000,
		 .emergency = 1000,
		 .talk_ns = 60ull * 1000000000},
};

static void apply_mode(struct gen_settings *settings, const char *mode, uint64_t count)
{
	bool mail = strcmp(mode, "mail") == 0, call = strcmp(mode, "call") == 0;

	if (!mail && !call && strcmp(mode, "mix") != 0)
		errx(2, "%s: mail, call or mix is expected; see postern-gen --help", mode);
	if (!mail && !call)
		return;
	settings->mails = mail ? count : 0;
	settings->calls = call ? count : 0;
}

void options_parse(int argc, const char *const *argv, struct gen_settings *settings)
{
	const char *mode = NULL;
	uint64_t count = 1000;

	*settings = defaults;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_help();
			exit(0);
		}
		if (strncmp(argv[i], "--", 2) == 0) {
			const struct option_row *row = row_find(argv[i] + 2);

			if (row->kind != KIND_FLAG && ++i == argc)
				errx(2, "--%s: a value is expected", row->name);
			store(settings, row, argv[i], &count);
		} else if (!mode) {
			mode = argv[i];
		} else if (!settings->output) {
			settings->output = argv[i];
		} else {
			errx(2, "%s: one output is enough", argv[i]);
		}
	}
	if (!mode || !settings->output)
		errx(2, "usage: postern-gen mail|call|mix [--OPTION VALUE]... OUTPUT (see --help)");
	if (settings->truth && strcmp(settings->output, "-") == 0)
		errx(2, "--truth: standard output is taken by the capture");
	apply_mode(settings, mode, count);
	settings->call.opt_out = settings->mail.opt_out;
	settings->hosts.vlan = (uint16_t)settings->vlan;
	settings->hosts.outer_vlan = (uint16_t)settings->outer_vlan;
}

void options_free(struct gen_settings *settings)
{
	free(settings->hosts.prefixes);
}
