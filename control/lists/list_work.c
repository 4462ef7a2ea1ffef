/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000

static double clock_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / SECOND;
}

uint64_t list_effective(const struct list_kind_info *info, uint64_t now, uint64_t since,
			uint64_t grace)
{
	uint64_t from = list_hour((since ? since : now) + (info->grace ? grace : 0));

	return (info->grace && grace) || since > now ? (from > now ? from : 0) : 0;
}

static json_t *target_json(const struct list_target *target)
{
	return json_pack("{s:s?, s:s}", "tenant", target->name, "kind", target->info->name);
}

/* Import */

static json_t *problems_json(const struct diag *diag)
{
	json_t *problems = json_array();

	for (size_t i = 0; i < diag->count && i < LIST_PROBLEMS; i++) {
		const struct diag_item *item = &diag->items[i];
		json_t *problem = json_pack("{s:s*, s:s, s:s}", "file", item->file, "severity",
					    "error", "message", item->text);

		if (item->line)
			json_object_set_new(problem, "line", json_integer((json_int_t)item->line));
		json_array_append_new(problems, problem);
	}
	return problems;
}

/* NULL: it may go on. */
static const char *refusal(const struct list_import *m, int rc, bool skip_bad, char *text,
			   size_t size)
{
	if (rc == -ENOMEM)
		return "not enough memory (gate.compile_memory)";
	if (rc)
		return "the file can't be read: nothing has changed";
	if (m->bad && !skip_bad) {
		snprintf(text, size,
			 "%llu of %llu lines are bad: nothing has changed (--skip-bad "
			 "leaves them out)",
			 (unsigned long long)m->bad, (unsigned long long)m->lines);
		return text;
	}
	return NULL;
}

static int merge(struct list_store *store, const struct list_import_job *job, struct list_import *m,
		 struct list_outcome *outcome)
{
	struct list_change change = {
		.list = {job->target.owner, job->target.info->kind},
		.hashes = m->hashes,
		.from = job->from,
		.replaces = job->replaces,
	};
	int rc = list_store_merge(store, &change, outcome);

	m->hashes = change.hashes;
	return rc;
}

static json_t *report(const struct list_import_job *job, const struct list_import *m,
		      const struct diag *diag, uint64_t read, double began)
{
	json_t *r = target_json(&job->target);

	if (!r ||
	    json_object_update_new(r, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:o}", "file",
						job->name, "lines", (json_int_t)m->lines, "read",
						(json_int_t)read, "bad", (json_int_t)m->bad, "from",
						(json_int_t)job->from, "bytes",
						(json_int_t)m->bytes, "took_s", clock_s() - began,
						"problems", problems_json(diag))) != 0) {
		json_decref(r);
		return NULL;
	}
	return r;
}

json_t *list_work_import(struct list_store *store, const struct list_import_job *job)
{
	struct diag diag = {0};
	struct list_import m = {
		.info = job->target.info,
		.key = store->sets.key,
		.owner = job->target.owner,
		.name = job->name,
		.column = job->column,
		.diag = &diag,
		.progress = job->progress,
		.ctx = job->ctx,
	};
	struct list_outcome outcome = {0};
	double began = clock_s();
	char text[128];
	int rc = list_import_file(&m, job->fd);
	const char *why = refusal(&m, rc, job->skip_bad, text, sizeof(text));
	uint64_t read = m.hashes.count;
	json_t *r;

	if (!why)
		rc = merge(store, job, &m, &outcome);
	if (!why && rc) {
		snprintf(text, sizeof(text), "the lists can't be written: %s", strerror(-rc));
		why = text;
	}
	r = report(job, &m, &diag, read, began);
	if (r && why)
		json_object_update_new(r, json_pack("{s:b, s:s}", "ok", false, "message", why));
	else if (r)
		json_object_update_new(r, json_pack("{s:b, s:I, s:I}", "ok", true, "new",
						    (json_int_t)outcome.changed, "entries",
						    (json_int_t)outcome.entries));
	list_import_fini(&m);
	diag_fini(&diag);
	return r;
}

/* Single entries */

/* 0 with words: it is none. */
static uint64_t entry_hash(const struct list_store *store, const struct list_target *target,
			   const json_t *entry, char error[LIST_STORE_ERROR])
{
	const char *text = json_string_value(entry);
	uint64_t hash =
		list_kind_hash(target->info, store->sets.key, target->owner, text, strlen(text));

	if (!hash)
		snprintf(error, LIST_STORE_ERROR, "expected %s, not \"%.60s\"", target->info->entry,
			 text);
	return hash;
}

