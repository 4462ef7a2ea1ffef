/* SPDX-License-Identifier: BSD-3-Clause */
/* Every command that there is, and those that have no better place. */
#include <stdlib.h>

#include "control/cases/cases.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/daemon/show.h"
#include "control/daemon/tenant_change.h"
#include "control/daemon/tenant_show.h"
#include "control/policy/policy_show.h"
#include "control/risk/risk_show.h"
#include "control/rules/rules_command.h"
#include "control/store/audit_command.h"

static enum command_outcome run_help(struct request *r, json_t **result)
{
	json_t *list = json_array();

	for (const struct command *c = commands; c->name; c++) {
		json_t *arguments = json_array();

		for (const struct command_argument *a = c->arguments; a && a->name; a++)
			json_array_append_new(arguments,
					      json_pack("{s:s, s:s, s:b, s:s}", "name", a->name,
							"type", argument_type_name(a->type),
							"required", a->required, "help", a->help));
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name", c->name,
						      "privilege", privilege_name(c->privilege),
						      "help", c->help, "arguments", arguments));
	}
	*result = json_pack("{s:o}", "commands", list);
	return COMMAND_DONE;
}

static enum command_outcome run_reload(struct request *r, json_t **result)
{
	if (reload_start(r->daemon, r))
		return COMMAND_LATER;
	return request_error(r, "busy", "a reload is running; try again when it has ended");
}

/* A reload may outlive who asked for it; only a follower ends with its client. */
static void follower_gone(struct request *r)
{
	struct follower *f = r->data;

	TAILQ_REMOVE(&r->daemon->followers, f, entry);
	r->daemon->follow_stats.now--;
	free(f);
	request_finish(r, NULL);
}

static bool follower_types(struct request *r, uint32_t *types)
{
	json_t *list = json_object_get(r->arguments, "types"), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		uint32_t type = follow_type(json_string_value(item));

		*types |= type;
		if (type)
			continue;
		request_error(r, "bad_argument", "there are no events of type \"%.40s\"",
			      json_string_value(item));
		return false;
	}
	return true;
}

static enum command_outcome run_follow(struct request *r, json_t **result)
{
	struct follower f = {.request = r}, *kept;
	uint32_t slot;

	if (!follower_types(r, &f.types))
		return COMMAND_FAILED;
	if (!request_tenant_option(r, &slot))
		return COMMAND_FAILED;
	if (slot)
		f.tenant = r->daemon->roster->tenant[slot].id;
	kept = malloc(sizeof(*kept));
	if (!kept)
		return request_error(r, "no_memory", "no memory");
	*kept = f;
	r->data = kept;
	r->gone = follower_gone;
	TAILQ_INSERT_TAIL(&r->daemon->followers, kept, entry);
	r->daemon->follow_stats.now++;
	request_follow(r, json_pack("{s:b}", "follows", true));
	return COMMAND_LATER;
}

#define TENANT                                                             \
	{                                                                  \
		.name = "tenant", .type = ARGUMENT_TEXT, .required = true, \
		.help = "its name or id"                                   \
	}

static const struct command_argument tenant_arguments[] = {TENANT, {0}};

static const struct command_argument tenants_arguments[] = {
	{.name = "by",
	 .type = ARGUMENT_TEXT,
	 .help = "their order: `slot`, or `risk`, the highest score first"},
	{0},
};

static const struct command_argument suspend_arguments[] = {
	TENANT,
	{.name = "reason",
	 .type = ARGUMENT_TEXT,
	 .required = true,
	 .help = "why, for whoever asks later"},
	{.name = "approver", .type = ARGUMENT_TEXT, .help = "who decided it"},
	{.name = "until",
	 .type = ARGUMENT_TEXT,
	 .help = "when it ends by itself: `2026-11-30T08:00:00Z`, or a duration, `2h`"},
	{0},
};

static const struct command_argument resume_arguments[] = {
	TENANT,
	{.name = "reason", .type = ARGUMENT_TEXT, .help = "why"},
	{0},
};

static const struct command_argument limits_arguments[] = {
	TENANT,
	{.name = "limits",
	 .type = ARGUMENT_VALUES,
	 .required = true,
	 .help = "limits by name: `{\"messages\": \"30/min burst 60\", \"calls\": \"unlimited\", "
		 "\"bytes\": \"default\", \"recipients_per_minute\": 100}`"},
	{0},
};

static const struct command_argument policy_arguments[] = {
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "a tenant's: its name or id"},
	{.name = "tier", .type = ARGUMENT_TEXT, .help = "a tier's"},
	{0},
};

static const struct command_argument policy_settings_arguments[] = {
	{.name = "from",
	 .type = ARGUMENT_COUNT,
	 .help = "goes on from there: `next` of the answer before"},
	{0},
};

