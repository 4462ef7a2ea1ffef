/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands: a request in JSON, the table of what there is, an answer in JSON. docs/control.md
 * describes the protocol; a test holds it to the table.
 *
 *   {"command": "tenant suspend", "arguments": {"tenant": "acme", "reason": "spam"}, "id": 7}
 *   {"id": 7, "ok": true, "result": {…}}
 *   {"id": 7, "ok": false, "error": {"code": "no_such_tenant", "message": "…"}}
 *
 * The event loop's thread.
 */
#ifndef POSTERN_CONTROL_COMMAND_H
#define POSTERN_CONTROL_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "control/daemon/peer.h"

struct client;
struct daemon;
struct request;
struct store_unit;

enum argument_type {
	ARGUMENT_TEXT,    /* a string that is not empty */
	ARGUMENT_TEXTS,   /* an array of them */
	ARGUMENT_COUNT,   /* an integer, 0 or more */
	ARGUMENT_FLAG,    /* true or false */
	ARGUMENT_VALUES,  /* an object of strings, numbers and booleans */
	ARGUMENT_OBJECTS, /* an array of such objects */
};

struct command_argument {
	const char *name; /* NULL ends */
	enum argument_type type;
	bool required;
	const char *help;
	bool person; /* addresses: the audit log has their keyed hashes */
};

/* What a command's function returns. */
enum command_outcome {
	COMMAND_DONE,   /* *result is the answer; NULL: no memory */
	COMMAND_FAILED, /* request_error() was called */
	COMMAND_LATER,  /* request_finish() comes, or never: the client may go */
};

struct command {
	const char *name;
	enum privilege privilege;
	const struct command_argument *arguments; /* NULL: it takes none */
	enum command_outcome (*run)(struct request *request, json_t **result);
	const char *help; /* one line of Markdown */
	bool quiet;       /* one of many that make one: no line in the logs */
};

/* A name of NULL ends it. */
extern const struct command commands[];

struct request {
	struct daemon *daemon;
	struct client *client; /* NULL: it has gone */
	struct peer peer;
	const struct command *command;
	json_t *root, *arguments; /* arguments: an object, checked by the table */
	json_t *id;               /* NULL: none was given */
	json_t *error;
	/* Of one that changes something: */
	struct store_unit *unit; /* request_unit() */
	json_t *result;          /* until the disk has it */
	uint32_t tenant;         /* its slot, 0: of none; for the audit log, as what follows */
	json_t *before, *after;  /* the command's own words, NULL: none */
	uint64_t generation;     /* in force when it came */
	bool quiet;              /* this one changed nothing after all */
	void (*gone)(struct request *request); /* its client went; NULL: nobody cares */
	void *data;                            /* the command's own */
};

/* server_config's `line` and `gone`; ctx is the daemon. */
void command_line(void *ctx, struct client *client, const char *line, size_t len);
void command_gone(void *ctx, struct client *client);

/* Why not: a code for programs and words for people. Returns COMMAND_FAILED. */
enum command_outcome request_error(struct request *request, const char *code, const char *format,
				   ...) __attribute__((format(printf, 3, 4)));

/* More about the error: a member beside code and message. Takes the value over. */
void request_error_detail(struct request *request, const char *name, json_t *value);

/*
 * What a command that changes something has to write: it is stored with the command's entry in the
 * audit log, and only then comes the answer. If the disk refuses both, the answer says so, and
 * stored() of the request, if there is one, hears of it.
 */
struct store_unit *request_unit(struct request *request);

/*
 * The answer of COMMAND_LATER: the result, or NULL after request_error(). Ends the request, but
 * for one that goes on (request_push()).
 */
void request_finish(struct request *request, json_t *result);

/* Answers at once and keeps the request: lines follow until the client goes. */
void request_follow(struct request *request, json_t *result);

/* An argument that the table has; NULL or 0 where it was not given. */
const char *request_text(const struct request *request, const char *name);

const char *argument_type_name(enum argument_type type);
const char *privilege_name(enum privilege privilege);

#endif
