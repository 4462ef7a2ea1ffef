/* SPDX-License-Identifier: BSD-3-Clause */
/* Control's end of the channel to the dataplane (bpf/channel.h). One thread; blocks. */
#ifndef POSTERN_CHANNEL_CLIENT_H
#define POSTERN_CHANNEL_CLIENT_H

#include <stddef.h>

#include "bpf/channel.h"

/*
 * A connection to the dataplane that listens at `path`; the caller closes it. Calls on it wait
 * `timeout_ms` at most, 0: for ever. -errno: -ENOENT or -ECONNREFUSED: there is no dataplane.
 */
int channel_connect(const char *path, unsigned timeout_ms);

/*
 * One request, with `fd` if that is not negative (it stays the caller's), and its reply. A
 * descriptor that comes back is the caller's, in *got (may be NULL: closed; -1: none came).
 * 0: the reply is there, whatever its `error`; -errno: the channel is of no use any more: -EPIPE:
 * the dataplane has gone; -ETIMEDOUT; -EPROTO: it speaks another version.
 */
int channel_call(int channel, const struct channel_request *request, int fd,
		 struct channel_reply *reply, int *got);

/*
 * The tenants' array that a dataplane at `path` was given, of this build's TENANT_ABI: a descriptor
 * that the caller closes. -ENOENT: it has none, or does not run. -errno.
 */
int channel_array(const char *path, unsigned timeout_ms);

/* A request of that type; the rest is zero. */
struct channel_request channel_request_of(enum channel_type type);

/*
 * The two halves of a call, for whoever waits in an event loop: *got is -1 or a descriptor that is
 * the caller's. -ETIMEDOUT where a socket that doesn't block would.
 */
int channel_send(int channel, const struct channel_request *request, int fd);
int channel_receive(int channel, struct channel_reply *reply, int *got);

/*
 * A call for images: puts them into a memfd, sends it. 0 or -errno, from the channel or out of
 * the reply; `words` say why then.
 */
int channel_push(int channel, enum channel_type type, const void *image, size_t size,
		 uint64_t generation, char words[CHANNEL_WORDS]);

#endif