static const struct command_argument follow_arguments[] = {
	{.name = "types", .type = ARGUMENT_TEXTS, .help = "`event_type`s; without: all of them"},
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "its events alone"},
	{0},
};

#define SID                                                              \
	{                                                                \
		.name = "sid", .type = ARGUMENT_COUNT, .required = true, \
		.help = "of a rule in force"                             \
	}
#define WHY                                                   \
	{                                                     \
		.name = "reason", .type = ARGUMENT_TEXT,      \
		.help = "why, for the history and the events" \
	}

static const struct command_argument rules_list_arguments[] = {
	{.name = "state",
	 .type = ARGUMENT_TEXT,
	 .help = "those alone: `live`, `shadow` or `disabled`"},
	{0},
};

static const struct command_argument rules_stage_arguments[] = {
	{.name = "file",
	 .type = ARGUMENT_TEXT,
	 .required = true,
	 .help = "its name in messages; a name as in the request before goes on with that file"},
	{.name = "text", .type = ARGUMENT_TEXT, .required = true, .help = "more of its text"},
	{.name = "data",
	 .type = ARGUMENT_FLAG,
	 .help = "it is no file of rules, but one that they load, beside the file that names it"},
	{0},
};

static const struct command_argument rules_push_arguments[] = {
	{.name = "shadow",
	 .type = ARGUMENT_FLAG,
	 .help = "rules that are new or changed only count, until a push without this"},
	{.name = "configuration",
	 .type = ARGUMENT_FLAG,
	 .help = "instead of what was staged: a reload that reads `gate.rules`, which is where the "
		 "rules come from then"},
	WHY,
	{0},
};

static const struct command_argument rules_rollback_arguments[] = {
	{.name = "generation",
	 .type = ARGUMENT_COUNT,
	 .help = "of `rules history`; without: the newest with other rules than those in force"},
	WHY,
	{0},
};

static const struct command_argument rules_shadow_arguments[] = {
	SID,
	{.name = "state",
	 .type = ARGUMENT_TEXT,
	 .required = true,
	 .help = "`on`: it only counts; `off`: it acts; `own`: as its text says"},
	WHY,
	{0},
};

static const struct command_argument rules_sid_arguments[] = {SID, WHY, {0}};

static const struct command_argument feedback_report_arguments[] = {
	{.name = "reports",
	 .type = ARGUMENT_OBJECTS,
	 .required = true,
	 .help = "items as `postern feedback --json --dry-run` shows them: `source`, `kind`, "
		 "`message_id`, `rcpt`, `address` and so on"},
	{.name = "dry_run", .type = ARGUMENT_FLAG, .help = "what would be: nothing counts"},
	{0},
};

static const struct command_argument feedback_list_arguments[] = {
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "its reports alone"},
	{.name = "result", .type = ARGUMENT_TEXT, .help = "those alone: `unmatched`, `counted` …"},
	{.name = "most", .type = ARGUMENT_COUNT, .help = "how many, 1000 at the most"},
	{0},
};

#define WHOSE                                                                            \
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "whose list: its name or id"}, \
	{                                                                                \
		.name = "global", .type = ARGUMENT_FLAG,                                 \
		.help = "instead: the provider's, for all"                               \
	}
#define KIND                                                                                \
	{                                                                                   \
		.name = "kind", .type = ARGUMENT_TEXT, .required = true,                    \
		.help = "`optout`, `dnc`, `trap`, `trap-recycled`, `domain`, `forwarder`, " \
			"`number`, `sms`, `sms-stop`, `suppressed` or `invalid-domain`"     \
	}
#define ENTRIES                                                              \
	{                                                                    \
		.name = "entries", .type = ARGUMENT_TEXTS, .required = true, \
		.help = "addresses, numbers or domains", .person = true      \
	}
#define SINCE                                                                                      \
	{.name = "since",                                                                          \
	 .type = ARGUMENT_TEXT,                                                                    \
	 .help = "when they opted out: `2026-11-30T08:00:00Z`, or how long ago, `3d`; without: "   \
		 "now"},                                                                           \
	{                                                                                          \
		.name = "now", .type = ARGUMENT_FLAG, .help = "they hold at once, without a grace" \
	}

static const struct command_argument list_import_arguments[] = {
	WHOSE,
	KIND,
	{.name = "file",
	 .type = ARGUMENT_TEXT,
	 .required = true,
	 .help = "its name in messages; the file came by `list file`"},
	{.name = "column",
	 .type = ARGUMENT_TEXT,
	 .help = "it is CSV, and its header names this column"},
	{.name = "skip_bad",
	 .type = ARGUMENT_FLAG,
	 .help = "bad lines are left out; without: nothing changes where there are any"},
	{.name = "replace", .type = ARGUMENT_FLAG, .help = "what the list had goes"},
	SINCE,
	{0},
};

