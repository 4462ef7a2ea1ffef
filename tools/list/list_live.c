/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern list` through posternd: a file is handed over as a descriptor. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/channel.h"
#include "tools/list/list.h"
#include "tools/live/live_client.h"
#include "tools/live/live_json.h"

static json_t *ask(struct live_client *client, const char *command, json_t *arguments)
{
	return live_ask(client, command, arguments) == 0 ? live_result(client) : NULL;
}

/* posternd says that it is ready, and then one byte brings the descriptor. */
static int hand_over(struct live_client *client, const char *path)
{
	json_t *ready;
	int fd, rc;

	if (list_open_file(path, &fd) != 0)
		return 1;
	ready = ask(client, "list file", NULL);
	rc = ready ? channel_packet_send(client->fd, "f", 1, fd, 0) : 1;
	if (ready && rc)
		fprintf(stderr, "postern: %s: %s\n", client->path, strerror(-rc));
	json_decref(ready);
	close(fd);
	return rc ? 1 : 0;
}

static json_t *entries_of(const struct list_call *c)
{
	json_t *entries = json_array();

	for (int i = 0; i < c->count; i++)
		json_array_append_new(entries, json_string(c->rest[i]));
	return entries;
}

static json_t *import_arguments(const struct list_call *c)
{
	return json_pack("{s:s*, s:b, s:s, s:s, s:s*, s:b, s:b, s:s*, s:b}", "tenant", c->tenant,
			 "global", c->global, "kind", c->kind, "file", c->rest[0], "column",
			 c->column, "skip_bad", c->skip_bad, "replace", c->replaces, "since",
			 c->since, "now", c->at_once);
}

static json_t *entry_arguments(const struct list_call *c)
{
	json_t *arguments = json_pack("{s:s*, s:b, s:s, s:o}", "tenant", c->tenant, "global",
				      c->global, "kind", c->kind, "entries", entries_of(c));

	if (strcmp(c->verb, "add") == 0)
		json_object_update_new(
			arguments, json_pack("{s:s*, s:b}", "since", c->since, "now", c->at_once));
	return arguments;
}

static json_t *run(struct live_client *client, const struct list_call *c)
{
	char command[32];

	snprintf(command, sizeof(command), "list %s", c->verb);
	if (strcmp(c->verb, "show") == 0)
		return ask(client, command,
			   json_pack("{s:s*, s:b}", "tenant", c->tenant, "global", c->global));
	if (strcmp(c->verb, "import") != 0)
		return ask(client, command, entry_arguments(c));
	if (hand_over(client, c->rest[0]) != 0)
		return NULL;
	if (isatty(STDERR_FILENO))
		fputs("posternd reads it …\n", stderr);
	return ask(client, command, import_arguments(c));
}

int list_live(const struct list_call *call, json_t **result)
{
	struct live_client client;
	int rc = live_open(&client, call->socket);

	if (rc)
		return rc;
	*result = run(&client, call);
	if (*result && strcmp(call->verb, "import") == 0)
		list_problems(*result);
	live_close(&client);
	return !*result;
}
