/* SPDX-License-Identifier: BSD-3-Clause */
/* The live gate: its ports, its programs, where it writes and who may ask. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/maps.h"
#include "control/config/config.h"
#include "control/dns/resolver.h"

#define MS     INT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR   (3600 * SECOND)

#define AT(member) .offset = offsetof(struct config, gate.member)

static const char *const modes[] = {
	[GATE_XDP] = "xdp",
	[GATE_DPDK] = "dpdk",
	NULL,
};
static const char *const failures[] = {
	[FAILURE_OPEN] = "open",
	[FAILURE_CLOSED] = "closed",
	NULL,
};

static const char *const over_budgets[] = {
	[OVER_BUDGET_WARN] = "warn",
	[OVER_BUDGET_REFUSE] = "refuse",
	NULL,
};

static const char *const addresses[] = {[EVE_HASH] = "hash", [EVE_PLAIN] = "plain", NULL};
static const char *const huges[] = {"auto", "yes", "no", NULL};

const char *config_huge_name(int huge)
{
	return huges[huge];
}

const char *config_gate_mode_name(enum gate_mode mode)
{
	return modes[mode];
}

const char *config_failure_name(enum failure_policy policy)
{
	return failures[policy];
}

static bool is_loopback(const char *host, bool six)
{
	struct in6_addr address6;
	struct in_addr address;

	if (six)
		return inet_pton(AF_INET6, host, &address6) == 1 && IN6_IS_ADDR_LOOPBACK(&address6);
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool config_listen_parse(const char *text, char host[CONFIG_HOST_SIZE], uint16_t *port)
{
	const bool bracket = text[0] == '[';
	const char *colon = strrchr(text, ':'), *from = text + bracket;
	size_t len = colon ? (size_t)(colon - from) : 0;
	char *end;
	unsigned long number;

	if (!colon || (bracket && (len < 2 || colon[-1] != ']')))
		return false;
	len -= bracket;
	if (!len || len >= CONFIG_HOST_SIZE || colon[1] < '0' || colon[1] > '9')
		return false;
	memcpy(host, from, len);
	host[len] = '\0';
	number = strtoul(colon + 1, &end, 10);
	*port = (uint16_t)number;
	return !*end && number <= 65535 && is_loopback(host, bracket);
}

static const char *check_listen(const char *text)
{
	char host[CONFIG_HOST_SIZE];
	uint16_t port;

	if (!*text || config_listen_parse(text, host, &port))
		return NULL;
	return "an address of the loopback and a port, \"127.0.0.1:9425\" or \"[::1]:9425\", or "
	       "\"\" for none";
}

static const char *check_path(const char *text)
{
	return text[0] == '/' ? NULL : "a path from the root";
}

/* sun_path's room (unix(7)), its NUL and the daemon's ".new" suffix left out. */
static const char *check_socket(const char *text)
{
	return text[0] == '/' && strlen(text) < 100 ? NULL
						    : "a path from the root, below 100 characters";
}

static const char *check_cpus(const char *text)
{
	bool digit = false;

	for (const char *p = text; *p; p++) {
		if (*p != ',' && (*p < '0' || *p > '9'))
			return "CPU numbers such as \"1,2,3\"";
		if (*p == ',' && !digit)
			return "CPU numbers such as \"1,2,3\"";
		digit = *p != ',';
	}
	return digit || !*text ? NULL : "CPU numbers such as \"1,2,3\"";
}

static unsigned cpu_count(const char *text)
{
	unsigned n = *text != '\0';

	for (; *text; text++)
		n += *text == ',';
	return n;
}

