/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/cases.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "control/cases/case_words.h"
#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"
#include "control/store/audit_note.h"

/* What is told of a tenant, and whether it makes a case or only belongs to one that is there. */
static const struct {
	const char *event, *what;
	bool opens;
} heard[] = {
	{"risk_rises", "risk", true},          {"risk_asks", "risk", true},
	{"risk_falls", "risk", false},         {"feedback", "report", true},
	{"tenant_suspended", "tenant", false}, {"tenant_resumed", "tenant", false},
	{"limits_set", "tenant", false},
};

static const char *field(const json_t *fields, const char *name)
{
	const char *text = json_string_value(json_object_get(fields, name));

	return text ? text : "";
}

/* Complaints want a person, whoever's they are; bounces are numbers. */
static bool report_opens(const json_t *fields)
{
	static const char *const old[] = {"duplicate", "excess", "seen", "stale"};

	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (strcmp(field(fields, "result"), old[i]) == 0)
			return false;
	return strcmp(field(fields, "kind"), "complaint") == 0;
}

/* In shadow nothing follows of a score; below the level nobody is troubled. */
static bool risk_opens(const struct daemon *d, const char *event, const json_t *fields)
{
	const int open = d->config->cases.open;

	if (open == RISK_LEVEL_NONE || strcmp(field(fields, "mode"), "on") != 0)
		return false;
	return strcmp(event, "risk_asks") == 0 ||
	       risk_level_find(field(fields, "to")) >= (enum risk_level)open;
}

static bool opens(const struct daemon *d, size_t kind, const json_t *fields)
{
	if (!heard[kind].opens)
		return false;
	return strcmp(heard[kind].what, "report") == 0 ? report_opens(fields)
						       : risk_opens(d, heard[kind].event, fields);
}

/* Notices */

static const struct roster_tenant *tenant_of(const struct daemon *d, uint32_t id)
{
	const uint32_t slot = d->roster && id ? roster_slot_of(d->roster, id) : 0;

	return slot ? &d->roster->tenant[slot] : NULL;
}

static void add_notice(struct daemon *d, struct store_unit *unit, const struct notice *notice)
{
	int rc = notice_add(d->cases.notices, unit, notice, daemon_time());

	if (rc)
		log_error("a notice can't be sent", "to=%s error=%s", log_text(notice->target),
			  log_text(rc == -ENOBUFS ? "too many wait already" : strerror(-rc)));
}

static void post(struct daemon *d, struct store_unit *unit, uint64_t about, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (text)
		add_notice(d, unit,
			   &(struct notice){.about = about,
					    .channel = NOTICE_WEBHOOK,
					    .target = d->config->cases.webhook,
					    .text = text});
	free(text);
	json_decref(body);
}

static void mail_desk(struct daemon *d, struct store_unit *unit, uint64_t about,
		      const struct case_words *words)
{
	const struct setting_texts *desk = &d->config->cases.desk;

	for (size_t i = 0; i < desk->count; i++)
		add_notice(d, unit,
			   &(struct notice){.about = about,
					    .channel = NOTICE_MAIL,
					    .target = desk->items[i].text,
					    .subject = words->subject,
					    .text = words->text});
}

/* How many of its people are to hear of it. */
static size_t mail_tenant(struct daemon *d, struct store_unit *unit, uint64_t about,
			  const struct roster_tenant *t, const struct case_words *words)
{
	json_t *contacts = t ? (json_t *)(uintptr_t)t->contacts : NULL, *contact;
	size_t i;

	json_array_foreach(contacts, i, contact)
		add_notice(d, unit,
			   &(struct notice){.about = about,
					    .channel = NOTICE_MAIL,
					    .target = json_string_value(contact),
					    .subject = words->subject,
					    .text = words->text,
					    .tenant = true});
	return json_array_size(contacts);
}

static size_t mail_case(struct daemon *d, struct store_unit *unit, const struct case_one *one,
			const struct roster_tenant *t, const char *event, const json_t *fields)
{
	const char *name = t ? t->name : NULL;
	struct case_words words;
	size_t told;

	if (!*d->config->cases.relay || case_words(&words, one, name, event, fields, 0) != 0)
		return 0;
	mail_desk(d, unit, one->id, &words);
	case_words_free(&words);
	if (case_words(&words, one, name, event, fields, d->config->cases.answer) != 0)
		return 0;
	told = mail_tenant(d, unit, one->id, t, &words);
	case_words_free(&words);
	return told;
}