static const struct command_argument list_add_arguments[] = {WHOSE, KIND, ENTRIES, SINCE, {0}};
static const struct command_argument list_entries_arguments[] = {WHOSE, KIND, ENTRIES, {0}};
static const struct command_argument list_show_arguments[] = {WHOSE, {0}};

#define AFTER                                                              \
	{                                                                  \
		.name = "after", .type = ARGUMENT_COUNT,                   \
		.help = "entries behind that one; without: from the first" \
	}

static const struct command_argument forget_arguments[] = {
	{.name = "address",
	 .type = ARGUMENT_TEXT,
	 .required = true,
	 .help = "an address, or a number",
	 .person = true},
	{.name = "reason", .type = ARGUMENT_TEXT, .help = "why"},
	{0},
};

static const struct command_argument audit_entries_arguments[] = {AFTER, {0}};

static const struct command_argument audit_export_arguments[] = {
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "its entries alone: its name or id"},
	{.name = "from",
	 .type = ARGUMENT_TEXT,
	 .help = "not before: `2026-11-30T08:00:00Z`, or how long ago, `3d`"},
	{.name = "to", .type = ARGUMENT_TEXT, .help = "before that; as `from`"},
	AFTER,
	{0},
};

#define CASE                                                                                   \
	{                                                                                      \
		.name = "case", .type = ARGUMENT_COUNT, .required = true, .help = "its number" \
	}

static const struct command_argument case_list_arguments[] = {
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "its cases alone: its name or id"},
	{.name = "all", .type = ARGUMENT_FLAG, .help = "closed ones too"},
	{0},
};
static const struct command_argument evidence_list_arguments[] = {
	{.name = "tenant", .type = ARGUMENT_TEXT, .help = "of its mails alone: its name or id"},
	{0},
};
static const struct command_argument evidence_arguments[] = {
	{.name = "id", .type = ARGUMENT_COUNT, .required = true, .help = "its number in the list"},
	{0},
};
static const struct command_argument case_arguments[] = {CASE, {0}};
static const struct command_argument case_open_arguments[] = {
	TENANT,
	{.name = "why", .type = ARGUMENT_TEXT, .required = true, .help = "what was seen"},
	{0},
};
static const struct command_argument case_text_arguments[] = {
	CASE,
	{.name = "text", .type = ARGUMENT_TEXT, .required = true, .help = "what was said"},
	{0},
};
static const struct command_argument case_close_arguments[] = {
	CASE,
	{.name = "why", .type = ARGUMENT_TEXT, .required = true, .help = "how it ended"},
	{0},
};