/* clang-format off */
static const struct setting eve_settings[] = {
	{.name = "path", .type = SETTING_TEXT, AT(eve_path), .fallback = "/var/log/postern/eve.json",
	 .check = check_path, .help = "the log of events; posternd opens it anew at SIGUSR1"},
	{.name = "rotate_size", .type = SETTING_SIZE, AT(eve_rotate_size), .fallback = "1Gi",
	 .min = 0, .max = INT64_C(1) << 50,
	 .help = "a log of this size becomes `eve.json.1`; 0: never, something else rotates it"},
	{.name = "rotate_keep", .type = SETTING_COUNT, AT(eve_rotate_keep), .fallback = "4", .min = 1, .max = 1000,
	 .help = "how many old logs stay: `eve.json.1`, the youngest, to `eve.json.N`"},
	{.name = "addresses", .type = SETTING_CHOICE, AT(eve_addresses), .choices = addresses, .fallback = "hash",
	 .help = "recipients, mail's and calls': as keyed hashes, or as they are"},
	{.name = "stats", .type = SETTING_DURATION, AT(stats_interval), .fallback = "30s",
	 .min = SECOND, .max = 24 * HOUR, .help = "time between two events of type `stats`"},
	{0},
};

static const struct setting retention_settings[] = {
	{.name = "cases", .type = SETTING_DURATION, AT(retention_cases), .fallback = "365d", .max = 400 * 24 * HOUR,
	 .help = "closed cases, with what was gathered for them"},
	{.name = "evidence", .type = SETTING_DURATION, AT(retention_evidence), .fallback = "90d", .max = 400 * 24 * HOUR,
	 .help = "headers of refused mails, and what rules kept of their bodies"},
	{.name = "reports", .type = SETTING_DURATION, AT(retention_reports), .fallback = "90d", .max = 400 * 24 * HOUR,
	 .help = "reports of others: complaints, bounces, what block lists say"},
	{.name = "scores", .type = SETTING_DURATION, AT(retention_scores), .fallback = "90d", .max = 400 * 24 * HOUR,
	 .help = "scores of tenants that the configuration doesn't have any more: one that comes back within it has the score it had"},
	{0},
};

static const struct setting control_settings[] = {
	{.name = "path", .type = SETTING_TEXT, AT(socket), .fallback = "/run/postern/control.sock",
	 .check = check_socket, .help = "the socket that `postern` talks to"},
	{.name = "group", .type = SETTING_TEXT, AT(group), .fallback = "",
	 .help = "members of this group may do everything, as root and posternd's own user may"},
	{.name = "read_group", .type = SETTING_TEXT, AT(read_group), .fallback = "",
	 .help = "members of this group may look, and change nothing"},
	{.name = "clients", .type = SETTING_COUNT, AT(clients), .fallback = "64", .min = 1, .max = 1024,
	 .help = "connections at once; one more is told so and closed"},
	{.name = "follow_buffer", .type = SETTING_SIZE, AT(follow_buffer), .fallback = "4Mi",
	 .min = 65536, .max = INT64_C(1) << 30,
	 .help = "what waits for one reader of `postern events -f`; a slower one is cut off"},
	{0},
};

static const struct setting metrics_settings[] = {
	{.name = "listen", .type = SETTING_TEXT, AT(metrics_listen), .fallback = "127.0.0.1:9425",
	 .check = check_listen, .help = "where Prometheus fetches `/metrics`, on the loopback; `\"\"`: nowhere"},
	{.name = "tenants", .type = SETTING_COUNT, AT(metrics_tenants), .fallback = "1000", .max = 100000,
	 .help = "tenants with series of their own, those of the lowest ids; the rest are summed as `_other`"},
	{0},
};

