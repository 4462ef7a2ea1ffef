/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/channel_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "bpf/tenant.h"
#include "control/policy/policy_image.h"

/* With a timeout, no call begins again by itself after a signal, or a stop (signal(7)). */
static int connect_to(int fd, const struct sockaddr_un *addr)
{
	int rc;

	do {
		rc = connect(fd, (const void *)addr, sizeof(*addr));
	} while (rc < 0 && errno == EINTR);
	return rc;
}

int channel_connect(const char *path, unsigned timeout_ms)
{
	struct timeval wait = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
	    connect_to(fd, &addr) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

struct channel_request channel_request_of(enum channel_type type)
{
	return (struct channel_request){
		.magic = CHANNEL_MAGIC, .version = CHANNEL_VERSION, .type = (uint16_t)type};
}

int channel_send(int channel, const struct channel_request *request, int fd)
{
	int rc = channel_packet_send(channel, request, sizeof(*request), fd, 0);

	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

int channel_receive(int channel, struct channel_reply *reply, int *got)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {reply, sizeof(*reply)};
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *head;
	bool reset = false;
	ssize_t n;

	/* Who closed on a request that it had not read has left its reply behind the error. */
	*got = -1;
	do {
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || (errno == ECONNRESET && !reset && (reset = true))));
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!n)
		return -EPIPE;
	head = CMSG_FIRSTHDR(&msg);
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
		memcpy(got, CMSG_DATA(head), sizeof(*got));
	if (n != (ssize_t)sizeof(*reply) || reply->magic != CHANNEL_MAGIC ||
	    reply->version != CHANNEL_VERSION)
		return -EPROTO;
	reply->words[sizeof(reply->words) - 1] = '\0';
	return 0;
}

int channel_call(int channel, const struct channel_request *request, int fd,
		 struct channel_reply *reply, int *got)
{
	int came = -1;
	int rc = channel_send(channel, request, fd);

	/* Who is refused at the door is told why, and can't send any more. */
	if (!rc || rc == -EPIPE) {
		int answered = channel_receive(channel, reply, &came);

		if (!rc || !answered)
			rc = answered;
	}
	if (!rc && got) {
		*got = came;
		return 0;
	}
	if (got)
		*got = -1;
	if (came >= 0)
		close(came);
	return rc;
}

int channel_push(int channel, enum channel_type type, const void *image, size_t size,
		 uint64_t generation, char words[CHANNEL_WORDS])
{
	struct channel_request request = channel_request_of(type);
	struct channel_reply reply;
	int fd = size ? image_memfd("postern-image", image, size) : -1;
	int rc = size && fd < 0 ? fd : 0;

	request.size = size;
	request.generation = generation;
	words[0] = '\0';
	if (!rc)
		rc = channel_call(channel, &request, fd, &reply, NULL);
	if (fd >= 0)
		close(fd);
	if (rc) {
		snprintf(words, CHANNEL_WORDS, "the dataplane does not answer: %s", strerror(-rc));
		return rc;
	}
	memcpy(words, reply.words, CHANNEL_WORDS);
	return reply.error;
}

static int ask_array(int channel)
{
	struct channel_request hello = channel_request_of(CHANNEL_HELLO);
	struct channel_request array = channel_request_of(CHANNEL_ARRAY);
	struct channel_reply reply;
	int fd, rc = channel_call(channel, &hello, -1, &reply, NULL);

	if (!rc)
		rc = reply.error;
	if (!rc && reply.status.tenant_abi != TENANT_ABI)
		rc = -EPROTO;
	if (!rc)
		rc = channel_call(channel, &array, -1, &reply, &fd);
	if (!rc && reply.error)
		rc = reply.error;
	if (!rc && fd < 0)
		rc = -ENOENT;
	return rc ? rc : fd;
}

int channel_array(const char *path, unsigned timeout_ms)
{
	int channel = channel_connect(path, timeout_ms), rc;

	if (channel < 0)
		return channel == -ECONNREFUSED ? -ENOENT : channel;
	rc = ask_array(channel);
	close(channel);
	return rc;
}
