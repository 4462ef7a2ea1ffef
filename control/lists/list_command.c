/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands about lists. */
#include <string.h>
#include <unistd.h>

#include "control/config/value.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/daemon/tenant_change.h"
#include "control/lists/list_learn.h"
#include "control/lists/list_work.h"

#define SECOND UINT64_C(1000000000)

static bool flag(const struct request *r, const char *name)
{
	return json_is_true(json_object_get(r->arguments, name));
}

static bool is_ready(struct request *r, bool to_change)
{
	struct lists *l = &r->daemon->lists;

	l->store.now = daemon_time() / SECOND;
	if (*l->trouble) {
		request_error(r, "lists_failed", "%s", l->trouble);
		return false;
	}
	if (!to_change || !l->busy)
		return true;
	request_error(r, "busy",
		      "another change to the lists is under way; try again when it has "
		      "ended");
	return false;
}

/* Whose: the tenant's, or everybody's. */
static bool owner_of(struct request *r, struct list_target *target)
{
	uint32_t slot;

	if (flag(r, "global") == (request_text(r, "tenant") != NULL)) {
		request_error(r, "bad_argument",
			      "say whose list it is: either \"tenant\" or \"global\": true");
		return false;
	}
	if (flag(r, "global"))
		return true;
	slot = request_tenant(r);
	if (!slot)
		return false;
	target->owner = r->daemon->roster->tenant[slot].id;
	target->name = r->daemon->roster->tenant[slot].name;
	return true;
}

static bool target_of(struct request *r, struct list_target *target)
{
	const char *kind = request_text(r, "kind");

	*target = (struct list_target){.info = list_kind_find(kind)};
	if (!target->info) {
		request_error(r, "bad_argument", "there is no kind of list \"%.40s\": it is %s",
			      kind, list_kind_names());
		return false;
	}
	if (!owner_of(r, target))
		return false;
	if (target->owner ? target->info->tenant : target->info->global)
		return true;
	request_error(r, "bad_argument", "%s lists are %s", kind,
		      target->owner ? "the provider's, not a tenant's" : "a tenant's own");
	return false;
}

static bool from_of(struct request *r, const struct list_target *target, uint64_t *from)
{
	const char *text = request_text(r, "since");
	uint64_t now = r->daemon->lists.store.now, since = 0, ago;

	if (text && value_duration(text, &ago) == 0) {
		since = now - ago / SECOND;
	} else if (text && value_time(text, &since) != 0) {
		request_error(r, "bad_argument",
			      "\"since\" must be a time, \"2026-11-30T08:00:00Z\", or how long "
			      "ago, \"3d\", not \"%.40s\"",
			      text);
		return false;
	}
	*from = list_effective(target->info, now, since,
			       flag(r, "now") ? 0 : r->daemon->optout_grace / SECOND);
	return true;
}

/* Import */

enum command_outcome run_list_file(struct request *r, json_t **result)
{
	if (client_want_file(r->client) != 0)
		return request_error(r, "no_memory", "no memory");
	*result = json_pack("{s:b}", "ready", true);
	return COMMAND_DONE;
}

static enum command_outcome import(struct request *r, int file)
{
	struct list_import_job job = {
		.fd = file,
		.name = request_text(r, "file"),
		.column = request_text(r, "column"),
		.skip_bad = flag(r, "skip_bad"),
		.replaces = flag(r, "replace"),
	};

	if (!is_ready(r, true) || !target_of(r, &job.target) || !from_of(r, &job.target, &job.from))
		return COMMAND_FAILED;
	if (file < 0)
		return request_error(r, "bad_argument",
				     "no file came on this connection (\"list file\")");
	if (lists_child(r->daemon, &job) != 0)
		return request_error(r, "no_memory", "no memory");
	r->daemon->lists.request = r;
	return COMMAND_LATER;
}

enum command_outcome run_list_import(struct request *r, json_t **result)
{
	int file = client_file(r->client);
	enum command_outcome outcome = import(r, file);

	if (file >= 0)
		close(file); /* the child has its own */
	return outcome;
}

/* Single entries */

static enum command_outcome change(struct request *r, bool removes)
{
	char error[LIST_STORE_ERROR];
	struct list_target target;
	uint64_t from = 0;
	json_t *result;

	if (!is_ready(r, true) || !target_of(r, &target) ||
	    (!removes && !from_of(r, &target, &from)))
		return COMMAND_FAILED;
	/* What has just bounced is to be taken off as well. */
	if (removes && target.info->kind == LIST_SUPPRESSED && list_learn_write(r->daemon) != 0)
		return request_error(r, "busy",
				     "recipients that bounced are being written; try again");
	if (r->daemon->lists.busy)
		return request_error(r, "busy",
				     "recipients that bounced are being written; try again");
	result = list_work_patch(&r->daemon->lists.store, &target,
				 json_object_get(r->arguments, "entries"), removes, from, error);
	if (!result)
		return request_error(r, "bad_list", "%s", error);
	r->daemon->lists.request = r;
	lists_changed(r->daemon, result);
	return COMMAND_LATER;
}

enum command_outcome run_list_add(struct request *r, json_t **result)
{
	return change(r, false);
}

enum command_outcome run_list_remove(struct request *r, json_t **result)
{
	return change(r, true);
}

enum command_outcome run_list_check(struct request *r, json_t **result)
{
	char error[LIST_STORE_ERROR];
	struct list_target target;
	json_t *entries;

	if (!is_ready(r, false) || !target_of(r, &target))
		return COMMAND_FAILED;
	entries = list_work_check(&r->daemon->lists.store, &target,
				  json_object_get(r->arguments, "entries"), error);
	if (!entries)
		return request_error(r, "bad_list", "%s", error);
	*result = json_pack("{s:o}", "entries", entries);
	return COMMAND_DONE;
}

static const char *name_of(void *ctx, uint32_t id)
{
	const struct roster *roster = ctx;
	uint32_t slot = roster ? roster_slot_of(roster, id) : 0;

	return slot ? roster->tenant[slot].name : NULL;
}

enum command_outcome run_list_show(struct request *r, json_t **result)
{
	bool all = !flag(r, "global") && !request_text(r, "tenant");
	struct list_target target = {0};

	if (!is_ready(r, false) || (!all && !owner_of(r, &target)))
		return COMMAND_FAILED;
	*result = list_work_show(&r->daemon->lists.store, all ? UINT32_MAX : target.owner, name_of,
				 r->daemon->roster);
	return COMMAND_DONE;
}
