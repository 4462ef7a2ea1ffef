/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NO_GROUP ((gid_t)-1)

int peer_group(const char *name, gid_t *gid)
{
	const struct group *group = *name ? getgrnam(name) : NULL;

	*gid = group ? group->gr_gid : NO_GROUP;
	return *name && !group ? -ENOENT : 0;
}

/* The groups that the peer had when it connected (unix(7)); NULL with count 0: none. */
static gid_t *groups_of(int fd, size_t *count)
{
	socklen_t len = 64 * sizeof(gid_t);
	gid_t *groups = NULL;

	*count = 0;
	for (int tries = 0; tries < 2; tries++) {
		gid_t *more = realloc(groups, len);

		if (!more)
			break;
		groups = more;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
			*count = len / sizeof(gid_t);
			return groups;
		}
		if (errno != ERANGE)
			break;
	}
	free(groups);
	return NULL;
}

static bool is_member(const gid_t *groups, size_t count, gid_t own, gid_t wanted)
{
	if (wanted == NO_GROUP)
		return false;
	for (size_t i = 0; i < count; i++)
		if (groups[i] == wanted)
			return true;
	return own == wanted;
}

int peer_of(int fd, const struct peer_groups *groups, struct peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	const struct passwd *user;
	gid_t *has;
	size_t count;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return -errno;
	has = groups_of(fd, &count);
	*peer = (struct peer){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
	if (cred.uid == 0 || cred.uid == geteuid() ||
	    is_member(has, count, cred.gid, groups->change))
		peer->privilege = PRIVILEGE_CHANGE;
	else if (is_member(has, count, cred.gid, groups->read))
		peer->privilege = PRIVILEGE_READ;
	free(has);
	user = getpwuid(cred.uid);
	if (user)
		snprintf(peer->name, sizeof(peer->name), "%.60s", user->pw_name);
	else
		snprintf(peer->name, sizeof(peer->name), "uid %u", cred.uid);
	return 0;
}
