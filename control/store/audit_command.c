/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about the audit log. */
#include "control/store/audit_command.h"

#include "control/config/value.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"

#define SECOND UINT64_C(1000000000)
#define PAGE   500 /* entries of one answer: about 200 KiB */

/* "2026-11-30T08:00:00Z", or how long ago, as ns since 1970. */
static bool time_of(struct request *r, const char *name, uint64_t otherwise, uint64_t *ns)
{
	const char *text = request_text(r, name);
	uint64_t seconds;

	*ns = otherwise;
	if (!text)
		return true;
	if (value_duration(text, ns) == 0) {
		*ns = daemon_time() > *ns ? daemon_time() - *ns : 0;
		return true;
	}
	if (value_time(text, &seconds) == 0) {
		*ns = seconds * SECOND;
		return true;
	}
	request_error(
		r, "bad_argument",
		"\"%s\" must be a time, \"2026-11-30T08:00:00Z\", or how long ago, \"3d\", not "
		"\"%.40s\"",
		name, text);
	return false;
}

static uint64_t after_of(const struct request *r)
{
	return (uint64_t)json_integer_value(json_object_get(r->arguments, "after"));
}

static json_t *head_json(const struct daemon *d)
{
	const struct audit_head head = audit_head(d->audit);
	char hash[AUDIT_HEX];

	return json_pack("{s:I, s:s, s:b}", "seq", (json_int_t)head.seq, "hash",
			 audit_hex(head.hash, hash), "good", head.good);
}

/* The head first: what is appended meanwhile lies behind it. */
static enum command_outcome answer(struct request *r, json_t *head, json_t *entries,
				   json_t **result)
{
	if (!entries) {
		json_decref(head);
		return request_error(r, "not_readable", "the audit log can't be read: %s",
				     store_stats(r->daemon->store).error);
	}
	*result = json_pack("{s:o, s:o}", "head", head, "entries", entries);
	return COMMAND_DONE;
}

enum command_outcome run_audit_entries(struct request *r, json_t **result)
{
	json_t *head = head_json(r->daemon);

	return answer(r, head, audit_entries(r->daemon->audit, after_of(r), PAGE, 0, 0, UINT64_MAX),
		      result);
}

enum command_outcome run_audit_export(struct request *r, json_t **result)
{
	uint64_t from, to;
	uint32_t slot, id = 0;

	if (!request_tenant_option(r, &slot))
		return COMMAND_FAILED;
	if (slot)
		id = r->daemon->roster->tenant[slot].id;
	r->quiet = after_of(r) > 0; /* more of what has its entry */
	if (!time_of(r, "from", 0, &from) || !time_of(r, "to", UINT64_MAX, &to))
		return COMMAND_FAILED;
	return answer(r, head_json(r->daemon),
		      audit_entries(r->daemon->audit, after_of(r), PAGE, id, from, to), result);
}
