/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/live/live.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/live/live_client.h"
#include "tools/live/live_json.h"
#include "tools/live/live_page.h"

struct call {
	const char *socket;
	bool json, follow, all;
	const char *reason, *approver, *until, *tenant, *state, *by, *result, *tier, *why, *text;
	json_t *types;
	int argc;
	char **argv; /* what is left of the words */
};

/* How the words after a command become its arguments; NULL: they don't. */

static json_t *words_none(const struct call *c)
{
	return c->argc == 0 ? json_object() : NULL;
}

static json_t *words_by(const struct call *c)
{
	return c->argc == 0 ? json_pack("{s:s*}", "by", c->by) : NULL;
}

static json_t *words_tenant(const struct call *c)
{
	return c->argc == 1 ? json_pack("{s:s}", "tenant", c->argv[0]) : NULL;
}

/* TENANT, or --tier T, or neither. */
static json_t *words_policy(const struct call *c)
{
	if (c->argc > 1 || (c->argc == 1 && c->tier))
		return NULL;
	return json_pack("{s:s*, s:s*}", "tenant", c->argc ? c->argv[0] : NULL, "tier", c->tier);
}

static json_t *words_suspend(const struct call *c)
{
	if (c->argc != 1 || !c->reason)
		return NULL;
	return json_pack("{s:s, s:s, s:s*, s:s*}", "tenant", c->argv[0], "reason", c->reason,
			 "approver", c->approver, "until", c->until);
}

static json_t *words_resume(const struct call *c)
{
	if (c->argc != 1)
		return NULL;
	return json_pack("{s:s, s:s*}", "tenant", c->argv[0], "reason", c->reason);
}

static json_t *words_forget(const struct call *c)
{
	if (c->argc != 1)
		return NULL;
	return json_pack("{s:s, s:s*}", "address", c->argv[0], "reason", c->reason);
}

/* acme messages=30/min calls=unlimited */
static json_t *words_limits(const struct call *c)
{
	json_t *limits = json_object();

	for (int i = 1; i < c->argc; i++) {
		char *equals = strchr(c->argv[i], '=');

		if (!equals || equals == c->argv[i] || !equals[1]) {
			json_decref(limits);
			return NULL;
		}
		*equals = '\0';
		json_object_set_new(limits, c->argv[i], json_string(equals + 1));
	}
	if (c->argc < 2) {
		json_decref(limits);
		return NULL;
	}
	return json_pack("{s:s, s:o}", "tenant", c->argv[0], "limits", limits);
}

static json_t *words_events(const struct call *c)
{
	if (c->argc != 0)
		return NULL;
	return json_pack("{s:O*, s:s*}", "types", c->types, "tenant", c->tenant);
}

static json_t *words_feedback(const struct call *c)
{
	return c->argc == 0 ? json_pack("{s:s*, s:s*}", "tenant", c->tenant, "result", c->result)
			    : NULL;
}

static json_t *words_rules_list(const struct call *c)
{
	return c->argc == 0 ? json_pack("{s:s*}", "state", c->state) : NULL;
}

/* NULL: it is none, and that was said. */
static json_t *number(const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno)
		return json_integer(n);
	fprintf(stderr, "postern: expected a number, not '%s'\n", text);
	return NULL;
}

static json_t *words_rollback(const struct call *c)
{
	json_t *generation = c->argc == 1 ? number(c->argv[0]) : NULL;

	if (c->argc > 1 || (c->argc == 1 && !generation))
		return NULL;
	return json_pack("{s:o*, s:s*}", "generation", generation, "reason", c->reason);
}

static json_t *words_sid(const struct call *c)
{
	json_t *sid = c->argc == 1 ? number(c->argv[0]) : NULL;

	return sid ? json_pack("{s:o, s:s*}", "sid", sid, "reason", c->reason) : NULL;
}

static json_t *words_cases(const struct call *c)
{
	return c->argc == 0 ? json_pack("{s:s*, s:b}", "tenant", c->tenant, "all", c->all) : NULL;
}

static json_t *words_case(const struct call *c)
{
	json_t *id = c->argc == 1 ? number(c->argv[0]) : NULL;

	return id ? json_pack("{s:o}", "case", id) : NULL;
}

static json_t *words_tenant_option(const struct call *c)
{
	return c->argc == 0 ? json_pack("{s:s*}", "tenant", c->tenant) : NULL;
}