void cases_tell(struct daemon *d, struct store_unit *unit, struct case_one *one, const char *event,
		const json_t *fields)
{
	const struct roster_tenant *t = tenant_of(d, one->tenant);
	size_t told = 0;

	if (d->cases.notices && *d->config->cases.webhook)
		post(d, unit, one->id, case_words_json(one, t ? t->name : NULL, event, fields));
	if (d->cases.notices)
		told = mail_case(d, unit, one, t, event, fields);
	if (one->state == CASE_OPEN && one->tenant && !told)
		case_add(&d->cases.book, unit, one, "untold", "posternd",
			 json_pack("{s:s}", "reason",
				   "the tenant has no contacts, or there is no relay: no clock "
				   "runs"),
			 daemon_time());
}

/* What is told */

static void finish(struct daemon *d, struct store_unit *unit)
{
	if (store_commit(d->store, unit, NULL, NULL) != 0)
		log_error("a case can't be stored", "error=%s",
			  log_text("no room in the store's queue"));
}

static void hear_tenant(struct daemon *d, size_t kind, uint32_t slot, const json_t *fields)
{
	const uint32_t id = slot ? d->roster->tenant[slot].id : 0;
	struct store_unit *unit;
	struct case_one *one = case_of(&d->cases.book, id);
	bool opened = false;

	if (!one && !opens(d, kind, fields))
		return;
	unit = store_begin(d->store);
	one = case_take(&d->cases.book, unit, id, daemon_time(), &opened);
	if (!one) {
		store_abandon(unit);
		return;
	}
	case_add(&d->cases.book, unit, one, heard[kind].what, field(fields, "by"),
		 json_deep_copy(fields), daemon_time());
	if (opened) {
		d->cases.opened++;
		cases_tell(d, unit, one, "case_opened", fields);
		audit_daemon(d, "case opened", slot,
			     json_pack("{s:I, s:s}", "case", (json_int_t)one->id, "for",
				       heard[kind].event),
			     unit);
	}
	finish(d, unit);
	if (opened)
		daemon_event(d, "case_opened", slot,
			     json_pack("{s:I, s:s}", "case", (json_int_t)one->id, "for",
				       heard[kind].event));
}

/* The place of such an alarm's last time: its own, or the oldest. */
static size_t alarm_place(const struct daemon *d, const char *event, uint32_t slot)
{
	size_t oldest = 0;

	for (size_t i = 0; i < CASE_ALARMS; i++) {
		if (d->cases.alarm[i].event && d->cases.alarm[i].slot == slot &&
		    strcmp(d->cases.alarm[i].event, event) == 0)
			return i;
		if (d->cases.alarm[i].time < d->cases.alarm[oldest].time)
			oldest = i;
	}
	return oldest;
}

static bool alarm_is_due(struct daemon *d, const char *event, uint32_t slot, uint64_t now)
{
	const size_t i = alarm_place(d, event, slot);

	if (d->cases.alarm[i].event && d->cases.alarm[i].slot == slot &&
	    strcmp(d->cases.alarm[i].event, event) == 0 &&
	    now - d->cases.alarm[i].time < d->config->cases.alarm_every)
		return false;
	d->cases.alarm[i].event = event;
	d->cases.alarm[i].slot = slot;
	d->cases.alarm[i].time = now;
	return true;
}

/* Something is wrong with the gate: whoever reads no logs hears of it too. */
static void alarm(struct daemon *d, const char *event, uint32_t slot, const json_t *fields)
{
	const char *tenant = slot && d->roster ? d->roster->tenant[slot].name : NULL;
	struct case_words words;
	struct store_unit *unit;

	if (!d->cases.notices || (!*d->config->cases.webhook && !d->config->cases.desk.count) ||
	    !alarm_is_due(d, event, slot, daemon_time()))
		return;
	unit = store_begin(d->store);
	if (*d->config->cases.webhook)
		post(d, unit, 0, alarm_words_json(event, tenant, fields, daemon_time()));
	if (*d->config->cases.relay && alarm_words(&words, event, tenant, fields) == 0) {
		mail_desk(d, unit, 0, &words);
		case_words_free(&words);
	}
	finish(d, unit);
}

void cases_hear(struct daemon *d, const char *event, enum log_level level, uint32_t slot,
		const json_t *fields)
{
	if (!d->cases.book.store || d->cases.deaf)
		return;
	if (level == LOG_ERROR)
		alarm(d, event, slot, fields);
	for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		if (strcmp(heard[i].event, event) == 0 && (slot || heard[i].opens))
			hear_tenant(d, i, slot, fields);
}

/* Time */

static void suspend(struct daemon *d, uint32_t slot, const struct case_one *one)
{
	char reason[OVERRIDE_REASON];

	snprintf(reason, sizeof(reason), "case %llu: no answer in time",
		 (unsigned long long)one->id);
	tenant_suspend_by_case(d, slot, reason);
}

