/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/base/suggest.h"
#include "control/daemon/daemon.h"
#include "control/store/audit_note.h"

#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

#define NO_MEMORY "{\"ok\":false,\"error\":{\"code\":\"no_memory\",\"message\":\"no memory\"}}\n"

const char *argument_type_name(enum argument_type type)
{
	static const char *const names[] = {
		[ARGUMENT_TEXT] = "string",   [ARGUMENT_TEXTS] = "array of strings",
		[ARGUMENT_COUNT] = "number",  [ARGUMENT_FLAG] = "boolean",
		[ARGUMENT_VALUES] = "object", [ARGUMENT_OBJECTS] = "array of objects",
	};

	return names[type];
}

const char *privilege_name(enum privilege privilege)
{
	static const char *const names[] = {
		[PRIVILEGE_NONE] = "none",
		[PRIVILEGE_READ] = "read",
		[PRIVILEGE_CHANGE] = "change",
	};

	return names[privilege];
}

/* Answers */

enum command_outcome request_error(struct request *r, const char *code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_decref(r->error);
	/* What was quoted in it may have been cut in the middle of a character. */
	r->error = json_pack("{s:s, s:s}", "code", code, "message", text);
	if (!r->error)
		r->error = json_pack("{s:s, s:s}", "code", code, "message",
				     "the request's own words can't be repeated");
	return COMMAND_FAILED;
}

void request_error_detail(struct request *r, const char *name, json_t *value)
{
	if (json_object_set_new(r->error, name, value) != 0)
		log_warning("no memory for an answer", "member=%s", name);
}

/* The answer's object; takes `result` over. */
static json_t *answer_of(struct request *r, json_t *result)
{
	json_t *answer = r->id ? json_pack("{s:O}", "id", r->id) : json_object();
	int failed = !answer || (!result && !r->error);

	if (!failed)
		failed = json_object_set_new(answer, "ok", json_boolean(!r->error));
	if (!failed && r->error)
		failed = json_object_set(answer, "error", r->error);
	else if (!failed)
		failed = json_object_set(answer, "result", result);
	json_decref(result);
	if (!failed)
		return answer;
	json_decref(answer);
	return NULL;
}

static void answer(struct request *r, json_t *result)
{
	json_t *object = answer_of(r, result);
	char *text = object ? json_dumps(object, DUMP_FLAGS) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(object);
	if (r->client && text) {
		text[len] = '\n'; /* instead of its NUL */
		client_reply(r->client, text, len + 1);
	} else if (r->client) {
		client_reply(r->client, NO_MEMORY, strlen(NO_MEMORY));
	}
	free(text);
}

static void request_free(struct request *r)
{
	if (r->client)
		*client_data(r->client) = NULL;
	json_decref(r->root);
	json_decref(r->error);
	json_decref(r->before);
	json_decref(r->after);
	if (r->unit)
		store_abandon(r->unit);
	free(r);
}

/* What was changed, and who changed it */

struct store_unit *request_unit(struct request *r)
{
	if (!r->unit)
		r->unit = store_begin(r->daemon->store);
	return r->unit;
}

static void say_stored(struct request *r, int rc)
{
	const json_t *said = json_object_get(r->result, "stored");

	if (!rc && json_is_false(said))
		return; /* the command has its own reasons */
	json_object_set_new(r->result, "stored", json_boolean(rc == 0));
	if (rc)
		json_object_set_new(r->result, "warning",
				    json_sprintf("it holds, and is lost when posternd ends: the "
						 "state can't be stored: %s",
						 strerror(-rc)));
}

static void on_stored(void *ctx, const struct store_result *stored)
{
	struct request *r = ctx;
	json_t *result = r->result;

	if (stored->rc)
		state_unstored(r->daemon->state);
	say_stored(r, stored->rc);
	r->result = NULL;
	answer(r, result);
	request_free(r);
}

static void store_and_answer(struct request *r, json_t *result)
{
	struct store_unit *unit = request_unit(r);
	struct store_result stored;

	r->unit = NULL;
	r->result = result;
	audit_request(r, unit);
	store_keep(unit);
	stored.rc = store_commit(r->daemon->store, unit, on_stored, r);
	if (stored.rc)
		on_stored(r, &stored);
}

void request_finish(struct request *r, json_t *result)
{
	if (result && !r->error && r->command->privilege == PRIVILEGE_CHANGE &&
	    !r->command->quiet && !r->quiet) {
		store_and_answer(r, result);
		return;
	}
	answer(r, result);
	request_free(r);
}

void request_follow(struct request *r, json_t *result)
{
	answer(r, result);
}

/* Requests */

static const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static enum command_outcome unknown_command(struct request *r, const char *name)
{
	const char *nearest = NULL;
	unsigned least = suggest_limit(name) + 1;

	for (const struct command *c = commands; c->name; c++) {
		unsigned distance = suggest_distance(name, c->name);

		if (distance < least) {
			least = distance;
			nearest = c->name;
		}
	}
	if (nearest)
		return request_error(r, "no_such_command",
				     "there is no command \"%.60s\"; did you mean \"%s\"?", name,
				     nearest);
	return request_error(r, "no_such_command",
			     "there is no command \"%.60s\"; \"help\" lists them", name);
}

static bool is_values(const json_t *value)
{
	const char *name;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)value, name, item)
	{
		if (json_is_object(item) || json_is_array(item) || json_is_null(item))
			return false;
	}
	return json_is_object(value);
}

