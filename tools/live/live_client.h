/* SPDX-License-Identifier: BSD-3-Clause */
/* The other end of posternd's socket, for `postern`. One thread; blocks. */
#ifndef POSTERN_TOOLS_LIVE_CLIENT_H
#define POSTERN_TOOLS_LIVE_CLIENT_H

#include <jansson.h>
#include <stdio.h>

#define LIVE_SOCKET "/run/postern/control.sock"

/* That, or $POSTERN_SOCKET where that says something. */
const char *live_socket(void);

struct live_client {
	const char *path;
	FILE *in; /* NULL: not connected */
	int fd;
	char *line; /* the last that came */
	size_t room;
};

/*
 * Connects; where that can't be done it says on standard error what is wrong and what to do. 0, or
 * 1.
 */
int live_open(struct live_client *client, const char *path);
void live_close(struct live_client *client);

/* Takes `arguments` over (NULL: none). 0, or 1 after saying why on standard error. */
int live_ask(struct live_client *client, const char *command, json_t *arguments);

/* The next line, whole: NULL at the end. *text is the client's. */
json_t *live_read(struct live_client *client, const char **text);

/*
 * The result of the answer that comes next, the caller's; NULL after saying on standard error what
 * posternd said.
 */
json_t *live_result(struct live_client *client);

/* What is wrong with files: an array of {"file", "line", "column", "severity", "message"}, on
 * standard error. */
void live_problems(const json_t *problems);

#endif
