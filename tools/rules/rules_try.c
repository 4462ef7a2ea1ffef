/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `postern rules try`: a capture through the real gate twice, with the running rules and with those
 * of a file laid over them (or instead of them); what the difference hits.
 */
#include "tools/rules/rules_try.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy/policy_build.h"
#include "tools/rules/rules.h"
#include "tools/rules/rules_running.h"

static const char usage[] =
	"usage: postern rules try PATH... --on CAPTURE [options]\n"
	"  PATH                  rules to try: a file, or a directory of *.rules\n"
	"      --on CAPTURE      traffic to try them on; may be given again\n"
	"  -c, --config FILE     tenants, limits, lists\n"
	"  -r, --running PATH    the running rules; may be given again. Without it: those that\n"
	"                        gate.rules names in the configuration of -c, else in posternd's\n"
	"      --alone           no rules are running: everything that is hit is new\n"
	"      --replace         in place of all running rules; else only rules of the same sid\n"
	"                        give way, and only what rules of PATH hit is compared\n"
	"      --examples N      so many of each rule's new hits and gone ones, 0 to 1000 (3)\n"
	"      --check           exit status 1 where anything is new or gone\n"
	"      --socket PATH     posternd's, where it is asked\n"
	"      --json            for machines\n"
	"  -h, --help\n";

enum { OPT_ALONE = 256, OPT_ON, OPT_REPLACE, OPT_EXAMPLES, OPT_CHECK, OPT_SOCKET, OPT_JSON };

