/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int channel_packet_send(int to, const void *packet, size_t size, int fd, int flags)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {(void *)(uintptr_t)packet, size};
	struct msghdr msg = {.msg_iov = &data, .msg_iovlen = 1};
	ssize_t sent;

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	/* SOCK_SEQPACKET: all of it or nothing. A signal is no reason to give up. */
	do {
		sent = sendmsg(to, &msg, MSG_NOSIGNAL | flags);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}
