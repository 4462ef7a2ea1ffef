/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule language as documents. A case is
 *
 *   == what it shows
 *   -- rules
 *   rules, as in a file
 *   -- in
 *   BUFFER "bytes"         \r \n \t \" \\ \xHH; one instance of the buffer
 *   next                   a new transaction begins
 *   attachment             what follows of file.* is another attachment's
 *   lost                   some of the transaction never came
 *   inherit                the same, going on with what the one before knew
 *   flow WORD...           udp to_client unanswered tenants=client|server|both|neither
 *                          server=ADDR:PORT client=ADDR:PORT tenant=acme|other, for what
 *                          follows: another flow; acme (id 7) has the tier gold, other none
 *   wait SECONDS           time goes by
 *   -- log
 *   LINE:COLUMN error|warning: message      what is said about the rules
 *   SID BUFFER [silent] [ACTION]            what hit; the action that is not the rule's own;
 *                                           transactions parted by `next`
 *
 * Streaming buffers are fed whole, cut in two at every byte, and byte by byte:
 * the log must be the same. Hits of one transaction are logged in the order of
 * their sids, because streams may find them in any.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/policy.h"
#include "bpf/reason.h"
#include "tests/rules_fixture.h"

enum { WHOLE = -1, BYTES = -2 }; /* or where to cut */

struct log {
	char *text;
	size_t size;
	FILE *f;
};

static int failures;
static size_t longest; /* stream fed, of the case */

static size_t unescape(const char *in, char *out)
{
	size_t n = 0;

	for (; *in && *in != '"'; in++) {
		if (*in != '\\') {
			out[n++] = *in;
			continue;
		}
		in++;
		if (*in == 'x') {
			out[n++] = (char)strtoul((char[3]){in[1], in[2], 0}, NULL, 16);
			in += 2;
		} else {
			out[n++] = *in == 'r' ? '\r' : *in == 'n' ? '\n' : *in == 't' ? '\t' : *in;
		}
	}
	return n;
}

static const char *const tenant_names[] = {"", "acme", "other"};
static const char *const tenant_tiers[] = {"", "gold", ""};
static struct tenant_slot tenant_slots[] = {{.id = 0}, {.id = 7}, {.id = 8}};
static const struct policy policy = {
	.slots = tenant_slots, .slot_count = 3, .names = tenant_names, .tiers = tenant_tiers};
static const struct policy *const policy_now = &policy;

static void set_tenant(struct match_keep *keep, const char *name)
{
	for (keep->tenant = 1; strcmp(tenant_names[keep->tenant], name); keep->tenant++)
		if (keep->tenant == 2)
			errx(1, "%s: no tenant", name);
}

static void set_end(char *text, uint8_t *addr, uint16_t *port)
{
	char *colon = strchr(text, ':');

	*port = (uint16_t)atoi(colon + 1);
	*colon = '\0';
	if (inet_pton(AF_INET, text, addr) != 1)
		errx(1, "%s: no address", text);
}

static void set_flow(struct match_flow *flow, struct match_keep *keep, char *words)
{
	static const char *const tenants[] = {"unknown", "client", "server", "both", "neither"};

	*flow = rules_fixture_flow(IPPROTO_TCP, 25);
	flow->keep = keep;
	*keep = (struct match_keep){.id = keep->id + 1};
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) {
		if (!strcmp(w, "udp"))
			flow->transport = IPPROTO_UDP;
		else if (!strcmp(w, "to_client"))
			flow->direction = TO_CLIENT;
		else if (!strcmp(w, "unanswered"))
			flow->unanswered = 1;
		else if (!strncmp(w, "server=", 7))
			set_end(w + 7, flow->server, &flow->server_port);
		else if (!strncmp(w, "client=", 7))
			set_end(w + 7, flow->client, &flow->client_port);
		else if (!strncmp(w, "tenant=", 7))
			set_tenant(keep, w + 7);
		else if (!strncmp(w, "tenants=", 8))
			while (strcmp(tenants[flow->tenants], w + 8))
				flow->tenants++;
		else
			errx(1, "flow: %s?", w);
	}
}

