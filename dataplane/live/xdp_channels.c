/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many queues an interface has, as DPDK's AF_XDP driver asks: it counts channels that are
 * combined and, where there are none, takes it that there is one. Interfaces with channels for
 * each direction (veth pairs, some cards) then have one queue, whatever they have. The linker gives
 * its ioctl() to the function below (--wrap), which counts these as combined.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <sys/ioctl.h>

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static void combine(struct ethtool_channels *c)
{
	__u32 both = c->rx_count < c->tx_count ? c->rx_count : c->tx_count;

	if (c->combined_count || !both)
		return;
	c->combined_count = both;
	if (c->max_combined < both)
		c->max_combined = both;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *interface;
	struct ethtool_channels *c;
	va_list args;
	void *arg;
	int rc;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	rc = __real_ioctl(fd, request, arg);
	if (rc != 0 || request != SIOCETHTOOL)
		return rc;
	interface = arg;
	c = (struct ethtool_channels *)(void *)interface->ifr_data;
	if (c->cmd == ETHTOOL_GCHANNELS)
		combine(c);
	return rc;
}
