/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is at the other end of a unix socket, and what they may. One thread. */
#ifndef POSTERN_CONTROL_PEER_H
#define POSTERN_CONTROL_PEER_H

#include <stddef.h>
#include <sys/types.h>

#include "control/daemon/override.h"

enum privilege {
	PRIVILEGE_NONE,
	PRIVILEGE_READ,   /* look */
	PRIVILEGE_CHANGE, /* and change */
};

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	enum privilege privilege;
	char name[OVERRIDE_NAME]; /* of the user, or "uid 1000" */
};

/* Groups that may; (gid_t)-1: none. */
struct peer_groups {
	gid_t change, read;
};

/* Asks the kernel about a connected socket. 0 or -errno. */
int peer_of(int fd, const struct peer_groups *groups, struct peer *peer);

/* "" is no group: (gid_t)-1. 0, or -ENOENT: there is none of that name. */
int peer_group(const char *name, gid_t *gid);

#endif