static void feed(struct matcher *m, struct match_txn *txn, enum rule_buffer buffer, const char *p,
		 size_t len, int mode)
{
	size_t cut = mode == WHOLE ? len : (size_t)mode < len ? (size_t)mode : len;

	if (rule_buffers[buffer].mode == BUFFER_BLOCK) {
		match_block(m, txn, buffer, p, len);
		return;
	}
	longest = len > longest ? len : longest;
	match_stream_open(m, txn, buffer);
	if (mode == BYTES) {
		for (size_t i = 0; i < len; i++)
			match_stream_feed(m, txn, buffer, p + i, 1);
	} else {
		match_stream_feed(m, txn, buffer, p, cut);
		match_stream_feed(m, txn, buffer, p + cut, len - cut);
	}
	match_stream_close(m, txn, buffer);
}

static int by_sid(const void *a, const void *b)
{
	const struct match_hit *x = a, *y = b;

	return x->rule->sid < y->rule->sid ? -1 : x->rule->sid > y->rule->sid;
}

static void log_hits(struct matcher *m, FILE *log)
{
	qsort(m->hits, m->nhits, sizeof(*m->hits), by_sid);
	for (uint32_t i = 0; i < m->nhits; i++) {
		uint32_t sid = m->hits[i].rule->sid;

		bool own = m->hits[i].action == m->hits[i].rule->action;

		fprintf(log, "%u %s%s%s%s\n", sid, rule_buffers[m->hits[i].buffer].name,
			m->hits[i].silent ? " silent" : "", own ? "" : " ",
			own ? "" : verdict_name((enum verdict)m->hits[i].action));
	}
	m->nhits = 0;
}

struct whole {
	bool lost;
	enum rule_buffer_family family; /* of its last buffer */
};

static void end_input(struct matcher *m, struct match_txn *txn, struct whole *whole, FILE *log)
{
	if (!whole->lost)
		match_whole(m, txn, whole->family);
	whole->lost = false;
	log_hits(m, log);
}

static void run_input(struct rules_fixture *f, const char *input, int mode, FILE *log)
{
	struct match_flow flow = rules_fixture_flow(IPPROTO_TCP, 25);
	struct match_txn txn, before;
	struct whole whole = {.family = BUFFER_SMTP};
	char *lines = strdup(input), *save = NULL, bytes[8192];

	f->keep = (struct match_keep){.id = 1};
	flow.keep = &f->keep;
	f->matcher->policy = &policy_now;
	f->now += 3000000000000000; /* what an earlier way of cutting left is over */
	match_begin(f->matcher, &txn, &flow, NULL);
	for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		bool inherit = !strcmp(line, "inherit");
		char *blank = strchr(line, ' ');
		enum rule_buffer buffer;

		if (!strncmp(line, "wait ", 5)) {
			f->now += strtoull(line + 5, NULL, 10) * 1000000000;
			continue;
		}

		if (inherit || !strcmp(line, "next") || !strncmp(line, "flow", 4)) {
			if (line[0] == 'f')
				set_flow(&flow, &f->keep, line + 4);
			end_input(f->matcher, &txn, &whole, log);
			if (line[0] != 'f')
				fprintf(log, "next\n");
			before = txn;
			match_end(f->matcher, &txn);
			match_begin(f->matcher, &txn, &flow, inherit ? &before : NULL);
			continue;
		}
		if (!strcmp(line, "attachment") || !strcmp(line, "lost")) {
			if (line[0] == 'a')
				match_attachment_begin(f->matcher, &txn);
			whole.lost |= line[0] == 'l';
			continue;
		}
		buffer = rule_buffer_find(line, blank ? (size_t)(blank - line) : 0);
		if (!blank || blank[1] != '"' || buffer == RULE_BUFFER_COUNT)
			errx(1, "not an input: %s", line);
		whole.family = (enum rule_buffer_family)rule_buffers[buffer].family;
		feed(f->matcher, &txn, buffer, bytes, unescape(blank + 2, bytes), mode);
	}
	end_input(f->matcher, &txn, &whole, log);
	match_end(f->matcher, &txn);
	free(lines);
}

