/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of postern-dataplane; docs/postern-dataplane.8 explains it. */
#ifndef POSTERN_LIVE_OPTIONS_H
#define POSTERN_LIVE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/burst.h"

enum live_mode {
	LIVE_XDP,  /* stage one in the kernel, packets by AF_XDP */
	LIVE_DPDK, /* DPDK's own drivers, stage one in the workers */
};

struct live_options {
	const char *port[PORT_COUNT]; /* interfaces or device strings */
	enum live_mode mode;
	const char *xdp_program;
	const char *socket;
	const char *policy, *ruleset; /* images in files to start with; NULL: wait for control */
	const char *lcores;           /* "main,worker,…"; NULL: any CPU */
	const char *known;            /* NULL: nothing is kept */
	unsigned workers, queues;
	unsigned
		first_queue; /* mode xdp: of the interfaces' queues, the first that is the gate's */
	unsigned tenants, rules; /* room for so many */
	unsigned ring_mb;        /* events, each worker */
	unsigned idle_us;
	unsigned mtu;
	unsigned memory; /* megabytes for DPDK; 0: as much as is needed */
	enum environment_huge { HUGE_AUTO, HUGE_YES, HUGE_NO } huge;
	bool digests;
};

/*
 * 0; or the exit status that the command line calls for, after saying why on standard error. *done:
 * there is nothing more to do (--help, --version).
 */
int live_options_parse(struct live_options *o, int argc, char **argv, bool *done);

#endif
