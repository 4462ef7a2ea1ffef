/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes what the gate can write, for tests/format/check to hold against the
 * documents: `eve_lines events` one event of each type, with every field of the
 * table and with none; `eve_lines fields` the table; `eve_lines reasons` the list of reasons;
 * `eve_lines summary` a summary.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "control/events/counters_json.h"
#include "control/events/eve.h"
#include "control/events/gate_event.h"
#include "control/page/summary.h"

static const struct tenant_name slots[] = {{0, "", "active"}, {17, "example", "suspended"}};
static const struct tenant_names names = {slots, 2};

static struct counters total;
static struct tenant_counters tenants[2];

/* What a value may be where the schema lists or shapes them. */
static const struct {
	enum field_key key;
	const char *text;
} shaped[] = {
	{FIELD_KEY_SMTP_REPLY_CODE, "250"},
	{FIELD_KEY_SMTP_RESULT, "refused_by_peer"},
	{FIELD_KEY_SIP_CODE, "183"},
	{FIELD_KEY_CALL_CODE, "200"},
	{FIELD_KEY_CALL_STATE, "answered"},
	{FIELD_KEY_FLOW_STATE, "established"},
	{FIELD_KEY_FLOW_REASON, "timeout"},
	{FIELD_KEY_FLOW_BYPASS, "capture"},
	{FIELD_KEY_ALERT_ACTION, "blocked"},
	{FIELD_KEY_VERDICT_ACTION, "reject"},
	{FIELD_KEY_VERDICT_REASON, "limit_messages"},
	{FIELD_KEY_VERDICT_OBJECT, "recipient"},
};

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char *text_for(enum field_key key)
{
	for (size_t i = 0; i < sizeof(shaped) / sizeof(shaped[0]); i++) {
		if (shaped[i].key == key)
			return shaped[i].text;
	}
	if (key == FIELD_KEY_EMAIL_SHA256 || key == FIELD_KEY_EMAIL_PART_SHA256)
		return HASH;
	return "caf\xe9 \"x\" \x01";
}

static void field_put(struct event_builder *b, enum field_key key)
{
	switch (eve_field_kind(key)) {
	case FIELD_LIST:
		event_put_text(b, key, text_for(key));
		event_put_text(b, key, text_for(key));
		break;
	case FIELD_STR:
		event_put_text(b, key, text_for(key));
		break;
	case FIELD_BOOL:
		event_put_bool(b, key, true);
		break;
	case FIELD_UINT:
	case FIELD_NS:
	case FIELD_SEC:
		event_put_uint(b, key, 1500000000 + key);
		break;
	}
}

/* Whether a worker would put that field into an event of that type. */
static bool field_belongs(enum field_key key, enum event_type type)
{
	const char *path = eve_field_path(key);

	if (key == FIELD_KEY_VERDICT_ACTION && type == EVENT_ALERT)
		return true;
	for (enum event_type t = EVENT_SMTP; t < EVENT_STATS; t++) {
		const size_t len = strlen(eve_type_name(t));

		if (strncmp(path, eve_type_name(t), len) == 0 && path[len] == '.')
			return t == type;
	}
	return *path; /* of the flow: any event */
}

static int event_write(enum event_type type, bool full)
{
	static _Alignas(8) uint8_t buf[16384];
	struct event_builder b;
	struct event_head *head = event_begin(&b, buf, sizeof(buf), type);

	if (full) {
		*head = (struct event_head){.size = head->size,
					    .type = head->type,
					    .family = 6,
					    .proto = IPPROTO_TCP,
					    .direction = TO_CLIENT,
					    .time = 1,
					    .packet = 1,
					    .flow_id = UINT64_MAX,
					    .tenant = 1,
					    .generation = 1,
					    .vlan = 4095,
					    .sport = 65535,
					    .dport = 25};
		for (enum field_key key = 0; key < FIELD_KEY_COUNT; key++) {
			if (field_belongs(key, type))
				field_put(&b, key);
		}
	} else { /* as if nothing had room */
		head->count = 1;
	}
	return eve_write(stdout, head, event_size(&b), &names);
}

