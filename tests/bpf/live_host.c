/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/live_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 30 /* s, for what must come */

enum operation { COMMAND, ECHO, PING, STREAM };

struct request {
	enum operation operation;
	char text[256], from[64], to[64];
	unsigned port, amount;
};

static socklen_t address_of(const char *text, unsigned port, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		abort();
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

static int socket_from(const struct request *r, int type)
{
	struct sockaddr_storage address;
	socklen_t len = address_of(r->from, 0, &address);
	int fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A poll that a stop ends (signal(7)) begins again. */
static bool readable(int fd, unsigned milliseconds)
{
	int n;

	do {
		n = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, (int)milliseconds);
	} while (n < 0 && errno == EINTR);
	return n == 1;
}

static int do_ping(const struct request *r)
{
	static uint32_t number;
	struct sockaddr_storage to;
	socklen_t len = address_of(r->to, r->port, &to);
	uint32_t sent = ++number, back = 0;
	int fd = socket_from(r, SOCK_DGRAM), came = 0;

	if (fd < 0)
		return -1;
	if (sendto(fd, &sent, sizeof(sent), 0, (struct sockaddr *)&to, len) == sizeof(sent))
		came = readable(fd, r->amount) &&
		       recv(fd, &back, sizeof(back), 0) == sizeof(back) && back == sent;
	close(fd);
	return came;
}

/* Sends in pieces and reads each back: no more is on its way than buffers take. */
static int exchange(int fd, unsigned bytes)
{
	char piece[1000], back[1000];

	memset(piece, 'x', sizeof(piece));
	for (unsigned done = 0; done < bytes; done += sizeof(piece)) {
		size_t got = 0;

		piece[0] = (char)done;
		if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) != sizeof(piece))
			return 0;
		while (got < sizeof(back)) {
			ssize_t n = readable(fd, PATIENCE * 1000)
					    ? recv(fd, back + got, sizeof(back) - got, 0)
					    : 0;

			if (n <= 0)
				return 0;
			got += (size_t)n;
		}
		if (memcmp(piece, back, sizeof(piece)) != 0)
			return 0;
	}
	return 1;
}

static int do_stream(const struct request *r)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	struct sockaddr_storage to;
	socklen_t len = address_of(r->to, r->port, &to);
	int fd = socket_from(r, SOCK_STREAM), rc = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, len) == 0)
		rc = exchange(fd, r->amount);
	close(fd);
	return rc;
}

/* Threads of the host: they end with it. */
static void *echo_datagrams(void *arg)
{
	int fd = (int)(intptr_t)arg;
	struct sockaddr_storage from;
	char data[2048];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (n >= 0)
			sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

static void *echo_streams(void *arg)
{
	int listener = (int)(intptr_t)arg;
	char data[2048];
	ssize_t n;

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		while (fd >= 0 && (n = recv(fd, data, sizeof(data), 0)) > 0)
			if (send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
				break;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static int echo_start(int type, unsigned port)
{
	struct sockaddr_storage any;
	socklen_t len = address_of("::", port, &any); /* and IPv4's, mapped */
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), off = 0;
	pthread_t thread;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, len) < 0)
		return 0;
	if (type == SOCK_STREAM && listen(fd, 8) < 0)
		return 0;
	return pthread_create(&thread, NULL, type == SOCK_STREAM ? echo_streams : echo_datagrams,
			      (void *)(intptr_t)fd) == 0;
}

static int do_command(const char *text)
{
	int status = system(text);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int do_request(const struct request *r)
{
	switch (r->operation) {
	case COMMAND:
		return do_command(r->text);
	case ECHO:
		return echo_start(SOCK_DGRAM, r->port) && echo_start(SOCK_STREAM, r->port);
	case PING:
		return do_ping(r);
	case STREAM:
		return do_stream(r);
	}
	return -1;
}

static void host_run(int channel)
{
	struct request r;
	int answer = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	while (write(channel, &answer, sizeof(answer)) == sizeof(answer) &&
	       read(channel, &r, sizeof(r)) == sizeof(r))
		answer = do_request(&r);
	_exit(0);
}

static int answer_of(struct live_host *host)
{
	int answer;

	return read(host->channel, &answer, sizeof(answer)) == sizeof(answer) ? answer : -1;
}

static int ask(struct live_host *host, const struct request *r)
{
	return write(host->channel, r, sizeof(*r)) == sizeof(*r) ? answer_of(host) : -1;
}

bool live_host_start(struct live_host *host)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	host->channel = ends[0];
	host->pid = fork();
	if (host->pid == 0) {
		close(ends[0]);
		host_run(ends[1]);
	}
	close(ends[1]);
	return host->pid > 0 && answer_of(host) == 1;
}

void live_host_stop(struct live_host *host)
{
	if (host->pid <= 0)
		return;
	close(host->channel);
	kill(host->pid, SIGKILL);
	waitpid(host->pid, NULL, 0);
	host->pid = 0;
}

int live_host_command(struct live_host *host, const char *format, ...)
{
	struct request r = {.operation = COMMAND};
	va_list args;

	va_start(args, format);
	vsnprintf(r.text, sizeof(r.text), format, args);
	va_end(args);
	return ask(host, &r);
}

bool live_host_echo(struct live_host *host, unsigned port)
{
	return ask(host, &(struct request){.operation = ECHO, .port = port}) == 1;
}

static bool transfer(struct live_host *host, enum operation operation, const char *from,
		     const char *to, unsigned port, unsigned amount)
{
	struct request r = {.operation = operation, .port = port, .amount = amount};

	snprintf(r.from, sizeof(r.from), "%s", from);
	snprintf(r.to, sizeof(r.to), "%s", to);
	return ask(host, &r) == 1;
}

bool live_host_ping(struct live_host *host, const char *from, const char *to, unsigned port,
		    unsigned milliseconds)
{
	return transfer(host, PING, from, to, port, milliseconds);
}

bool live_host_stream(struct live_host *host, const char *from, const char *to, unsigned port,
		      unsigned bytes)
{
	return transfer(host, STREAM, from, to, port, bytes);
}
