/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host at one end of the wire: a process with a network namespace of its own, which goes away
 * with it. The test asks, the host does and answers.
 */
#ifndef POSTERN_TESTS_LIVE_HOST_H
#define POSTERN_TESTS_LIVE_HOST_H

#include <stdbool.h>
#include <sys/types.h>

struct live_host {
	pid_t pid;
	int channel;
};

/* False: it could not be made. */
bool live_host_start(struct live_host *host);
void live_host_stop(struct live_host *host);

/* A command line there; its exit code. */
int live_host_command(struct live_host *host, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Sends back what comes to the UDP and the TCP port, over IPv4 and IPv6, from now on. */
bool live_host_echo(struct live_host *host, unsigned port);

/* One datagram from address to address, port: whether it comes back within the time. */
bool live_host_ping(struct live_host *host, const char *from, const char *to, unsigned port,
		    unsigned milliseconds);

/* The same with a TCP connection and so many bytes. */
bool live_host_stream(struct live_host *host, const char *from, const char *to, unsigned port,
		      unsigned bytes);

#endif