/* clang-format off */
const struct command commands[] = {
	{"help", PRIVILEGE_READ, NULL, run_help, "lists the commands and their arguments", false},
	{"status", PRIVILEGE_READ, NULL, run_status, "posternd, the dataplane and its workers, the configuration in force", false},
	{"show", PRIVILEGE_READ, NULL, run_show, "status, and how much traffic there was", false},
	{"stats", PRIVILEGE_READ, NULL, run_stats, "all counters, as in events of type `stats`", false},
	{"ports", PRIVILEGE_READ, NULL, run_ports, "the two ports, their links and counters", false},
	{"rules", PRIVILEGE_READ, NULL, run_rules, "rules in force, and which of them matched how often", false},
	{"rules list", PRIVILEGE_READ, rules_list_arguments, run_rules_list, "each rule: its text's place, its state and why, its matches, what it keeps of bodies", false},
	{"rules history", PRIVILEGE_READ, NULL, run_rules_history, "generations of the rules, the newest first: who, how, what changed", false},
	{"rules stage", PRIVILEGE_CHANGE, rules_stage_arguments, run_rules_stage, "adds text to what this connection will push; forgotten when it ends", true},
	{"rules push", PRIVILEGE_CHANGE, rules_push_arguments, run_rules_push, "the staged rules instead of those in force: compiled, swapped; answers when they are in force", false},
	{"rules rollback", PRIVILEGE_CHANGE, rules_rollback_arguments, run_rules_rollback, "the rules of a generation before, from their text that was kept", false},
	{"rules shadow", PRIVILEGE_CHANGE, rules_shadow_arguments, run_rules_shadow, "whether a rule only counts, whatever its text says", false},
	{"rules disable", PRIVILEGE_CHANGE, rules_sid_arguments, run_rules_disable, "a rule is left out, of pushes to come too", false},
	{"rules enable", PRIVILEGE_CHANGE, rules_sid_arguments, run_rules_enable, "a rule that was disabled runs again", false},
	{"failure", PRIVILEGE_READ, NULL, run_failure, "what the wire does while nobody inspects", false},
	{"tenants", PRIVILEGE_READ, tenants_arguments, run_tenants, "a line about each tenant", false},
	{"tenant", PRIVILEGE_READ, tenant_arguments, run_tenant, "everything about one tenant", false},
	{"explain", PRIVILEGE_READ, tenant_arguments, run_explain, "a tenant's score taken apart: every term, what it is made of, the events behind it", false},
	{"tenant suspend", PRIVILEGE_CHANGE, suspend_arguments, run_tenant_suspend, "its mail and calls are refused, at once", false},
	{"tenant resume", PRIVILEGE_CHANGE, resume_arguments, run_tenant_resume, "ends a suspension that was made by command, or by a score: which suspends nothing then for `risk.pardon`", false},
	{"limits", PRIVILEGE_READ, tenant_arguments, run_limits, "a tenant's limits, and how near it came to them", false},
	{"limits set", PRIVILEGE_CHANGE, limits_arguments, run_limits_set, "limits over those of the configuration", false},
	{"policy", PRIVILEGE_READ, policy_arguments, run_policy, "limits, checks and thresholds in force, and where each comes from", false},
	{"policy settings", PRIVILEGE_READ, policy_settings_arguments, run_policy_settings, "every setting that has a value, with its place; 2,000 at once", true},
	{"list file", PRIVILEGE_CHANGE, NULL, run_list_file, "after its answer comes one byte with a descriptor (`SCM_RIGHTS`): the file of the `list import` that follows", true},
	{"list import", PRIVILEGE_CHANGE, list_import_arguments, run_list_import, "the file's entries to a list; answers when they are in force", false},
	{"list add", PRIVILEGE_CHANGE, list_add_arguments, run_list_add, "single entries to a list", false},
	{"list remove", PRIVILEGE_CHANGE, list_entries_arguments, run_list_remove, "single entries from a list", false},
	{"list check", PRIVILEGE_READ, list_entries_arguments, run_list_check, "whether entries are on a list, and from when on", false},
	{"list show", PRIVILEGE_READ, list_show_arguments, run_list_show, "which lists there are, how many entries they have", false},
	{"feedback report", PRIVILEGE_CHANGE, feedback_report_arguments, run_feedback_report, "what came back: matched to tenants, counted once, kept", true},
	{"egress", PRIVILEGE_READ, NULL, run_egress, "our own addresses, and the block lists that have them", false},
	{"feedback list", PRIVILEGE_READ, feedback_list_arguments, run_feedback_list, "reports that came, the newest first, whoever's they are", false},
	{"feedback stats", PRIVILEGE_READ, NULL, run_feedback_stats, "what is remembered of mail that left", false},
	{"case list", PRIVILEGE_READ, case_list_arguments, run_case_list, "cases that are not closed, the newest first", false},
	{"case show", PRIVILEGE_READ, case_arguments, run_case_show, "one with everything that came of it", false},
	{"case open", PRIVILEGE_CHANGE, case_open_arguments, run_case_open, "a case about a tenant, which is told of it", false},
	{"case note", PRIVILEGE_CHANGE, case_text_arguments, run_case_note, "a line for whoever reads it later", false},
	{"case answer", PRIVILEGE_CHANGE, case_text_arguments, run_case_answer, "the tenant has answered: its clock stands still", false},
	{"case close", PRIVILEGE_CHANGE, case_close_arguments, run_case_close, "it is over; what comes next is a new one", false},
	{"evidence list", PRIVILEGE_READ, evidence_list_arguments, run_evidence_list, "mails that were refused and whose headers are kept, 1000 at the most, the newest first", false},
	{"evidence show", PRIVILEGE_CHANGE, evidence_arguments, run_evidence_show, "one with its header; is in the audit log", false},
	{"reload", PRIVILEGE_CHANGE, NULL, run_reload, "reads configuration, lists and rules anew: all of it or nothing; answers when it is in force", false},
	{"forget", PRIVILEGE_CHANGE, forget_arguments, run_forget, "deletes what is known of a person by address or number, from all tables and from the lists of those that bounced; who opted out, or is on a do-not-call list, stays there", false},
	{"audit entries", PRIVILEGE_CHANGE, audit_entries_arguments, run_audit_entries, "the next entries of the audit log, 500 at the most, and its end: for who verifies it", true},
	{"audit export", PRIVILEGE_CHANGE, audit_export_arguments, run_audit_export, "entries of a tenant and a time, 500 at the most; is an entry itself", false},
	{"events follow", PRIVILEGE_READ, follow_arguments, run_follow, "events from now on, one a line, until the connection ends", false},
	{0},
};
/* clang-format on */