static void load_rules(struct rules_fixture *f, char *text)
{
	memset(f, 0, sizeof(*f));
	rules_parse(&f->list, &f->diags, NULL, "spec", text, strlen(text));
	rules_fixture_build(f);
}

static void expect(const char *file, const char *title, const char *how, const char *expected,
		   const char *got)
{
	if (!strcmp(expected, got))
		return;
	failures++;
	fprintf(stderr, "%s: %s (%s)\n-- expected\n%s-- got\n%s", file, title, how, expected, got);
}

static void run_case(const char *file, const char *title, char *rules, const char *input,
		     const char *expected)
{
	struct rules_fixture f;
	struct log log;

	longest = 0;
	load_rules(&f, rules);
	for (int mode = BYTES; mode == BYTES || mode <= (int)longest; mode++) {
		char how[32];

		log.f = open_memstream(&log.text, &log.size);
		for (size_t i = 0; i < f.diags.count; i++)
			fprintf(log.f, "%u:%u %s: %s\n", f.diags.list[i].place.line,
				f.diags.list[i].place.column,
				f.diags.list[i].severity == RULE_ERROR ? "error" : "warning",
				f.diags.list[i].message);
		if (f.matcher)
			run_input(&f, input, mode, log.f);
		fclose(log.f);
		snprintf(how, sizeof(how), "cut %d", mode);
		expect(file, title, how, expected, log.text);
		free(log.text);
	}
	rules_fixture_fini(&f);
}

#define FILE_MAX 65536

static char *read_file(const char *path)
{
	char *text = calloc(1, FILE_MAX);
	FILE *f = fopen(path, "r");

	if (!f || !text || fread(text, 1, FILE_MAX - 1, f) == 0)
		err(1, "%s", path);
	fclose(f);
	return text;
}

/* What stands under `-- name`, cut out of the case. */
static char *section(char *text, const char *name)
{
	char head[32], *at, *end, *next;

	snprintf(head, sizeof(head), "\n-- %s\n", name);
	at = strstr(text, head);
	if (!at)
		return calloc(1, 2);
	at += strlen(head);
	next = strstr(at - 1, "\n-- ");
	end = next ? next + 1 : at + strlen(at);
	at = memcpy(calloc(1, (size_t)(end - at) + 2), at, (size_t)(end - at));
	return at;
}

/* Cases are parted by blank lines, which are no part of the log. */
static void trim_blank_lines(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n' && (len == 1 || text[len - 2] == '\n'))
		text[--len] = '\0';
	if (len > 0 && text[len - 1] != '\n') {
		text[len] = '\n'; /* there was one, before the next case */
		text[len + 1] = '\0';
	}
}

static void run_file(const char *path)
{
	char *text = read_file(path), *save = NULL;
	int cases = 0;

	for (char *at = strstr(text, "\n== "); at; at = save) {
		char *title = at + 4, *rules, *input, *expected, *name;

		save = strstr(title, "\n== ");
		if (save)
			*save = '\0';
		name = strndup(title, strcspn(title, "\n"));
		rules = section(title, "rules");
		input = section(title, "in");
		expected = section(title, "log");
		trim_blank_lines(expected);
		run_case(path, name, rules, input, expected);
		cases++;
		free(name);
		free(rules);
		free(input);
		free(expected);
		if (save)
			*save = '\n';
	}
	if (!cases)
		errx(1, "%s: no cases", path);
	free(text);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(2, "usage: spec-rules DOCUMENT...");
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	return failures ? 1 : 0;
}