static const struct option options[] = {
	{"on", required_argument, NULL, OPT_ON},
	{"config", required_argument, NULL, 'c'},
	{"running", required_argument, NULL, 'r'},
	{"alone", no_argument, NULL, OPT_ALONE},
	{"replace", no_argument, NULL, OPT_REPLACE},
	{"examples", required_argument, NULL, OPT_EXAMPLES},
	{"check", no_argument, NULL, OPT_CHECK},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct
try {
	struct try_report report;
	struct rules_traffic traffic;
	const char *socket;
	struct rules_running asked;
	struct config *named; /* whose gate.rules are the running ones */
	bool check, json, alone;
	struct rules_compiled mine, running, together;
	struct tenant_name *names;
};

static int take(struct try *t, int option)
{
	char *end;
	unsigned long n;

	switch (option) {
	case OPT_ON:
		t->traffic.files[t->traffic.file_count++] = optarg;
		return 0;
	case 'c':
		t->traffic.config = optarg;
		return 0;
	case 'r':
		t->report.running[t->report.running_count++] = optarg;
		return 0;
	case OPT_ALONE:
		t->alone = true;
		return 0;
	case OPT_REPLACE:
		t->report.replace = true;
		return 0;
	case OPT_EXAMPLES:
		n = strtoul(optarg, &end, 10);
		if (end == optarg || *end || *optarg == '-' || n > 1000) {
			fprintf(stderr,
				"postern rules try: --examples: '%s' is not a number from 0 to "
				"1000\n",
				optarg);
			return 2;
		}
		t->report.examples = (unsigned)n;
		return 0;
	case OPT_CHECK:
		t->check = true;
		return 0;
	case OPT_SOCKET:
		t->socket = optarg;
		return 0;
	case OPT_JSON:
		t->json = true;
		return 0;
	default:
		fputs(usage, stderr);
		return 2;
	}
}

static int parse(struct try *t, int argc, char **argv, bool *done)
{
	int option, rc = 0;

	while (!rc && (option = getopt_long(argc, argv, "c:r:h", options, NULL)) != -1) {
		*done = option == 'h';
		if (*done) {
			fputs(usage, stdout);
			return 0;
		}
		rc = take(t, option);
	}
	if (rc)
		return rc;
	t->report.mine = (const char **)(uintptr_t)(argv + optind);
	t->report.mine_count = (size_t)(argc - optind);
	if (t->report.mine_count && t->traffic.file_count)
		return 0;
	fprintf(stderr, "postern rules try: %s\n%s",
		t->report.mine_count ? "on which capture? --on" : "which rules?", usage);
	return 2;
}

/* The running rules -------------------------------------------------------- */

static int paths_of_config(struct try *t)
{
	struct diag diag = {0};
	struct try_report *r = &t->report;

	t->named = config_load(t->traffic.config, &diag);
	if (!t->named || diag.errors) {
		diag_print(&diag, stderr);
		diag_fini(&diag);
		return 1;
	}
	diag_fini(&diag);
	free(r->running);
	r->running = calloc(t->named->gate.rules.count + 1, sizeof(*r->running));
	if (!r->running)
		return 1;
	for (size_t i = 0; i < t->named->gate.rules.count; i++)
		r->running[r->running_count++] = t->named->gate.rules.items[i].text;
	return 0;
}

/* Where the running rules are, unless -r said so. */
static int find_running(struct try *t)
{
	if (t->alone || t->report.running_count)
		return 0;
	if (!t->traffic.config && rules_running_ask(&t->asked, t->socket)) {
		fprintf(stderr, "postern rules try: which rules are running? -r, or -c with a "
				"configuration that names them, or a posternd to ask\n");
		return 1;
	}
	if (t->asked.config)
		t->traffic.config = t->asked.config;
	return t->asked.pushed ? 0 : paths_of_config(t);
}

/* Behind what the list has; posternd's as it treats them. */
static void read_running(struct try *t, struct rule_list *list, struct rule_diags *diags)
{
	size_t first = list->count;

	if (t->asked.pushed)
		rules_running_parse(&t->asked, list, diags);
	for (size_t i = 0; i < t->report.running_count; i++)
		rules_load_path(list, diags, NULL, t->report.running[i]);
	if (t->asked.config)
		rules_running_apply(&t->asked, list, first);
}

/* Errors are said, but for those that are `expected`; how many they were. */
static int say_errors(struct rule_diags *diags, const char *expected)
{
	int errors = 0;

	for (size_t i = 0; i < diags->count; i++) {
		const struct rule_diag *diag = &diags->list[i];

		if (diag->severity != RULE_ERROR || (expected && strstr(diag->message, expected)))
			continue;
		rule_diag_print(stderr, diag);
		errors++;
	}
	rule_diags_fini(diags);
	return errors;
}

static int compile_running(struct try *t)
{
	struct rule_diags diags = {0};

	read_running(t, &t->running.list, &diags);
	return say_errors(&diags, NULL) ? 1 : rules_compiled_build(&t->running, false);
}

static int by_sid(const void *pa, const void *pb)
{
	const struct rule *a = *(const struct rule *const *)pa,
			  *b = *(const struct rule *const *)pb;

	return a->sid < b->sid ? -1 : a->sid > b->sid;
}

/* Rules by sid, to be looked up. */
struct sids {
	const struct rule **rule;
	size_t count;
};

static bool sids_init(struct sids *s, const struct rule_list *list)
{
	s->count = list->count;
	s->rule = calloc(list->count + 1, sizeof(*s->rule));
	for (size_t i = 0; s->rule && i < list->count; i++)
		s->rule[i] = &list->rules[i];
	if (s->rule)
		qsort(s->rule, s->count, sizeof(*s->rule), by_sid);
	return s->rule != NULL;
}

static const struct rule *sids_find(const struct sids *s, uint32_t sid)
{
	size_t lo = 0, hi = s->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->rule[mid]->sid == sid)
			return s->rule[mid];
		if (s->rule[mid]->sid < sid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Mine first: a running rule whose number is taken is left out, and that is what is wanted. */
static int merge(struct try *t)
{
	struct rule_diags diags = {0};

	for (size_t i = 0; i < t->report.mine_count; i++)
		rules_load_path(&t->together.list, &diags, NULL, t->report.mine[i]);
	read_running(t, &t->together.list, &diags);
	return say_errors(&diags, "is taken by the rule at")
		       ? 1
		       : rules_compiled_build(&t->together, false);
}

static int compile(struct try *t)
{
	struct try_report *r = &t->report;

	for (size_t i = 0; i < t->mine.list.count; i++)
		r->silent += t->mine.list.rules[i].noalert ||
			     t->mine.list.rules[i].action == VERDICT_PASS;
	r->mine_rules = t->mine.list.count;
	r->running_rules = t->running.list.count;
	return r->replace ? 0 : merge(t);
}

/* What they hit ------------------------------------------------------------ */

static void count(struct try_counts *c, const struct try_hit *hit)
{
	c->of[hit->change]++;
	c->blocks += hit->change == TRY_NEW && hit->blocks;
}

static struct try_counts *tenant_of(struct try_report *r, uint32_t slot)
{
	for (size_t i = 0; i < r->tenants; i++)
		if (r->tenant[i].slot == slot)
			return &r->tenant[i].counts;
	r->tenant[r->tenants].slot = slot;
	return &r->tenant[r->tenants++].counts;
}

/* Hits come by sid: the last rule is theirs, or the next. */
static void count_hits(struct try_report *r, const struct try_hits *hits, bool gone,
		       const struct sids *wanted, const struct sids *other)
{
	for (size_t i = 0; i < hits->count; i++) {
		const struct try_hit *hit = &hits->hit[i];
		const struct rule *rule = sids_find(wanted, hit->sid);
		struct try_rule *row = NULL;

		if (!rule && other)
			rule = sids_find(other, hit->sid);
		if (!rule || (hit->change == TRY_GONE) != gone)
			continue;
		for (size_t n = 0; n < r->rules && !row; n++)
			if (r->rule[n].rule->sid == hit->sid)
				row = &r->rule[n];
		if (!row) {
			row = &r->rule[r->rules++];
			row->rule = rule;
		}
		count(&row->counts, hit);
		count(tenant_of(r, hit->tenant), hit);
		count(&r->all, hit);
	}
}

static int most_changed_first(const void *pa, const void *pb)
{
	const struct try_rule *a = pa, *b = pb;
	uint64_t x = a->counts.of[TRY_NEW] + a->counts.of[TRY_GONE];
	uint64_t y = b->counts.of[TRY_NEW] + b->counts.of[TRY_GONE];

	if (x != y)
		return x > y ? -1 : 1;
	return a->rule->sid < b->rule->sid ? -1 : a->rule->sid > b->rule->sid;
}

static int by_slot(const void *pa, const void *pb)
{
	const struct try_tenant *a = pa, *b = pb;

	return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static int compare(struct try *t, const struct sids *mine, const struct sids *running)
{
	struct try_report *r = &t->report;

	r->rule = calloc(mine->count + running->count + 1, sizeof(*r->rule));
	r->tenant = calloc(t->traffic.policy->slot_count + 1, sizeof(*r->tenant));
	t->names = policy_tenant_names(t->traffic.policy);
	if (!r->rule || !r->tenant || !t->names)
		return 1;
	r->names = (struct tenant_names){t->names, t->traffic.policy->slot_count};
	try_hits_compare(&r->before, &r->after);
	count_hits(r, &r->after, false, mine, r->replace ? running : NULL);
	count_hits(r, &r->before, true, mine, r->replace ? running : NULL);
	qsort(r->rule, r->rules, sizeof(*r->rule), most_changed_first);
	qsort(r->tenant, r->tenants, sizeof(*r->tenant), by_slot);
	return 0;
}

static int replay(struct try *t, const struct rules_compiled *rules, struct try_hits *hits)
{
	const struct replay_sinks sinks = {.event = try_hits_event, .ctx = hits};
	struct replay_stats stats;
	int rc = rules_replay(&t->traffic, rules->ruleset, NULL, &sinks, &stats);

	t->report.packets = stats.packets;
	if (!rc && hits->failed) {
		fprintf(stderr, "postern: %s\n", strerror(ENOMEM));
		rc = 1;
	}
	return rc;
}

static int show(const struct try *t)
{
	const struct try_report *r = &t->report;
	json_t *object;

	if (t->json) {
		object = try_json(r);
		if (!object || json_dumpf(object, stdout, JSON_INDENT(2)) < 0)
			return 1;
		fputc('\n', stdout);
		json_decref(object);
	} else {
		try_page(r, stdout);
	}
	return t->check && r->all.of[TRY_NEW] + r->all.of[TRY_GONE] ? 1 : 0;
}

static int run(struct try *t)
{
	struct try_report *r = &t->report;
	struct sids mine = {0}, running = {0};
	int rc = rules_compiled_read(&t->mine, r->mine, r->mine_count, false);

	if (!rc)
		rc = find_running(t);
	if (!rc)
		rc = compile_running(t);
	if (!rc)
		rc = sids_init(&mine, &t->mine.list) && sids_init(&running, &t->running.list) ? 0
											      : 1;
	if (!rc)
		rc = compile(t);
	if (!rc)
		rc = rules_traffic_open(&t->traffic);
	if (!rc)
		rc = replay(t, &t->running, &r->before);
	if (!rc)
		rc = replay(t, r->replace ? &t->mine : &t->together, &r->after);
	if (!rc)
		rc = compare(t, &mine, &running);
	if (!rc)
		rc = show(t);
	free(mine.rule);
	free(running.rule);
	return rc;
}

static void fini(struct try *t)
{
	rules_traffic_close(&t->traffic);
	rules_compiled_fini(&t->together);
	rules_compiled_fini(&t->running);
	rules_compiled_fini(&t->mine);
	config_free(t->named);
	try_hits_fini(&t->report.before);
	try_hits_fini(&t->report.after);
	free(t->report.rule);
	free(t->report.tenant);
	free(t->report.running);
	free(t->traffic.files);
	free(t->names);
	rules_running_fini(&t->asked);
}

int rules_try_main(int argc, char **argv)
{
	struct try t = {.report = {.examples = 3}};
	bool done = false;
	int rc = 1;

	t.report.running = calloc((size_t)argc + 1, sizeof(char *));
	t.traffic.files = calloc((size_t)argc + 1, sizeof(char *));
	if (t.report.running && t.traffic.files)
		rc = parse(&t, argc, argv, &done);
	if (!rc && !done)
		rc = run(&t);
	fini(&t);
	return rc;
}