const struct setting config_gate_settings[] = {
	{.name = "inside", .type = SETTING_TEXT, AT(inside), .fallback = "",
	 .help = "the port towards the tenants: an interface, or with `mode = \"dpdk\"` a device such as `0000:03:00.0`"},
	{.name = "outside", .type = SETTING_TEXT, AT(outside), .fallback = "",
	 .help = "the port towards the internet"},
	{.name = "mode", .type = SETTING_CHOICE, AT(mode), .choices = modes, .fallback = "xdp",
	 .help = "`xdp`: the card stays with the kernel, inspected traffic goes through AF_XDP; `dpdk`: a driver of DPDK's"},
	{.name = "workers", .type = SETTING_COUNT, AT(workers), .fallback = "1", .min = 1, .max = 32,
	 .help = "workers of the dataplane; each has a queue of both ports and a CPU"},
	{.name = "first_queue", .type = SETTING_COUNT, AT(first_queue), .fallback = "0", .max = 32,
	 .help = "the first of the queues that are the gate's, with `mode = \"xdp\"`"},
	{.name = "cpus", .type = SETTING_TEXT, AT(cpus), .fallback = "", .check = check_cpus,
	 .help = "CPUs of the dataplane's main thread and of each worker, `\"1,2,3\"` with two workers; `\"\"`: any"},
	{.name = "idle_us", .type = SETTING_COUNT, AT(idle_us), .fallback = "0", .max = 1000,
	 .help = "pause of a worker that has no packets, in µs; 0: none, it keeps its CPU busy"},
	{.name = "huge", .type = SETTING_CHOICE, AT(huge), .choices = huges, .fallback = "auto",
	 .help = "hugepages: where there are some, needed, not used"},
	{.name = "mtu", .type = SETTING_COUNT, AT(mtu), .fallback = "1500", .min = 576, .max = 2000,
	 .help = "larger packets are refused, counted"},
	{.name = "failure", .type = SETTING_CHOICE, AT(failure), .choices = failures, .fallback = "open",
	 .help = "what the wire does while no dataplane inspects: `open`, forward; `closed`, drop what would be inspected"},
	{.name = "heartbeat", .type = SETTING_DURATION, AT(heartbeat), .fallback = "2s",
	 .min = 20 * MS, .max = 60 * SECOND,
	 .help = "a worker that has been still for so long counts as hung; one that ended is noticed at once. Longer than a busy machine may keep it waiting: what it can't read meanwhile waits, or is sent again"},
	{.name = "close_after", .type = SETTING_DURATION, AT(close_after), .fallback = "3d",
	 .max = 400 * 24 * HOUR,
	 .help = "a tenant that a command or its score has suspended for so long is closed: its mail is refused for good (554), not for now (421); 0: never"},
	{.name = "flow_verdicts", .type = SETTING_BOOL, AT(flow_verdicts), .fallback = "true",
	 .help = "with `mode = \"xdp\"`: the kernel passes TLS sessions that can't be read any more, and drops what is left of refused ones"},
	{.name = "dataplane", .type = SETTING_TEXT, AT(dataplane), .fallback = "",
	 .help = "the dataplane's program; `\"\"`: the installed one"},
	{.name = "xdp_program", .type = SETTING_TEXT, AT(xdp_program), .fallback = "",
	 .help = "with `mode = \"xdp\"`, the XDP program's object file; `\"\"`: the installed one that has room for `tenants`"},
	{.name = "supervise", .type = SETTING_BOOL, AT(supervise), .fallback = "true",
	 .help = "posternd starts the dataplane and starts it again when it dies; `false`: something else does, as systemd"},
	{.name = "tenants", .type = SETTING_COUNT, AT(tenants), .fallback = "4095", .min = 1, .max = 1048575,
	 .help = "room for so many tenants, some KiB each; a removed one's is free again after an hour. With `mode = \"xdp\"` 131,071 at the most: the kernel's maps are made for 8,191 (51 MiB, and 1.5 MiB a CPU) or, from 8,192 on, for all of these (813 MiB, and 24 MiB a CPU); so is their table of prefixes (prefixes far from each other: 50,000, or 800,000)"},
	{.name = "rules", .type = SETTING_TEXTS, AT(rules),
	 .help = "files of rules, and directories of files that end in `.rules`; not read while pushed rules are in force (`postern rules push`)"},
	{.name = "compile_memory", .type = SETTING_SIZE, AT(compile_memory), .fallback = "4Gi",
	 .min = 1 << 26, .max = INT64_C(1) << 40, .help = "memory that reading lists and compiling rules may take"},
	{.name = "compile_time", .type = SETTING_DURATION, AT(compile_time), .fallback = "5min",
	 .min = SECOND, .max = HOUR, .help = "time that it may take"},
	{.name = "rules_budget", .type = SETTING_COUNT, AT(rules_budget), .fallback = "0", .min = 0, .max = 10000000,
	 .help = "what matching rules may cost, ns per KiB of traffic on one core (2,000: 4.1 Gbit/s a core), by an estimate of half a second before they are in force; 0: anything, and no estimate"},
	{.name = "rules_over_budget", .type = SETTING_CHOICE, AT(rules_over_budget), .choices = over_budgets, .fallback = "warn",
	 .help = "what becomes of rules that cost more"},
	{.name = "user", .type = SETTING_TEXT, AT(user), .fallback = "",
	 .help = "who posternd becomes after its start, with the capabilities it needs; `\"\"`: who started it"},
	{.name = "runtime_dir", .type = SETTING_TEXT, AT(runtime_dir), .fallback = "/run/postern", .check = check_path,
	 .help = "the dataplane's socket lies here, and whatever lives no longer than the host runs"},
	{.name = "state_dir", .type = SETTING_TEXT, AT(state_dir), .fallback = "/var/lib/postern", .check = check_path,
	 .help = "what was decided by command is kept here: suspensions, limits, pushed rules; compiled databases, too"},
	{.name = "egress", .type = SETTING_TEXTS, AT(egress),
	 .help = "addresses that mail leaves by: tenants' own, and those that they share behind a NAT"},
	{.name = "dnsbl", .type = SETTING_GROUPS, AT(dnsbl), .members = config_dnsbl_settings, .size = sizeof(struct config_dnsbl),
	 .help = "block lists that they are looked up in ([feedback.md](feedback.md#block-lists))"},
	{.name = "dnsbl_interval", .type = SETTING_DURATION, AT(dnsbl_interval), .fallback = "15min", .min = SECOND, .max = 24 * HOUR,
	 .help = "how often; a listing counts when two look-ups in a row have it"},
	{.name = "resolver", .type = SETTING_TEXT, AT(resolver), .fallback = "", .check = resolver_check_servers,
	 .help = "who answers posternd's questions to the DNS, `\"127.0.0.1:53,[::1]:53\"`; `\"\"`: the system's. Block lists refuse large public resolvers"},
	{.name = "resolver_timeout", .type = SETTING_DURATION, AT(resolver_timeout), .fallback = "2s", .min = 10 * MS, .max = 60 * SECOND,
	 .help = "how long a server may take to answer, the first time; then longer"},
	{.name = "resolver_tries", .type = SETTING_COUNT, AT(resolver_tries), .fallback = "3", .min = 1, .max = 10,
	 .help = "how often each server is asked"},
	{.name = "control", .type = SETTING_GROUP, .members = control_settings,
	 .help = "the socket of commands"},
	{.name = "eve", .type = SETTING_GROUP, .members = eve_settings, .help = "the log of events"},
	{.name = "retention", .type = SETTING_GROUP, .members = retention_settings,
	 .help = "how long things are kept on the disk; 0: for ever"},
	{.name = "metrics", .type = SETTING_GROUP, .members = metrics_settings, .help = "counters for Prometheus"},
	{0},
};
/* clang-format on */