static json_t *words_id(const struct call *c)
{
	json_t *id = c->argc == 1 ? number(c->argv[0]) : NULL;

	return id ? json_pack("{s:o}", "id", id) : NULL;
}

static json_t *words_case_open(const struct call *c)
{
	return c->argc == 1 && c->why ? json_pack("{s:s, s:s}", "tenant", c->argv[0], "why", c->why)
				      : NULL;
}

/* --text or --why, whichever the command wants. */
static json_t *case_said(const struct call *c, const char *name, const char *text)
{
	json_t *id = c->argc == 1 && text ? number(c->argv[0]) : NULL;

	return id ? json_pack("{s:o, s:s}", "case", id, name, text) : NULL;
}

static json_t *words_case_text(const struct call *c)
{
	return case_said(c, "text", c->text);
}

static json_t *words_case_close(const struct call *c)
{
	return case_said(c, "why", c->why);
}

static json_t *words_shadow(const struct call *c)
{
	json_t *sid = c->argc == 2 ? number(c->argv[0]) : NULL;

	if (!sid)
		return NULL;
	return json_pack("{s:o, s:s, s:s*}", "sid", sid, "state", c->argv[1], "reason", c->reason);
}

static const struct live_command {
	const char *words, *command, *usage, *help;
	json_t *(*arguments)(const struct call *call);
	void (*page)(struct page_out *out, const json_t *result);
} list[] = {
	{"show tenants", "tenants", "[--by risk]",
	 "a line about each tenant; by risk: their scores, the highest first", words_by,
	 live_page_tenants},
	{"show tenant", "tenant", "TENANT", "everything about one", words_tenant, live_page_tenant},
	{"show egress", "egress", "", "our own addresses, and the block lists that have them",
	 words_none, live_page_egress},
	{"show", "show", "", "how the gate is", words_none, live_page_show},
	{"status", "status", "", "the same without traffic", words_none, live_page_status},
	{"tenants", "tenants", "[--by risk]", "the same", words_by, live_page_tenants},
	{"explain tenant", "explain", "TENANT",
	 "its score taken apart: every term and what made it", words_tenant, live_page_explain},
	{"tenant suspend", "tenant suspend",
	 "TENANT --reason TEXT [--approver NAME] [--until TIME|DURATION]",
	 "its mail and calls are refused, at once", words_suspend, live_page_tenant},
	{"tenant resume", "tenant resume", "TENANT [--reason TEXT]", "ends that", words_resume,
	 live_page_tenant},
	{"policy show", "policy", "[TENANT | --tier TIER]",
	 "limits, checks and thresholds in force, and where each comes from", words_policy,
	 live_page_policy},
	{"limits show", "limits", "TENANT", "its limits, and how near it came to them",
	 words_tenant, live_page_limits},
	{"limits set", "limits set", "TENANT LIMIT=RATE...",
	 "30/min, unlimited, default; messages_per_minute=30", words_limits, live_page_limits},
	{"forget", "forget", "ADDRESS|NUMBER [--reason TEXT]",
	 "deletes what is known of a person, but for what they opted out of", words_forget,
	 live_page_forget},
	{"reload", "reload", "", "reads configuration, lists and rules anew", words_none,
	 live_page_reload},
	{"stats", "stats", "", "what was counted", words_none, live_page_stats},
	{"events", "events follow", "-f [--type TYPE]... [--tenant TENANT]", "events as they come",
	 words_events, NULL},
	{"ports", "ports", "", "the two ports", words_none, live_page_ports},
	{"rules list", "rules list", "[--state live|shadow|disabled]",
	 "each rule: where it stands, its state, its matches", words_rules_list,
	 live_page_rules_list},
	{"rules history", "rules history", "",
	 "the generations of the rules: who, how, what changed", words_none,
	 live_page_rules_history},
	{"rules rollback", "rules rollback", "[GENERATION] [--reason TEXT]",
	 "the rules of a generation before", words_rollback, live_page_rules_change},
	{"rules shadow", "rules shadow", "SID on|off|own [--reason TEXT]",
	 "whether a rule only counts; own: as its text says", words_shadow, live_page_rules_change},
	{"rules disable", "rules disable", "SID [--reason TEXT]",
	 "a rule is left out, of pushes to come too", words_sid, live_page_rules_change},
	{"rules enable", "rules enable", "SID [--reason TEXT]", "it runs again", words_sid,
	 live_page_rules_change},
	{"rules", "rules", "", "rules in force and what matched", words_none, live_page_rules},
	{"feedback list", "feedback list", "[--tenant TENANT] [--result RESULT]",
	 "complaints and bounces that came back, whoever's they are", words_feedback,
	 live_page_feedback},
	{"case list", "case list", "[--tenant TENANT] [--all]", "what people have to look at",
	 words_cases, live_page_cases},
	{"case show", "case show", "CASE", "one with everything that came of it", words_case,
	 live_page_case},
	{"case open", "case open", "TENANT --why TEXT",
	 "a case about a tenant, which is told of it", words_case_open, live_page_case_change},
	{"case note", "case note", "CASE --text TEXT", "a line for whoever reads it later",
	 words_case_text, live_page_case_change},
	{"case answer", "case answer", "CASE --text TEXT",
	 "the tenant has answered: its clock stands still", words_case_text, live_page_case_change},
	{"case close", "case close", "CASE --why TEXT", "it is over", words_case_close,
	 live_page_case_change},
	{"evidence list", "evidence list", "[--tenant TENANT]",
	 "mails that were refused and whose headers are kept", words_tenant_option,
	 live_page_evidence},
	{"evidence report", "evidence show", "ID",
	 "one as a report to send on, with its header (RFC 5965)", words_id,
	 live_page_evidence_report},
	{"failure", "failure", "", "what the wire does while nobody inspects", words_none,
	 live_page_failure},
};

