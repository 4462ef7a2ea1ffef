/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_running.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/config/config.h"
#include "tools/live/live_client.h"
#include "tools/live/live_json.h"

static json_t *ask(struct live_client *client, const char *command)
{
	return live_ask(client, command, json_object()) ? NULL : live_result(client);
}

/* Where posternd keeps what it remembers; the caller's. */
static char *state_dir(const char *path)
{
	struct diag diag = {0};
	struct config *config = config_load(path, &diag);
	char *dir = NULL;

	if (config && !diag.errors && asprintf(&dir, "%s/rules", config->gate.state_dir) < 0)
		dir = NULL;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	config_free(config);
	return dir;
}

static int read_pushed(struct rules_running *running, const char *digest)
{
	char *dir = state_dir(running->config);
	int rc = dir ? rules_text_read(&running->text, dir, digest) : -EINVAL;

	if (rc)
		fprintf(stderr, "postern: the pushed rules in %s: %s\n",
			dir ? dir : "posternd's folder", strerror(-rc));
	free(dir);
	return rc ? 1 : 0;
}

static int take(struct rules_running *running, struct live_client *client)
{
	json_t *status = ask(client, "status"), *history = NULL;
	int rc = 1;

	if (status)
		history = ask(client, "rules history");
	if (history)
		running->states = ask(client, "rules list");
	if (running->states && *text_at(status, "configuration.path")) {
		running->config = strdup(text_at(status, "configuration.path"));
		running->pushed = strcmp(text_at(history, "source"), "pushed") == 0;
		rc = running->config ? 0 : 1;
	}
	if (!rc && running->pushed)
		rc = read_pushed(running,
				 text_at(json_array_get(at(history, "history"), 0), "text"));
	json_decref(status);
	json_decref(history);
	return rc;
}

int rules_running_ask(struct rules_running *running, const char *socket)
{
	struct live_client client;
	int rc;

	*running = (struct rules_running){0};
	rc = live_open(&client, socket ? socket : live_socket());
	if (rc)
		return rc;
	rc = take(running, &client);
	live_close(&client);
	return rc;
}

void rules_running_fini(struct rules_running *running)
{
	free(running->config);
	rules_text_fini(&running->text);
	json_decref(running->states);
	*running = (struct rules_running){0};
}

void rules_running_apply(const struct rules_running *running, struct rule_list *list, size_t first)
{
	json_t *states = at(running->states, "rules"), *row;
	size_t i, kept = first, n = 0;

	/* Both are by sid, if not at the same place: of 10,000 rules most are. */
	for (i = first; i < list->count; i++) {
		struct rule *rule = &list->rules[i];
		const char *state = "";

		for (size_t looked = 0; looked < json_array_size(states); looked++) {
			row = json_array_get(states, n);
			n = n + 1 < json_array_size(states) ? n + 1 : 0;
			if (count_at(row, "sid") == rule->sid) {
				state = text_at(row, "state");
				break;
			}
		}
		if (strcmp(state, "disabled") == 0)
			continue;
		if (*state)
			rule->shadow = strcmp(state, "shadow") == 0;
		list->rules[kept++] = *rule;
	}
	list->count = kept;
}

static int read_data(void *ctx, const char *path, char **textp, size_t *sizep)
{
	const struct rules_file *file = rules_text_data(ctx, path);

	if (!file)
		return -ENOENT;
	*textp = malloc(file->len + 1);
	if (!*textp)
		return -ENOMEM;
	memcpy(*textp, file->text, file->len);
	*sizep = file->len;
	return 0;
}

void rules_running_parse(struct rules_running *running, struct rule_list *list,
			 struct rule_diags *diags)
{
	const struct rule_files *before = list->files;

	running->files = (struct rule_files){read_data, &running->text};
	list->files = &running->files;
	rules_text_parse(&running->text, list, diags);
	list->files = before;
}
