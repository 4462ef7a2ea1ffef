/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/live_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "bpf/maps.h"
#include "dataplane/gate.h"

#define USAGE 2 /* exit status */

enum live_option {
	OPT_INSIDE = 256,
	OPT_OUTSIDE,
	OPT_MODE,
	OPT_XDP_PROGRAM,
	OPT_SOCKET,
	OPT_POLICY,
	OPT_RULESET,
	OPT_WORKERS,
	OPT_LCORES,
	OPT_QUEUES,
	OPT_FIRST_QUEUE,
	OPT_TENANTS,
	OPT_RULES,
	OPT_RING,
	OPT_IDLE,
	OPT_MTU,
	OPT_MEMORY,
	OPT_HUGE,
	OPT_DIGESTS,
	OPT_KNOWN,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
	{"inside", required_argument, NULL, OPT_INSIDE},
	{"outside", required_argument, NULL, OPT_OUTSIDE},
	{"mode", required_argument, NULL, OPT_MODE},
	{"xdp-program", required_argument, NULL, OPT_XDP_PROGRAM},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"policy", required_argument, NULL, OPT_POLICY},
	{"ruleset", required_argument, NULL, OPT_RULESET},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"lcores", required_argument, NULL, OPT_LCORES},
	{"queues", required_argument, NULL, OPT_QUEUES},
	{"first-queue", required_argument, NULL, OPT_FIRST_QUEUE},
	{"tenants", required_argument, NULL, OPT_TENANTS},
	{"rules", required_argument, NULL, OPT_RULES},
	{"ring", required_argument, NULL, OPT_RING},
	{"idle-us", required_argument, NULL, OPT_IDLE},
	{"mtu", required_argument, NULL, OPT_MTU},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"huge", required_argument, NULL, OPT_HUGE},
	{"digests", no_argument, NULL, OPT_DIGESTS},
	{"known", required_argument, NULL, OPT_KNOWN},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static const char help[] =
	"usage: postern-dataplane --inside PORT --outside PORT [OPTION…]\n"
	"\n"
	"The packet path between two ports. A PORT is a network interface or a DPDK device string\n"
	"(net_tap0,iface=tap0 or 0000:3b:00.0).\n"
	"\n"
	"  --mode xdp|dpdk        how interfaces are opened: AF_XDP, or DPDK's drivers (dpdk)\n"
	"  --xdp-program FILE     mode xdp: the XDP program's object\n"
	"  --socket PATH          where control connects (/run/postern/dataplane.sock)\n"
	"  --policy FILE          a policy image to start with; else control must send one\n"
	"  --ruleset FILE         a ruleset image to start with\n"
	"  --workers N            one lcore each (1)\n"
	"  --lcores MAIN,W1,…     CPUs of the main thread and of the workers (any)\n"
	"  --queues N             of each port, at most (as many as workers)\n"
	"  --first-queue N        mode xdp: the first of the interfaces' queues that is taken (0)\n"
	"  --tenants N            room for so many (4096)\n"
	"  --rules N              counters of rules' hits (16384)\n"
	"  --ring MB              of events, each worker (4)\n"
	"  --idle-us N            pause of a worker that has no packets (0: none)\n"
	"  --mtu N                larger packets are refused (1500)\n"
	"  --memory MB            for DPDK (as needed)\n"
	"  --huge auto|yes|no     hugepages (auto)\n"
	"  --digests              SHA-256 of messages in events\n"
	"  --known FILE           keeps in it which recipients are known (they are forgotten)\n"
	"  --help, --version\n"
	"\n"
	"postern-dataplane(8) explains them.\n";

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "postern-dataplane: %s: %s\n", what, value);
	return USAGE;
}

static int number(const char *name, const char *text, unsigned low, unsigned high, unsigned *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || value < low || value > high) {
		fprintf(stderr, "postern-dataplane: --%s: a number from %u to %u, not \"%s\"\n",
			name, low, high, text);
		return USAGE;
	}
	*out = (unsigned)value;
	return 0;
}

/* The place of `text` among `words`. */
static int choice(const char *name, const char *text, const char *const *words, unsigned n,
		  unsigned *out)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(text, words[i]) == 0) {
			*out = i;
			return 0;
		}
	fprintf(stderr, "postern-dataplane: --%s: \"%s\" is none of", name, text);
	for (unsigned i = 0; i < n; i++)
		fprintf(stderr, " %s", words[i]);
	fputc('\n', stderr);
	return USAGE;
}