#define COMMANDS (sizeof(list) / sizeof(list[0]))

bool live_is_command(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < COMMANDS; i++)
		if (strncmp(list[i].words, name, len) == 0 &&
		    (list[i].words[len] == ' ' || !list[i].words[len]))
			return len > 0;
	return false;
}

void live_help(FILE *out)
{
	for (size_t i = 0; i < COMMANDS; i++)
		/* rules_main() and policy_main() have them. */
		if (strcmp(list[i].words, "rules") != 0 &&
		    strcmp(list[i].words, "policy show") != 0)
			fprintf(out, "  %-16s %s\n", list[i].words, list[i].help);
}

static void usage_of(const struct live_command *command, FILE *out)
{
	fprintf(out, "usage: postern %s%s%s [--json] [--socket PATH]\n    %s\n", command->words,
		*command->usage ? " " : "", command->usage, command->help);
}

/* Of all commands that begin with the word. */
static int usage(const char *first, FILE *out, int status)
{
	size_t len = strlen(first);

	for (size_t i = 0; i < COMMANDS; i++)
		if (strncmp(list[i].words, first, len) == 0 &&
		    (list[i].words[len] == ' ' || !list[i].words[len]))
			usage_of(&list[i], out);
	return status;
}

/* The command that the most of the words are; *used of them. */
static const struct live_command *find(int argc, char **argv, int *used)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *second = strchr(list[i].words, ' ');
		size_t len = second ? (size_t)(second - list[i].words) : strlen(list[i].words);

		if (strlen(argv[0]) != len || strncmp(argv[0], list[i].words, len) != 0)
			continue;
		if (second && (argc < 2 || strcmp(argv[1], second + 1) != 0))
			continue;
		*used = second ? 2 : 1;
		return &list[i];
	}
	return NULL;
}