static const config_setting_t *place_of(const struct config *config, const char *path)
{
	const config_setting_t *place = config_lookup(&config->file, path);

	return place ? place : config_lookup(&config->file, "gate");
}

void config_check_gate(const struct config *config, struct diag *diag)
{
	const struct config_gate *g = &config->gate;

	/* What could not be read has been told, and is NULL. */
	if (g->cpus && *g->cpus && cpu_count(g->cpus) != g->workers + 1)
		setting_error(diag, place_of(config, "gate.cpus"),
			      "%u CPUs for the main thread and %u worker%s", cpu_count(g->cpus),
			      g->workers, g->workers == 1 ? "" : "s");
	if (g->mode == GATE_XDP && g->tenants >= GATE_SLOTS_LARGE)
		setting_error(diag, place_of(config, "gate.tenants"),
			      "with mode \"xdp\" there is room for %d tenants",
			      GATE_SLOTS_LARGE - 1);
	if (!g->inside || !g->outside)
		return;
	if (*g->inside && strcmp(g->inside, g->outside) == 0)
		setting_error(diag, place_of(config, "gate.outside"),
			      "\"%s\" is the inside port already", g->inside);
	if (!*g->inside != !*g->outside)
		setting_error(diag, place_of(config, *g->inside ? "gate.inside" : "gate.outside"),
			      "a gate has two ports, inside and outside");
}
