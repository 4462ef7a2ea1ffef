/* SPDX-License-Identifier: BSD-3-Clause */
/* Two configurations setting by setting; or one and what posternd has in force. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/config.h"
#include "control/config/settings_index.h"
#include "tools/live/live_client.h"
#include "tools/live/live_json.h"
#include "tools/policy/policy.h"

#define NAME_SIZE 256

/* One side, as an object by name: {"value", "from"}. */
static int side_of_file(const char *path, json_t *side)
{
	struct diag diag = {0};
	struct config *config = config_load(path, &diag);
	struct settings_index s = {0};
	int rc = config && !diag.errors ? settings_index_build(config, &s) : -EINVAL;

	if (diag.errors)
		diag_print(&diag, stderr);
	else if (rc)
		fprintf(stderr, "postern: %s: %s\n", path, strerror(-rc));
	for (size_t i = 0; !rc && i < s.count; i++) {
		const struct settings_row *row = &s.row[i];

		json_object_set_new(
			side, settings_text(&s, row->path),
			json_pack("[s, o]", settings_text(&s, row->value),
				  row->line ? json_sprintf("%s:%u", settings_text(&s, row->file),
							   row->line)
					    : json_string("default")));
	}
	settings_index_fini(&s);
	config_free(config);
	diag_fini(&diag);
	return rc ? 1 : 0;
}

static void take_settings(json_t *side, const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		json_object_set_new(
			side, json_string_value(json_array_get(item, 0)),
			json_pack("[O, O]", json_array_get(item, 1), json_array_get(item, 2)));
	}
}

/* As many answers as it takes. */
static int side_in_force(const char *socket, json_t *side)
{
	struct live_client client;
	json_int_t from = 0;
	int rc = live_open(&client, socket);

	if (rc)
		return rc;
	while (!rc && from >= 0) {
		json_t *result = NULL;

		rc = live_ask(&client, "policy settings", json_pack("{s:I}", "from", from));
		if (!rc)
			result = live_result(&client);
		rc = !result;
		take_settings(side, at(result, "settings"));
		take_settings(side, at(result, "commands"));
		from = at(result, "next") ? (json_int_t)count_at(result, "next") : -1;
		json_decref(result);
	}
	live_close(&client);
	return rc;
}

/* Differences */

static const char *value_of(const json_t *side, const char *path)
{
	return json_string_value(json_array_get(json_object_get(side, path), 0));
}

static const char *from_of(const json_t *side, const char *path)
{
	return json_string_value(json_array_get(json_object_get(side, path), 1));
}

/* "tenants.acme" and "tiers.bulk", where the other side has nothing of it; "" of anything else. */
static const char *owner_of(const char *path, char name[NAME_SIZE])
{
	const size_t head = strncmp(path, "tenants.", 8) == 0 ? 8
			    : strncmp(path, "tiers.", 6) == 0 ? 6
							      : 0;
	const char *end = head ? strchr(path + head, '.') : NULL;

	snprintf(name, NAME_SIZE, "%.*s", end ? (int)(end - path) : 0, path);
	return name;
}

/* Owners that a side has: {"tenants.acme": true}. */
static json_t *owners_of(const json_t *side)
{
	json_t *owners = json_object(), *value;
	char name[NAME_SIZE];
	const char *path;

	json_object_foreach((json_t *)(uintptr_t)side, path, value)
	{
		if (*owner_of(path, name) && !json_object_get(owners, name))
			json_object_set_new(owners, name, json_true());
	}
	return owners;
}

static void put(json_t *changes, const char *path, const json_t *before, const json_t *after)
{
	const char *from = from_of(after, path) ? from_of(after, path) : "";

	json_array_append_new(changes,
			      json_pack("{s:s, s:s?, s:s?, s:s, s:s}", "setting", path, "before",
					value_of(before, path), "after", value_of(after, path),
					"from", from, "was_from",
					from_of(before, path) ? from_of(before, path) : ""));
}

/* A tenant that is new or gone is one line. */
static void put_owners(json_t *changes, const json_t *here, const json_t *there, const char *what)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)here, name, value)
	{
		if (!json_object_get(there, name))
			json_array_append_new(changes, json_pack("{s:s}", what, name));
	}
}