static void overdue(struct daemon *d, struct case_one *one)
{
	const uint32_t slot = d->roster ? roster_slot_of(d->roster, one->tenant) : 0;
	const bool suspends = slot && d->config->cases.overdue == OVERDUE_SUSPEND;
	struct store_unit *unit = store_begin(d->store);
	json_t *fields = json_pack("{s:I, s:s}", "case", (json_int_t)one->id, "follows",
				   suspends ? "suspend" : "ask");

	case_overdue(&d->cases.book, unit, one, daemon_time());
	cases_tell(d, unit, one, "case_overdue", fields);
	audit_daemon(d, "case overdue", slot, json_deep_copy(fields), unit);
	finish(d, unit);
	d->cases.overdue++;
	daemon_event(d, "case_overdue", slot, fields);
	if (suspends)
		suspend(d, slot, one);
}

void cases_turn(struct daemon *d)
{
	struct case_one *one;
	size_t from = 0;

	if (!d->cases.book.store || !d->roster)
		return;
	while ((one = case_late(&d->cases.book, &from, daemon_time())))
		overdue(d, one);
	if (d->cases.notices)
		notices_turn(d->cases.notices, daemon_time());
}

/* A notice's way */

static void told(struct daemon *d, struct store_unit *unit, struct case_one *one, json_t *fields)
{
	const uint32_t slot = d->roster ? roster_slot_of(d->roster, one->tenant) : 0;

	case_told(&d->cases.book, unit, one, d->config->cases.answer, fields, daemon_time());
	if (slot)
		risk_run_told(d, slot, unit);
}

static void on_attempt(void *ctx, const struct notice *notice, const struct notice_outcome *outcome)
{
	struct daemon *d = ctx;
	struct case_one *one = notice->about ? case_find(&d->cases.book, notice->about) : NULL;
	struct store_unit *unit;
	json_t *fields;

	if (!outcome->sent)
		log_warning("a notice was not taken", "to=%s attempts=%u error=%s",
			    log_text(notice->target), outcome->attempts, log_text(outcome->error));
	if (outcome->over) {
		d->cases.deaf = true; /* or that would be the next notice that can't be sent */
		daemon_event(d, "notice_failed", 0,
			     json_pack("{s:I, s:s, s:i, s:s}", "case", (json_int_t)notice->about,
				       "whom", notice->target, "attempts", (int)outcome->attempts,
				       "reason", outcome->error));
		d->cases.deaf = false;
	}
	if (!one || (!outcome->sent && !outcome->over))
		return;
	unit = store_begin(d->store);
	fields = json_pack("{s:s, s:b, s:i, s:s*}", "to", notice->target, "sent", outcome->sent,
			   "attempts", (int)outcome->attempts, "reason",
			   outcome->sent ? NULL : outcome->error);
	if (outcome->sent && notice->tenant && one->state == CASE_OPEN)
		told(d, unit, one, fields);
	else
		case_add(&d->cases.book, unit, one, "notice", "posternd", fields, daemon_time());
	finish(d, unit);
}

static int read_secret(struct daemon *d)
{
	const char *file = d->config->cases.webhook_secret;
	FILE *f = *file ? fopen(file, "re") : NULL;

	if (!*file)
		return 0;
	if (!f)
		return -errno;
	if (!fgets(d->cases.secret, sizeof(d->cases.secret), f))
		d->cases.secret[0] = '\0';
	fclose(f);
	d->cases.secret[strcspn(d->cases.secret, "\r\n")] = '\0';
	return d->cases.secret[0] ? 0 : -ENODATA;
}

void cases_open(struct daemon *d)
{
	const struct config_cases *c = &d->config->cases;
	const struct notice_config config = {
		.relay = c->relay,
		.from = c->from,
		.secret = d->cases.secret,
		.first = c->retry_first,
		.most = c->retry_most,
		.until = c->retry_until,
		.version = d->version,
	};
	int rc = case_book_open(&d->cases.book, d->store);

	if (rc) {
		log_error("cases can't be read", "error=%s", log_text(strerror(-rc)));
		case_book_close(&d->cases.book);
		return;
	}
	rc = read_secret(d);
	if (!rc)
		rc = notices_open(d->base, d->store, &config, on_attempt, d, &d->cases.notices);
	if (rc)
		log_error("notices can't be sent", "error=%s", log_text(strerror(-rc)));
}

void cases_close(struct daemon *d)
{
	notices_close(d->cases.notices);
	d->cases.notices = NULL;
	case_book_close(&d->cases.book);
}