/* With all that any of them has, and with nothing. */
static int gate_events(void)
{
	for (unsigned i = 0; gate_event_name(i); i++) {
		json_t *all = json_pack(
			"{s:s,s:s,s:s,s:i,s:i,s:{s:s},s:i,s:s,s:s,s:i,s:{s:i},s:[{s:s,s:s}],s:s,"
			"s:i,s:i,s:i,s:s,s:{s:i},s:f,s:i,s:i}",
			"by", "root", "reason", "spam", "approver", "", "until", 0, "id", 7,
			"limits", "calls", "1/s", "pid", 1, "status", "signal 9", "failure", "open",
			"generation", 2, "counts", "rules", 3, "needs_restart", "setting",
			"gate.mode", "restart", "both", "code", "busy", "count", 1, "worker", 0,
			"age_ms", 600, "how", "push", "changes", "added", 3, "took_s", 0.4, "kept",
			4, "lost", 0);
		char *with = gate_event_line(1, gate_event_name(i), 7, "acme", all);
		char *without = gate_event_line(1, gate_event_name(i), 0, NULL, NULL);

		if (!with || !without)
			return -1;
		printf("%s\n%s\n", with, without);
		free(with);
		free(without);
	}
	return 0;
}

static int events(void)
{
	json_t *stats;
	int rc = 0;

	for (enum event_type type = EVENT_SMTP; type < EVENT_STATS && !rc; type++) {
		rc = event_write(type, true);
		if (!rc)
			rc = event_write(type, false);
	}
	if (rc)
		return rc;
	stats = stats_json(1, &total);
	rc = stats ? eve_write_object(stdout, stats) : -1;
	json_decref(stats);
	return rc ? rc : gate_events();
}

static void fields(void)
{
	static const char *const kinds[] = {
		[FIELD_STR] = "string", [FIELD_UINT] = "integer", [FIELD_BOOL] = "boolean",
		[FIELD_NS] = "number",  [FIELD_SEC] = "integer",  [FIELD_LIST] = "array",
	};

	for (enum field_key key = 0; key < FIELD_KEY_COUNT; key++) {
		if (*eve_field_path(key))
			printf("%s %s\n", eve_field_path(key), kinds[eve_field_kind(key)]);
	}
}

static void reasons(void)
{
	for (enum reason i = 0; i < REASON_COUNT; i++)
		printf("%s %s\n", reason_name(i), reason_text(i));
}

static int summary(void)
{
	json_t *risk[] = {json_pack("{s:s, s:f, s:s, s:{s:f}}", "mode", "shadow", "score", 1.0,
				    "level", "none", "points", "bulk", 1.0),
			  NULL};
	const struct report report = {
		.total = &total, .tenant = tenants, .names = &names, .risk = risk};
	struct summary addresses;
	json_t *json;
	int rc;

	summary_init(&addresses);
	json = summary_json(&addresses, &report);
	rc = json ? eve_write_object(stdout, json) : -1;
	json_decref(json);
	json_decref(risk[0]);
	summary_fini(&addresses);
	return rc;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	total.smtp.commands[0] = (struct counted_name){"MAIL", 1};
	total.smtp.replies[250] = 1;
	total.sip.requests[0] = (struct counted_name){"INVITE", 1};
	total.sip.responses[200] = 1;
	total.reasons[REASON_RULE] = 1;
	if (strcmp(what, "events") == 0)
		return events() != 0;
	if (strcmp(what, "fields") == 0)
		return fields(), 0;
	if (strcmp(what, "reasons") == 0)
		return reasons(), 0;
	if (strcmp(what, "summary") == 0)
		return summary() != 0;
	return 2;
}
