/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/case_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/events/gate_event.h"

#define SECOND UINT64_C(1000000000)
#define HOUR   (3600 * SECOND)

/* "2026-11-26 03:40:00 UTC" */
static const char *time_text(uint64_t ns, char text[40])
{
	const time_t seconds = (time_t)(ns / SECOND);
	struct tm tm;

	strftime(text, 40, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &tm));
	return text;
}

/* A subject is one line of ASCII, whatever a tenant is called. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void put_value(FILE *out, const char *name, const json_t *value)
{
	char *text = json_is_string(value) ? NULL
					   : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	fprintf(out, "  %-14s %s\n", name, text ? text : json_string_value(value));
	free(text);
}

/* What is of use to read: a member a line, those of an object one by one. */
static void put_fields(FILE *out, const json_t *fields)
{
	const char *name, *inner;
	json_t *value, *part;

	json_object_foreach((json_t *)(uintptr_t)fields, name, value)
	{
		if (!json_is_object(value)) {
			put_value(out, name, value);
			continue;
		}
		fprintf(out, "  %s\n", name);
		json_object_foreach(value, inner, part)
		{
			fputs("  ", out);
			put_value(out, inner, part);
		}
	}
}

static void put_request(FILE *out, const struct case_one *one, uint64_t answer)
{
	char text[40];

	if (one->state == CASE_OVERDUE) {
		fprintf(out, "An answer was due at %s, and there was none.\n",
			time_text(one->due, text));
		return;
	}
	fputs("Please answer this mail within ", out);
	if (answer >= HOUR)
		fprintf(out, "%llu hours", (unsigned long long)(answer / HOUR));
	else
		fprintf(out, "%llu seconds", (unsigned long long)(answer / SECOND));
	fputs(" of its arrival: what happened, and\nwhat you have done about it.\n", out);
}

int case_words(struct case_words *w, const struct case_one *one, const char *tenant,
	       const char *event, const json_t *fields, uint64_t answer)
{
	const char *who = tenant ? tenant : "no tenant";
	char text[40];
	size_t size;
	FILE *out;

	snprintf(w->subject, sizeof(w->subject), "[postern] case %llu: %.80s: %s",
		 (unsigned long long)one->id, who, case_state_name(one->state));
	make_plain(w->subject);
	out = open_memstream(&w->text, &size);
	if (!out)
		return -ENOMEM;
	fprintf(out, "Case %llu about %s was opened at %s. What was seen:\n\n",
		(unsigned long long)one->id, who, time_text(one->opened, text));
	put_fields(out, fields);
	fputc('\n', out);
	if (answer)
		put_request(out, one, answer);
	else
		fprintf(out, "All of it: postern case show %llu\n", (unsigned long long)one->id);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

int alarm_words(struct case_words *w, const char *event, const char *tenant, const json_t *fields)
{
	size_t size;
	FILE *out;

	snprintf(w->subject, sizeof(w->subject), "[postern] alarm: %s%s%.80s", event,
		 tenant ? ": " : "", tenant ? tenant : "");
	make_plain(w->subject);
	out = open_memstream(&w->text, &size);
	if (!out)
		return -ENOMEM;
	fprintf(out, "%s.\n\n", gate_event_text(event));
	put_fields(out, fields);
	return fclose(out) == 0 ? 0 : -ENOMEM;
}

void case_words_free(struct case_words *w)
{
	free(w->text);
	w->text = NULL;
}

json_t *case_words_json(const struct case_one *one, const char *tenant, const char *event,
			const json_t *fields)
{
	return json_pack("{s:s, s:s*, s:{s:I, s:s, s:f, s:o}, s:O*}", "event", event, "tenant",
			 tenant, "case", "id", (json_int_t)one->id, "state",
			 case_state_name(one->state), "opened", (double)one->opened / 1e9, "due",
			 one->due ? json_real((double)one->due / 1e9) : json_null(), "fields",
			 fields);
}

json_t *alarm_words_json(const char *event, const char *tenant, const json_t *fields, uint64_t now)
{
	return json_pack("{s:s, s:b, s:f, s:s, s:s*, s:O*}", "event", event, "alarm", true, "time",
			 (double)now / 1e9, "text", gate_event_text(event), "tenant", tenant,
			 "fields", fields);
}
