/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/control_channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX 8 /* that a peer may send and have closed; more are not even received */

static int address_of(const char *path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!*path || strlen(path) >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	strcpy(addr->sun_path, path);
	return 0;
}

/* Does anybody listen there? */
static bool is_alive(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = fd >= 0 &&
		     (connect(fd, (const void *)addr, sizeof(*addr)) == 0 || errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return alive;
}

static int listen_at(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	mode_t mask;
	int rc;

	if (fd < 0)
		return -errno;
	if (lstat(addr->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && !is_alive(addr))
		unlink(addr->sun_path);
	mask = umask(0177);
	rc = bind(fd, (const void *)addr, sizeof(*addr)) == 0 && listen(fd, 4) == 0 ? 0 : -errno;
	umask(mask);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

int channel_open(struct channel *c, const char *path, const struct channel_handler *handler,
		 char error[CHANNEL_WORDS])
{
	struct sockaddr_un addr;
	int rc = address_of(path, &addr);

	*c = (struct channel){.listener = -1, .client = -1, .handler = *handler};
	if (!rc)
		rc = listen_at(&addr);
	if (rc < 0) {
		snprintf(error, CHANNEL_WORDS, "%.120s: %s", path,
			 rc == -EADDRINUSE ? "a dataplane listens there, or it is no socket"
					   : strerror(-rc));
		return rc;
	}
	c->listener = rc;
	strcpy(c->path, addr.sun_path);
	return 0;
}

static void client_drop(struct channel *c)
{
	if (c->client >= 0)
		close(c->client);
	c->client = -1;
}

void channel_close(struct channel *c)
{
	client_drop(c);
	if (c->listener < 0)
		return;
	close(c->listener);
	unlink(c->path);
	c->listener = -1;
}

static void complain(struct channel *c, const char *words)
{
	if (c->handler.complaint)
		c->handler.complaint(c->handler.ctx, words);
}

/* False: the peer does not take it. */
static bool reply_send(int to, const struct channel_reply *reply, int fd)
{
	return channel_packet_send(to, reply, sizeof(*reply), fd, MSG_DONTWAIT) == 0;
}

static struct channel_reply reply_to(const struct channel_request *request)
{
	return (struct channel_reply){
		.magic = CHANNEL_MAGIC,
		.version = CHANNEL_VERSION,
		.type = request->type,
		.id = request->id,
	};
}

static bool peer_may_talk(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void let_in(struct channel *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct channel_reply reply = reply_to(&(struct channel_request){0});

	if (fd < 0)
		return;
	if (c->client < 0 && peer_may_talk(fd)) {
		c->client = fd;
		return;
	}
	reply.error = c->client < 0 ? -EPERM : -EBUSY;
	snprintf(reply.words, sizeof(reply.words), "%s",
		 c->client < 0 ? "only the dataplane's user, or root, may talk to it"
			       : "the dataplane has a control process");
	complain(c, reply.words);
	reply_send(fd, &reply, -1);
	close(fd);
}

/* The descriptors that came; what is not wanted is closed at once. Returns the first, or -1. */
static int take_fds(struct msghdr *msg, unsigned *count)
{
	int first = -1;

	*count = 0;
	for (struct cmsghdr *m = CMSG_FIRSTHDR(msg); m; m = CMSG_NXTHDR(msg, m)) {
		size_t n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(m) + i * sizeof(fd), sizeof(fd));
			if ((*count)++ == 0)
				first = fd;
			else
				close(fd);
		}
	}
	return first;
}

/* What is wrong with a packet as such; NULL: nothing. */
static const char *fault_of(const struct channel_request *r, ssize_t size, int flags, unsigned fds)
{
	if (size != (ssize_t)sizeof(*r) || (flags & MSG_TRUNC) || r->magic != CHANNEL_MAGIC)
		return "that is no request";
	if (r->version != CHANNEL_VERSION)
		return "a request of another version of Postern";
	if (fds > 1 || (flags & MSG_CTRUNC))
		return "a request has one file descriptor at most";
	if (r->type < CHANNEL_HELLO || r->type > CHANNEL_LISTS)
		return "an unknown request";
	return NULL;
}

static void answer(struct channel *c)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct channel_request request = {0};
	struct iovec data = {&request, sizeof(request)};
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t size = recvmsg(c->client, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct channel_reply reply;
	const char *fault;
	unsigned fds;
	int fd, send = -1;

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		client_drop(c);
		return;
	}
	fd = take_fds(&msg, &fds);
	fault = fault_of(&request, size, msg.msg_flags, fds);
	reply = reply_to(&request);
	if (fault) {
		reply.error = -EPROTO;
		snprintf(reply.words, sizeof(reply.words), "%s", fault);
		complain(c, fault);
	} else {
		send = c->handler.request(c->handler.ctx, &request, fd, &reply);
	}
	if (fd >= 0)
		close(fd);
	/* Who sends nonsense is not listened to any longer. */
	if (!reply_send(c->client, &reply, send) || fault)
		client_drop(c);
}

unsigned channel_poll(const struct channel *c, struct pollfd fds[CHANNEL_FDS])
{
	unsigned n = 0;

	if (c->listener >= 0)
		fds[n++] = (struct pollfd){.fd = c->listener, .events = POLLIN};
	if (c->client >= 0)
		fds[n++] = (struct pollfd){.fd = c->client, .events = POLLIN};
	return n;
}

void channel_serve(struct channel *c, const struct pollfd *fds, unsigned n)
{
	/* Who left first, so that who comes next finds the place free. */
	for (unsigned i = 0; i < n; i++)
		if (fds[i].revents && fds[i].fd == c->client)
			answer(c);
	for (unsigned i = 0; i < n; i++)
		if (fds[i].revents && fds[i].fd == c->listener)
			let_in(c);
}
