/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment for whoever has neither root nor hugepages. */
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/gate.h"

static char runtime[64]; /* ours, if we made it */
static bool started;

/* DPDK makes a directory there, even for --no-shconf; only root's default always works. */
static void runtime_dir(void)
{
	char path[] = "/tmp/postern-XXXXXX";

	if (!mkdtemp(path))
		return;
	snprintf(runtime, sizeof(runtime), "%s", path);
	setenv("XDG_RUNTIME_DIR", runtime, 1);
}

/*
 * "(0-2)@(0,3)": every lcore may run on every CPU that this process may: the scheduler knows
 * better than a replay. False: more CPUs than fit.
 */
static bool lcores_text(char *text, size_t size, unsigned workers)
{
	int at = snprintf(text, size, "(0-%u)@(", workers);
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return false;
	for (unsigned i = 0; i < CPU_SETSIZE && (size_t)at < size; i++)
		if (CPU_ISSET(i, &cpus))
			at += snprintf(text + at, size - (size_t)at, "%u,", i);
	if ((size_t)at >= size)
		return false;
	text[at - 1] = ')';
	return true;
}

int gate_environment(unsigned workers, size_t megabytes, char error[GATE_ERROR])
{
	char memory[24], lcores[8192], prefix[48];
	const char *const args[] = {
		"postern",     "--no-huge",     "--no-pci", "--no-shconf", "--no-telemetry",
		"--log-level", "error",         "-m",       memory,        "--lcores",
		lcores,        "--file-prefix", prefix,
	};
	int rc;

	snprintf(memory, sizeof(memory), "%zu", megabytes);
	if (!lcores_text(lcores, sizeof(lcores), workers)) {
		snprintf(error, GATE_ERROR, "more CPUs than DPDK can be told of");
		return -E2BIG;
	}
	snprintf(prefix, sizeof(prefix), "postern-%d", (int)getpid());
	runtime_dir();
	rte_log_set_global_level(RTE_LOG_ERR);
	started = true;
	rc = rte_eal_init(RTE_DIM(args), (char **)(uintptr_t)args);
	if (rc >= 0)
		return 0;
	snprintf(error, GATE_ERROR, "DPDK does not start: %s", rte_strerror(rte_errno));
	gate_environment_end();
	return -rte_errno;
}

void gate_environment_end(void)
{
	char path[128];

	if (!started)
		return;
	started = false;
	snprintf(path, sizeof(path), "%s", rte_eal_get_runtime_dir());
	rte_eal_cleanup();
	rmdir(path);
	if (!runtime[0])
		return;
	snprintf(path, sizeof(path), "%s/dpdk", runtime);
	rmdir(path);
	rmdir(runtime);
	runtime[0] = '\0';
}