static bool is_texts(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
	{
		if (!json_string_length(item))
			return false;
	}
	return json_is_array(value);
}

static bool is_objects(const json_t *value)
{
	json_t *item;
	size_t i;

	json_array_foreach(value, i, item)
	{
		if (!is_values(item))
			return false;
	}
	return json_is_array(value);
}

static bool argument_fits(const struct command_argument *argument, const json_t *value)
{
	switch (argument->type) {
	case ARGUMENT_TEXT:
		return json_string_length(value) > 0;
	case ARGUMENT_TEXTS:
		return is_texts(value);
	case ARGUMENT_COUNT:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	case ARGUMENT_FLAG:
		return json_is_boolean(value);
	case ARGUMENT_VALUES:
		return is_values(value);
	case ARGUMENT_OBJECTS:
		return is_objects(value);
	}
	return false;
}

static const struct command_argument *argument_find(const struct command *command, const char *name)
{
	const struct command_argument *a = command->arguments;

	for (; a && a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static bool arguments_fit(struct request *r)
{
	const struct command_argument *a;
	const char *name;
	json_t *value;

	json_object_foreach(r->arguments, name, value)
	{
		a = argument_find(r->command, name);
		if (!a) {
			request_error(r, "bad_argument", "\"%s\" takes no argument \"%.60s\"",
				      r->command->name, name);
			return false;
		}
		if (!argument_fits(a, value)) {
			request_error(r, "bad_argument",
				      "%s: \"%s\" must be %s %s that is not empty",
				      r->command->name, name,
				      strchr("aeio", argument_type_name(a->type)[0]) ? "an" : "a",
				      argument_type_name(a->type));
			return false;
		}
	}
	for (a = r->command->arguments; a && a->name; a++) {
		if (!a->required || json_object_get(r->arguments, a->name))
			continue;
		request_error(r, "bad_argument", "\"%s\" needs the argument \"%s\": %s",
			      r->command->name, a->name, a->help);
		return false;
	}
	return true;
}

static bool is_member(const char *name)
{
	return strcmp(name, "command") == 0 || strcmp(name, "arguments") == 0 ||
	       strcmp(name, "id") == 0;
}

/* Finds the request's parts in `root`, or says what is wrong with it. */
static bool request_check(struct request *r)
{
	const char *name, *command;
	json_t *value;

	r->id = json_object_get(r->root, "id");
	if (!json_is_object(r->root)) {
		request_error(r, "bad_request", "a request is an object");
		return false;
	}
	json_object_foreach(r->root, name, value)
	{
		if (is_member(name))
			continue;
		request_error(r, "bad_request",
			      "a request has \"command\", \"arguments\" and \"id\", not \"%.60s\"",
			      name);
		return false;
	}
	command = json_string_value(json_object_get(r->root, "command"));
	if (!command) {
		request_error(r, "bad_request", "\"command\" must be a string");
		return false;
	}
	r->arguments = json_object_get(r->root, "arguments");
	if (r->arguments && !json_is_object(r->arguments)) {
		request_error(r, "bad_request", "\"arguments\" must be an object");
		return false;
	}
	r->command = command_find(command);
	if (!r->command)
		unknown_command(r, command);
	return r->command && arguments_fit(r);
}

static bool request_read(struct request *r, const char *line, size_t len)
{
	json_error_t where;

	r->root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &where);
	if (r->root)
		return request_check(r);
	request_error(r, "bad_json", "not JSON: column %d: %s", where.column, where.text);
	return false;
}

static enum command_outcome request_run(struct request *r, json_t **result)
{
	if (r->peer.privilege < r->command->privilege)
		return request_error(r, "denied",
				     "%s may look and change nothing: \"%s\" is for root, "
				     "posternd's own user and the group of gate.control.group",
				     r->peer.name, r->command->name);
	if (r->command->privilege == PRIVILEGE_CHANGE && !r->command->quiet)
		log_info("command", "name=%s user=%s pid=%d", log_text(r->command->name),
			 log_text(r->peer.name), (int)r->peer.pid);
	return r->command->run(r, result);
}

void command_line(void *ctx, struct client *client, const char *line, size_t len)
{
	struct request *r = calloc(1, sizeof(*r));
	json_t *result = NULL;

	if (!r) {
		client_reply(client, NO_MEMORY, strlen(NO_MEMORY));
		return;
	}
	r->daemon = ctx;
	r->client = client;
	r->peer = *client_peer(client);
	r->generation = daemon_generation(r->daemon);
	/* Of a client that follows: its lines have no more to say. */
	if (*client_data(client)) {
		request_error(r, "bad_request", "this connection follows events");
		answer(r, NULL);
		r->client = NULL;
		request_free(r);
		return;
	}
	*client_data(client) = r;
	if (request_read(r, line, len) && request_run(r, &result) == COMMAND_LATER)
		return;
	request_finish(r, result);
}

void command_gone(void *ctx, struct client *client)
{
	struct request *r = *client_data(client);
	struct daemon *d = ctx;

	rules_stage_forget(&d->stage, client);
	if (!r)
		return;
	r->client = NULL;
	*client_data(client) = NULL;
	if (r->gone)
		r->gone(r);
}

const char *request_text(const struct request *r, const char *name)
{
	return json_string_value(json_object_get(r->arguments, name));
}
