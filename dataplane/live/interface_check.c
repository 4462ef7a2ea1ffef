/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/live/interface_check.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Frames that come in merged are larger than any that may leave: they are refused
 * (REASON_OVERSIZE), and TCP, which sends them again, comes to a stop.
 */
static bool is_on(int fd, struct ifreq *request, uint32_t command, uint32_t bit)
{
	struct ethtool_value value = {.cmd = command};

	request->ifr_data = (void *)&value;
	return ioctl(fd, SIOCETHTOOL, request) == 0 && (value.data & bit);
}

static void add(struct interface_state *state, const char *feature)
{
	size_t len = strlen(state->merges);

	snprintf(state->merges + len, sizeof(state->merges) - len, "%s%s", len ? " " : "", feature);
}

int interface_state_read(const char *name, struct interface_state *state)
{
	struct ifreq request = {0};
	int fd, rc = 0;

	*state = (struct interface_state){0};
	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	strcpy(request.ifr_name, name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
		rc = -errno;
		goto out;
	}
	state->up = request.ifr_flags & IFF_UP;
	if (ioctl(fd, SIOCGIFMTU, &request) == 0)
		state->mtu = (unsigned)request.ifr_mtu;
	if (is_on(fd, &request, ETHTOOL_GGRO, 1))
		add(state, "gro");
	if (is_on(fd, &request, ETHTOOL_GFLAGS, ETH_FLAG_LRO))
		add(state, "lro");
out:
	close(fd);
	return rc;
}

void interface_remedy(const char *name, const struct interface_state *state, char *line,
		      size_t size)
{
	int n = snprintf(line, size, "ethtool -K %s", name);
	const char *feature = state->merges;

	while (*feature && n > 0 && (size_t)n < size) {
		int len = (int)strcspn(feature, " ");

		n += snprintf(line + n, size - (size_t)n, " %.*s off", len, feature);
		feature += len + (feature[len] == ' ');
	}
}
