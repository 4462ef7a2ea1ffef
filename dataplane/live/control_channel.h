/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane's end of the channel of bpf/channel.h: who may talk, one at a time, and messages
 * that are none. What requests mean is the handler's. Main thread; never blocks: whoever
 * polls asks for the descriptors and says what is ready.
 */
#ifndef POSTERN_CONTROL_CHANNEL_H
#define POSTERN_CONTROL_CHANNEL_H

#include <poll.h>

#include "bpf/channel.h"

struct channel_handler {
	/*
	 * Answers one request: fills reply->error, words and status. `fd`: what came with it, -1:
	 * nothing; closed afterwards, so that it is to be duplicated by who keeps it. Returns a
	 * descriptor to send along, which stays the handler's, or -1.
	 */
	int (*request)(void *ctx, const struct channel_request *request, int fd,
		       struct channel_reply *reply);
	/* Whatever is refused before the handler sees it: NULL or one line's words. */
	void (*complaint)(void *ctx, const char *words);
	void *ctx;
};

struct channel {
	int listener, client; /* -1: none */
	char path[108];
	struct channel_handler handler;
};

/*
 * Listens on `path`. What a dead process left there is removed; what a live one listens on is
 * -EADDRINUSE. 0 or -errno with words.
 */
int channel_open(struct channel *c, const char *path, const struct channel_handler *handler,
		 char error[CHANNEL_WORDS]);
/* Removes the socket, too. */
void channel_close(struct channel *c);

#define CHANNEL_FDS 2

/* What to poll for; returns how many, CHANNEL_FDS at most. */
unsigned channel_poll(const struct channel *c, struct pollfd fds[CHANNEL_FDS]);
/* After the poll, with the same `fds`: lets in, answers, lets go. */
void channel_serve(struct channel *c, const struct pollfd *fds, unsigned n);

#endif