static bool hashes_of(const struct list_store *store, const struct list_target *target,
		      const json_t *entries, struct hash_list *hashes, char error[LIST_STORE_ERROR])
{
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		uint64_t hash = entry_hash(store, target, entry, error);

		if (!hash)
			return false;
		if (hash_list_add(hashes, hash) == 0)
			continue;
		snprintf(error, LIST_STORE_ERROR, "no memory");
		return false;
	}
	return true;
}

json_t *list_work_patch(struct list_store *store, const struct list_target *target,
			const json_t *entries, bool removes, uint64_t from,
			char error[LIST_STORE_ERROR])
{
	struct list_change change = {
		.list = {target->owner, target->info->kind},
		.from = from,
		.removes = removes,
	};
	struct list_outcome outcome = {0};
	json_t *result = NULL;
	int rc = -EINVAL;

	if (hashes_of(store, target, entries, &change.hashes, error)) {
		rc = list_store_patch(store, &change, &outcome);
		if (rc == -ENOSPC)
			rc = list_store_merge(store, &change, &outcome);
		if (rc)
			snprintf(error, LIST_STORE_ERROR, "the lists can't be written: %s",
				 strerror(-rc));
	}
	hash_list_fini(&change.hashes);
	if (!rc) {
		result = target_json(target);
		json_object_update_new(result, json_pack("{s:I, s:I, s:I}", "changed",
							 (json_int_t)outcome.changed, "entries",
							 (json_int_t)outcome.entries, "from",
							 (json_int_t)(removes ? 0 : from)));
	}
	return result;
}

json_t *list_work_check(const struct list_store *store, const struct list_target *target,
			const json_t *entries, char error[LIST_STORE_ERROR])
{
	static const char *const words[] = {
		[LIST_ABSENT] = "absent",
		[LIST_PENDING] = "pending",
		[LIST_LISTED] = "listed",
	};
	json_t *list = json_array(), *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		uint64_t from = 0, hash = entry_hash(store, target, entry, error);
		enum list_standing standing;

		if (!hash) {
			json_decref(list);
			return NULL;
		}
		standing = list_sets_find(&store->sets, target->owner, target->info->kind, hash,
					  &from);
		json_array_append_new(list, json_pack("{s:O, s:s, s:I}", "entry", entry, "standing",
						      words[standing], "from", (json_int_t)from));
	}
	return list;
}

/* Show */

static json_t *file_json(const struct list_file *file, const struct list_set *set)
{
	return set->head
		       ? json_pack("{s:I, s:I, s:I, s:I}", "generation",
				   (json_int_t)set->head->generation, "entries",
				   (json_int_t)set->head->entries, "bytes", (json_int_t)file->size,
				   "created", (json_int_t)set->head->created)
		       : json_null();
}

struct tally {
	uint64_t pending, bytes, added;
};

static void tally_add(struct tally *t, const struct list_set *set, struct list_name list,
		      uint64_t now)
{
	uint32_t count;
	const struct list_segment *s = list_set_segments(set, list.owner, list.kind, &count);

	for (uint32_t i = 0; i < count; i++) {
		t->pending += !s[i].removes && s[i].from > now ? s[i].count : 0;
		t->bytes += s[i].length * sizeof(uint64_t);
		t->added = s[i].added > t->added ? s[i].added : t->added;
	}
}

static json_t *list_json(const struct list_store *store, struct list_name list, const char *name)
{
	const struct list_kind_info *info = list_kind_of(list.kind);
	struct tally t = {0};

	tally_add(&t, &store->sets.base, list, store->now);
	if (list_sets_fit(&store->sets))
		tally_add(&t, &store->sets.delta, list, store->now);
	return json_pack("{s:s?, s:I, s:s, s:I, s:I, s:I, s:I}", "tenant", name, "id",
			 (json_int_t)list.owner, "kind", info ? info->name : "unknown", "entries",
			 (json_int_t)list_count(&store->sets, list), "pending",
			 (json_int_t)t.pending, "bytes", (json_int_t)t.bytes, "added",
			 (json_int_t)t.added);
}

json_t *list_work_show(const struct list_store *store, uint32_t owner,
		       const char *(*name)(void *ctx, uint32_t id), void *ctx)
{
	json_t *lists = json_array();
	struct list_name *names;
	size_t count = 0;

	names = list_names(&store->sets, &count);
	for (size_t i = 0; names && i < count; i++)
		if (owner == UINT32_MAX || owner == names[i].owner)
			json_array_append_new(
				lists,
				list_json(store, names[i],
					  names[i].owner ? name(ctx, names[i].owner) : NULL));
	free(names);
	return json_pack("{s:o, s:o, s:o}", "lists", lists, "base",
			 file_json(&store->base, &store->sets.base), "delta",
			 list_sets_fit(&store->sets) ? file_json(&store->delta, &store->sets.delta)
						     : json_null());
}
