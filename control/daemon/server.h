/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The unix socket of commands: connections, their lines and what waits to be read by them. It
 * knows neither JSON nor commands: whoever opened it gets whole lines, one at a time a client: the
 * next one when the last was answered.
 *
 * All of it belongs to the event loop's thread and never blocks.
 */
#ifndef POSTERN_CONTROL_SERVER_H
#define POSTERN_CONTROL_SERVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/daemon/peer.h"

#define SERVER_LINE_MAX 65536 /* bytes of a request */

struct server;
struct client;

struct server_stats {
	uint64_t accepted, refused; /* connections; refused for who they are */
	uint64_t full;              /* refused for want of room */
	uint64_t too_long;          /* lines */
	uint64_t cut_off;           /* clients that read too slowly */
	uint64_t lines;
	unsigned now;
};

struct server_config {
	const char *path;
	struct peer_groups groups;
	unsigned clients;
	size_t follow_buffer; /* bytes that may wait for a client that follows */
	/* A line without its end; answer it with client_reply(), now or later. */
	void (*line)(void *ctx, struct client *client, const char *line, size_t len);
	/* The client is about to go. */
	void (*gone)(void *ctx, struct client *client);
	void *ctx;
};

/*
 * Listens at the path; whatever was there before is replaced, unless somebody answers there. 0,
 * -EADDRINUSE or -errno.
 */
int server_open(struct event_base *base, const struct server_config *config,
		struct server **serverp);
void server_close(struct server *server);
struct server_stats server_stats(const struct server *server);

const struct peer *client_peer(const struct client *client);

/* For whoever needs to remember something of the client; NULL at first. */
void **client_data(struct client *client);

/*
 * The client is about to be told to send one byte with a descriptor, and does so before its next
 * line: what comes is client_file()'s.
 */
int client_want_file(struct client *client);
/* The descriptor that came, the caller's from now on; -1: none. */
int client_file(struct client *client);

/* Whole lines, their ends included. The answer to the line that came last. */
void client_reply(struct client *client, const char *text, size_t len);

/* The same as its last: the connection ends when it was read. */
void client_reply_last(struct client *client, const char *text, size_t len);

/*
 * Lines that nobody asked for one by one. false: more than follow_buffer would wait; the
 * client is cut off as soon as the loop runs, and there is no use in sending it more.
 */
bool client_push(struct client *client, const char *text, size_t len);

#endif