enum {
	OPT_JSON = 256,
	OPT_SOCKET,
	OPT_REASON,
	OPT_APPROVER,
	OPT_UNTIL,
	OPT_TYPE,
	OPT_TENANT,
	OPT_STATE,
	OPT_BY,
	OPT_RESULT,
	OPT_TIER,
	OPT_WHY,
	OPT_TEXT,
	OPT_ALL
};

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"socket", required_argument, NULL, OPT_SOCKET},
	{"reason", required_argument, NULL, OPT_REASON},
	{"approver", required_argument, NULL, OPT_APPROVER},
	{"until", required_argument, NULL, OPT_UNTIL},
	{"type", required_argument, NULL, OPT_TYPE},
	{"tenant", required_argument, NULL, OPT_TENANT},
	{"state", required_argument, NULL, OPT_STATE},
	{"by", required_argument, NULL, OPT_BY},
	{"result", required_argument, NULL, OPT_RESULT},
	{"tier", required_argument, NULL, OPT_TIER},
	{"why", required_argument, NULL, OPT_WHY},
	{"text", required_argument, NULL, OPT_TEXT},
	{"all", no_argument, NULL, OPT_ALL},
	{"follow", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void take_option(struct call *c, int option)
{
	switch (option) {
	case OPT_JSON:
		c->json = true;
		break;
	case OPT_SOCKET:
		c->socket = optarg;
		break;
	case OPT_REASON:
		c->reason = optarg;
		break;
	case OPT_APPROVER:
		c->approver = optarg;
		break;
	case OPT_UNTIL:
		c->until = optarg;
		break;
	case OPT_TENANT:
		c->tenant = optarg;
		break;
	case OPT_BY:
		c->by = optarg;
		break;
	case OPT_RESULT:
		c->result = optarg;
		break;
	case OPT_TIER:
		c->tier = optarg;
		break;
	case OPT_WHY:
		c->why = optarg;
		break;
	case OPT_TEXT:
		c->text = optarg;
		break;
	case OPT_ALL:
		c->all = true;
		break;
	case OPT_STATE:
		c->state = optarg;
		break;
	case OPT_TYPE:
		if (!c->types)
			c->types = json_array();
		json_array_append_new(c->types, json_string(optarg));
		break;
	case 'f':
		c->follow = true;
	}
}

/* -1: go on; else the exit status. */
static int parse(struct call *c, int argc, char **argv)
{
	int option;

	c->socket = live_socket();
	while ((option = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		if (option == 'h')
			return usage(argv[0], stdout, 0);
		if (option == '?')
			return usage(argv[0], stderr, 2);
		take_option(c, option);
	}
	c->argc = argc - optind;
	c->argv = argv + optind;
	return -1;
}

/* Tenants by risk have columns of their own. */
static void (*page_of(const struct call *c,
		      const struct live_command *command))(struct page_out *out,
							   const json_t *result)
{
	const bool by_risk = command->arguments == words_by && c->by && strcmp(c->by, "risk") == 0;

	return by_risk ? live_page_tenants_risk : command->page;
}

static void print(const struct call *c, const struct live_command *command, const json_t *result)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};

	if (c->json) {
		json_dumpf(result, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
		fputc('\n', stdout);
	} else {
		page_of(c, command)(&out, result);
	}
}

static int follow(const struct call *c, struct live_client *client)
{
	struct page_out out = {.file = stdout, .colour = page_colour(stdout)};
	const char *text;
	json_t *event;

	while ((event = live_read(client, &text))) {
		if (c->json)
			fputs(text, stdout);
		else
			live_page_event(&out, event);
		json_decref(event);
		if (fflush(stdout) != 0)
			return 1;
	}
	fprintf(stderr, "postern: posternd ended the connection: it stopped, or this reader was "
			"too slow (gate.control.follow_buffer)\n");
	return 1;
}

static int run(const struct call *c, const struct live_command *command, json_t *arguments)
{
	struct live_client client;
	json_t *result;
	int rc = live_open(&client, c->socket);

	if (rc) {
		json_decref(arguments);
		return rc;
	}
	rc = live_ask(&client, command->command, arguments);
	result = rc ? NULL : live_result(&client);
	rc = !result;
	if (result && command->page)
		print(c, command, result);
	else if (result)
		rc = follow(c, &client);
	json_decref(result);
	live_close(&client);
	return rc || fflush(stdout) != 0;
}

int live_main(int argc, char **argv)
{
	struct call c = {0};
	const struct live_command *command = NULL;
	json_t *arguments = NULL;
	int used, rc = parse(&c, argc, argv);

	if (rc < 0) {
		/* The words stand together once getopt has moved the options before them. */
		c.argc++;
		c.argv--;
		c.argv[0] = argv[0];
		command = find(c.argc, c.argv, &used);
		if (command) {
			c.argc -= used;
			c.argv += used;
			arguments = command->arguments(&c);
		}
		if (arguments && (command->page || c.follow)) {
			rc = run(&c, command, arguments);
		} else {
			json_decref(arguments);
			rc = 2;
			if (command)
				usage_of(command, stderr);
			else
				usage(argv[0], stderr, 2);
		}
	}
	json_decref(c.types);
	return rc;
}
