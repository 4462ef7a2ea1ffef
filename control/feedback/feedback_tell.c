/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of reports, for people: an event, and a row in the store. Never a recipient. */
#include <string.h>

#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"
#include "control/feedback/feedback_run.h"

static const char *const schema[] = {
	"CREATE TABLE feedback_report(id INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
	" source TEXT NOT NULL, kind TEXT NOT NULL, result TEXT NOT NULL, matched_by TEXT NOT NULL,"
	" tenant INTEGER NOT NULL, message_id TEXT NOT NULL, address TEXT NOT NULL,"
	" reporter TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL, text TEXT NOT NULL,"
	" arrived TEXT NOT NULL);"
	"CREATE INDEX feedback_report_tenant ON feedback_report(tenant, id);",
	NULL,
};

static const char *const words[] = {
	STORE_WORDS("feedback_report", "text"),
	STORE_WORDS("feedback_report", "reporter"),
	STORE_WORDS("feedback_report", "message_id"),
	NULL,
};

const struct store_part feedback_part = {
	.name = "feedback",
	.schema = schema,
	.retention = "reports",
	.expire = "DELETE FROM feedback_report WHERE id IN (SELECT id FROM feedback_report WHERE "
		  "time < ?1 LIMIT ?2)",
	.words = words,
};

static void keep(struct store_unit *unit, uint32_t tenant, const struct feedback_item *item,
		 const struct feedback_match *match)
{
	char said[FEEDBACK_TEXT] = "";

	/* A recipient may be in what a server says: nothing is kept of people. */
	if (match->counts.listings)
		feedback_without_addresses(item->text, said, sizeof(said));
	store_add(unit,
		  "INSERT INTO feedback_report(time, source, kind, result, matched_by, tenant, "
		  "message_id,"
		  " address, reporter, type, status, text, arrived)"
		  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
		  STORE_INT(daemon_time()), STORE_TEXT(feedback_source_name(item->source)),
		  STORE_TEXT(feedback_kind_name(item->kind)),
		  STORE_TEXT(feedback_result_name(match->result)),
		  STORE_TEXT(feedback_by_name(match->by)), STORE_INT(tenant),
		  STORE_TEXT(item->message_id), STORE_TEXT(item->address),
		  STORE_TEXT(item->source == FEEDBACK_FORWARD ? "" : item->reporter),
		  STORE_TEXT(item->type), STORE_TEXT(item->status), STORE_TEXT(said),
		  STORE_TEXT(item->arrived));
	store_add(unit,
		  "DELETE FROM feedback_report"
		  " WHERE id <= (SELECT max(id) FROM feedback_report) - ?1",
		  STORE_INT(FEEDBACK_KEPT));
}

void feedback_tell(struct daemon *d, struct store_unit *unit, uint32_t slot,
		   const struct feedback_item *item, const struct feedback_match *match)
{
	keep(unit, match->tenant, item, match);
	daemon_event(d, "feedback", slot,
		     json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "source",
			       feedback_source_name(item->source), "kind",
			       feedback_kind_name(item->kind), "result",
			       feedback_result_name(match->result), "matched_by",
			       feedback_by_name(match->by), "message_id", item->message_id,
			       "address", item->address));
}

/* postern feedback list */

#define LIST_MOST 1000

static const char *name_of(const struct daemon *d, uint32_t tenant)
{
	const uint32_t slot = d->roster && tenant ? roster_slot_of(d->roster, tenant) : 0;

	return slot ? d->roster->tenant[slot].name : NULL;
}

static json_t *row_json(const struct daemon *d, struct store_rows *rows)
{
	static const char *const columns[] = {"source",     "kind",    "result",   "matched_by",
					      "message_id", "address", "reporter", "type",
					      "status",     "text",    "arrived"};
	json_t *row = json_pack("{s:I, s:f, s:s*}", "id", (json_int_t)store_column_int(rows, 0),
				"time", (double)store_column_int(rows, 1) / 1e9, "tenant",
				name_of(d, (uint32_t)store_column_int(rows, 2)));

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		const char *text = store_column_text(rows, 3 + (int)i);

		if (*text)
			json_object_set_new(row, columns[i], json_string(text));
	}
	return row;
}

enum command_outcome run_feedback_list(struct request *r, json_t **result)
{
	static const char all[] = "SELECT id, time, tenant, source, kind, result, matched_by, "
				  "message_id, address, reporter,"
				  " type, status, text, arrived FROM feedback_report"
				  " WHERE (?1 = 0 OR tenant = ?2) AND (?3 = '' OR result = ?3)"
				  " ORDER BY id DESC LIMIT ?4";
	const char *state = request_text(r, "result");
	const json_int_t most = json_integer_value(json_object_get(r->arguments, "most"));
	struct daemon *d = r->daemon;
	struct store_rows *rows;
	uint32_t slot;
	json_t *list;

	if (!request_tenant_option(r, &slot))
		return COMMAND_FAILED;
	rows = store_query(d->store, all, STORE_INT(slot != 0),
			   STORE_INT(slot ? d->roster->tenant[slot].id : 0),
			   STORE_TEXT(state ? state : ""),
			   STORE_INT(most > 0 && most < LIST_MOST ? most : LIST_MOST));
	list = json_array();
	while (store_next(rows))
		json_array_append_new(list, row_json(d, rows));
	store_end(rows);
	*result = json_pack("{s:o}", "reports", list);
	return COMMAND_DONE;
}