static int take(struct live_options *o, int option, const char *name, const char *arg)
{
	static const char *const modes[] = {[LIVE_XDP] = "xdp", [LIVE_DPDK] = "dpdk"};
	static const char *const huge[] = {"auto", "yes", "no"};
	unsigned picked = 0;
	int rc = 0;

	switch ((enum live_option)option) {
	case OPT_INSIDE:
		o->port[PORT_INSIDE] = arg;
		return 0;
	case OPT_OUTSIDE:
		o->port[PORT_OUTSIDE] = arg;
		return 0;
	case OPT_MODE:
		rc = choice(name, arg, modes, 2, &picked);
		o->mode = picked;
		return rc;
	case OPT_XDP_PROGRAM:
		o->xdp_program = arg;
		return 0;
	case OPT_SOCKET:
		o->socket = arg;
		return 0;
	case OPT_POLICY:
		o->policy = arg;
		return 0;
	case OPT_RULESET:
		o->ruleset = arg;
		return 0;
	case OPT_WORKERS:
		return number(name, arg, 1, GATE_WORKERS_MAX, &o->workers);
	case OPT_LCORES:
		o->lcores = arg;
		return 0;
	case OPT_QUEUES:
		return number(name, arg, 1, GATE_WORKERS_MAX, &o->queues);
	case OPT_FIRST_QUEUE:
		return number(name, arg, 0, GATE_QUEUES - GATE_WORKERS_MAX, &o->first_queue);
	case OPT_TENANTS:
		return number(name, arg, 1, 1000000, &o->tenants);
	case OPT_RULES:
		return number(name, arg, 1, 1000000, &o->rules);
	case OPT_RING:
		rc = number(name, arg, 1, 1024, &o->ring_mb);
		return rc || !(o->ring_mb & (o->ring_mb - 1)) ? rc
							      : wrong("--ring", "a power of two");
	case OPT_IDLE:
		return number(name, arg, 0, 1000, &o->idle_us);
	case OPT_MTU:
		return number(name, arg, 576, 2000, &o->mtu);
	case OPT_MEMORY:
		return number(name, arg, 32, 1u << 20, &o->memory);
	case OPT_HUGE:
		rc = choice(name, arg, huge, 3, &picked);
		o->huge = picked;
		return rc;
	case OPT_DIGESTS:
		o->digests = true;
		return 0;
	case OPT_KNOWN:
		o->known = arg;
		return 0;
	case OPT_HELP:
	case OPT_VERSION:
		break;
	}
	return 0;
}

static int check(const struct live_options *o)
{
	unsigned listed = 1;

	if (!o->port[PORT_INSIDE] || !o->port[PORT_OUTSIDE])
		return wrong("both are needed", "--inside and --outside");
	if (strcmp(o->port[PORT_INSIDE], o->port[PORT_OUTSIDE]) == 0)
		return wrong("inside and outside are the same port", o->port[PORT_INSIDE]);
	if (o->mode == LIVE_XDP && !o->xdp_program)
		return wrong("--mode xdp", "--xdp-program is needed, too");
	if (o->mode == LIVE_XDP && o->queues != o->workers)
		return wrong("--mode xdp", "each worker has a queue of its own");
	if (o->ruleset && !o->policy)
		return wrong("--ruleset", "a policy is needed, too: --policy");
	if (strlen(o->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return wrong("--socket: too long", o->socket);
	for (const char *p = o->lcores; p && *p; p++)
		listed += *p == ',';
	if (o->lcores &&
	    (listed != o->workers + 1 || strspn(o->lcores, "0123456789,") != strlen(o->lcores)))
		return wrong("--lcores: the main thread's CPU and one for each worker", o->lcores);
	return 0;
}

int live_options_parse(struct live_options *o, int argc, char **argv, bool *done)
{
	int option, index = 0, rc;

	*o = (struct live_options){
		.mode = LIVE_DPDK,
		.socket = "/run/postern/dataplane.sock",
		.workers = 1,
		.tenants = 4096,
		.rules = 16384,
		.ring_mb = 4,
		.mtu = 1500,
	};
	*done = false;
	while ((option = getopt_long(argc, argv, "", options, &index)) != -1) {
		if (option == '?')
			return USAGE;
		if (option == OPT_HELP || option == OPT_VERSION) {
			fputs(option == OPT_HELP ? help : "postern-dataplane " POSTERN_VERSION "\n",
			      stdout);
			*done = true;
			return 0;
		}
		rc = take(o, option, options[index].name, optarg);
		if (rc)
			return rc;
	}
	if (optind < argc)
		return wrong("an argument too many", argv[optind]);
	if (!o->queues)
		o->queues = o->workers;
	return check(o);
}