static bool is_new_owner(const json_t *owners, const char *path)
{
	char name[NAME_SIZE];

	return *owner_of(path, name) && !json_object_get(owners, name);
}

static json_t *compare(const json_t *before, const json_t *after)
{
	json_t *changes = json_array(), *value;
	json_t *owners[] = {owners_of(before), owners_of(after)};
	const char *path;

	put_owners(changes, owners[0], owners[1], "removed");
	put_owners(changes, owners[1], owners[0], "added");
	json_object_foreach((json_t *)(uintptr_t)before, path, value)
	{
		if (is_new_owner(owners[1], path))
			continue;
		if (!value_of(after, path) || strcmp(value_of(after, path), value_of(before, path)))
			put(changes, path, before, after);
	}
	json_object_foreach((json_t *)(uintptr_t)after, path, value)
	{
		if (!value_of(before, path) && !is_new_owner(owners[0], path))
			put(changes, path, before, after);
	}
	json_decref(owners[0]);
	json_decref(owners[1]);
	return changes;
}

static void print_change(const json_t *c)
{
	const char *from = text_at(c, "from");

	if (at(c, "added") || at(c, "removed")) {
		printf("%s %s\n", at(c, "added") ? "+" : "-",
		       text_at(c, at(c, "added") ? "added" : "removed"));
		return;
	}
	printf("  %s: %s -> %s", text_at(c, "setting"),
	       json_is_string(at(c, "before")) ? text_at(c, "before") : "(none)",
	       json_is_string(at(c, "after")) ? text_at(c, "after") : "(none)");
	if (strcmp(text_at(c, "was_from"), "command") == 0)
		printf("  (in force by command, which stays)");
	else if (*from)
		printf("  (%s)", from);
	putchar('\n');
}

static int by_text(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;

	return strcmp(text_at(x, "setting"), text_at(y, "setting"));
}

/* Added and removed first, then settings by name. */
static json_t *sorted(json_t *changes)
{
	const size_t n = json_array_size(changes);
	json_t **list = calloc(n + 1, sizeof(json_t *)), *result = json_array();

	for (size_t i = 0; list && i < n; i++)
		list[i] = json_array_get(changes, i);
	if (list)
		qsort((void *)list, n, sizeof(json_t *), by_text);
	for (size_t i = 0; list && i < n; i++)
		json_array_append(result, list[i]);
	free((void *)list);
	json_decref(changes);
	return result;
}

static int print_all(json_t *changes, bool json)
{
	const size_t n = json_array_size(changes);
	json_t *object, *c;
	size_t i;

	if (json) {
		object = json_pack("{s:O}", "changes", changes);
		json_dumpf(object, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(object);
		return n ? 1 : 0;
	}
	json_array_foreach(changes, i, c)
	{
		print_change(c);
	}
	if (!n)
		puts("no difference");
	return n ? 1 : 0;
}

static int usage(FILE *out, int status)
{
	fprintf(out,
		"usage: postern policy diff [--json] [--socket PATH] CONFIG [CONFIG]\n"
		"  what one file would change of what is in force; of two: what the second has "
		"otherwise.\n"
		"  exit 1 where there is a difference\n");
	return status;
}

static int diff(const char *socket, char **files, int count, bool json)
{
	json_t *before = json_object(), *after = json_object(), *changes = NULL;
	int rc = count == 1 ? side_in_force(socket, before) : side_of_file(files[0], before);

	if (!rc)
		rc = side_of_file(files[count - 1], after);
	if (!rc) {
		changes = sorted(compare(before, after));
		rc = print_all(changes, json);
	}
	json_decref(changes);
	json_decref(before);
	json_decref(after);
	return rc;
}

int policy_diff_main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"socket", required_argument, NULL, 's'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	const char *socket = live_socket();
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, 0);
		if (option == '?')
			return usage(stderr, 2);
		if (option == 's')
			socket = optarg;
		json |= option == 'j';
	}
	if (argc - optind < 1 || argc - optind > 2)
		return usage(stderr, 2);
	return diff(socket, argv + optind, argc - optind, json);
}
