/* SPDX-License-Identifier: BSD-3-Clause */
/* Evidence in posternd: what comes in, and who asks for it. */
#include "control/base/json_text.h"
#include "control/cases/evidence.h"
#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"

#define LIST_MOST 1000

void evidence_record(struct daemon *d, const struct event_head *head)
{
	if (head->type == EVENT_EVIDENCE && head->tenant < d->roster->count)
		evidence_take(&d->evidence, d->store, &d->person,
			      d->roster->tenant[head->tenant].id, head);
}

static const char *name_of(const struct daemon *d, uint32_t id)
{
	const uint32_t slot = d->roster ? roster_slot_of(d->roster, id) : 0;

	return slot ? d->roster->tenant[slot].name : NULL;
}

#define COLUMNS                                                                              \
	"SELECT id, tenant, time, flow, reason, sid, reply, mail_from, source, destination," \
	" generation, cut"

static json_t *row_json(const struct daemon *d, struct store_rows *rows)
{
	static const char *const texts[] = {"reason", NULL,     "reply",
					    "from",   "source", "destination"};
	json_t *row = json_pack(
		"{s:I, s:s*, s:f, s:s, s:I, s:I, s:b}", "id", (json_int_t)store_column_int(rows, 0),
		"tenant", name_of(d, (uint32_t)store_column_int(rows, 1)), "time",
		(double)store_column_int(rows, 2) / 1e9, "flow_id", store_column_text(rows, 3),
		"signature_id", (json_int_t)store_column_int(rows, 5), "generation",
		(json_int_t)store_column_int(rows, 10), "cut", (int)store_column_int(rows, 11));

	for (int i = 0; i < 6; i++)
		if (texts[i])
			json_object_set_new(row, texts[i],
					    json_string(store_column_text(rows, 4 + i)));
	return row;
}

enum command_outcome run_evidence_list(struct request *r, json_t **result)
{
	struct daemon *d = r->daemon;
	struct store_rows *rows;
	uint32_t slot;
	json_t *list;

	if (!request_tenant_option(r, &slot))
		return COMMAND_FAILED;
	rows = store_query(d->store,
			   COLUMNS " FROM evidence_one WHERE (?1 = 0 OR tenant = ?2)"
				   " ORDER BY id DESC LIMIT ?3",
			   STORE_INT(slot != 0), STORE_INT(slot ? d->roster->tenant[slot].id : 0),
			   STORE_INT(LIST_MOST));
	list = json_array();
	while (store_next(rows))
		json_array_append_new(list, row_json(d, rows));
	store_end(rows);
	*result = json_pack("{s:o}", "evidence", list);
	return COMMAND_DONE;
}

/* Octets that are not ASCII are '?': JSON has no others, and RFC 5322 neither. */
static json_t *header_json(struct store_rows *rows)
{
	size_t len;
	const char *header = store_column_blob(rows, 12, &len);
	char *text = malloc(len + 1);
	json_t *json;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i++)
		text[i] = (header[i] >= ' ' && header[i] <= '~') || header[i] == '\t' ||
					  header[i] == '\r' || header[i] == '\n'
				  ? header[i]
				  : '?';
	text[len] = '\0';
	json = json_string(text);
	free(text);
	return json;
}

/* What the rule kept of a body; nothing: it keeps none. */
static void add_body(json_t *one, struct store_rows *rows)
{
	size_t len;
	const void *body = store_column_blob(rows, 13, &len);

	if (len)
		json_object_set_new(one, "body",
				    json_pack("{s:s, s:I, s:o}", "buffer",
					      store_column_text(rows, 14), "at",
					      (json_int_t)store_column_int(rows, 15), "text",
					      json_text(body, len)));
}

enum command_outcome run_evidence_show(struct request *r, json_t **result)
{
	const json_int_t id = json_integer_value(json_object_get(r->arguments, "id"));
	struct store_rows *rows =
		store_query(r->daemon->store,
			    COLUMNS ", header, body, buffer, at FROM evidence_one WHERE id = ?1",
			    STORE_INT(id));
	json_t *one = store_next(rows) ? row_json(r->daemon, rows) : NULL;

	if (one) {
		json_object_set_new(one, "header", header_json(rows));
		add_body(one, rows);
	}
	store_end(rows);
	if (!one)
		return request_error(r, "no_such_evidence", "there is no evidence %lld",
				     (long long)id);
	*result = one;
	return COMMAND_DONE;
}
