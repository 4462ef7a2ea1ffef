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

static bool started;

/*
 * DPDK makes a directory for its files, even for --no-shconf: below one of ours, so that neither
 * a user's home nor root's /var/run is needed.
 */
static void runtime_make(char *path)
{
	if (mkdtemp(path))
		setenv("RUNTIME_DIRECTORY", path, 1); /* DPDK: before all other places */
}

/* Nothing is ever put there: gone at once, nobody can leave it behind. */
static void runtime_remove(const char *path)
{
	char below[64];

	rmdir(rte_eal_get_runtime_dir());
	snprintf(below, sizeof(below), "%s/dpdk", path);
	rmdir(below);
	rmdir(path);
	unsetenv("RUNTIME_DIRECTORY");
}

/* DPDK takes what it knows of CPUs from here; a chroot or container may have no /sys. */
static bool cpu_is_described(unsigned cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/topology/core_id", cpu);
	return access(path, F_OK) == 0;
}

/*
 * "(0-2)@(0,3)": every lcore may run on every CPU that this process may: the scheduler knows
 * better than a replay. 0, -ENODEV without a CPU, or -E2BIG.
 */
static int lcores_text(char *text, size_t size, unsigned workers)
{
	int at = snprintf(text, size, "(0-%u)@(", workers);
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0)
		return -E2BIG; /* CPU_SETSIZE is not enough */
	for (unsigned i = 0; i < CPU_SETSIZE && (size_t)at < size; i++)
		if (CPU_ISSET(i, &cpus) && cpu_is_described(i))
			at += snprintf(text + at, size - (size_t)at, "%u,", i);
	if ((size_t)at >= size)
		return -E2BIG;
	if (text[at - 1] != ',')
		return -ENODEV;
	text[at - 1] = ')';
	return 0;
}

int gate_environment(unsigned workers, size_t megabytes, char error[GATE_ERROR])
{
	char memory[24], lcores[8192], prefix[48], runtime[] = "/tmp/postern-XXXXXX";
	const char *const args[] = {
		"postern",     "--no-huge",     "--no-pci", "--no-shconf", "--no-telemetry",
		"--log-level", "error",         "-m",       memory,        "--lcores",
		lcores,        "--file-prefix", prefix,
	};
	int rc;

	snprintf(memory, sizeof(memory), "%zu", megabytes);
	rc = lcores_text(lcores, sizeof(lcores), workers);
	if (rc < 0) {
		snprintf(error, GATE_ERROR, "%s",
			 rc == -ENODEV ? "DPDK finds no CPU: is /sys mounted?"
				       : "more CPUs than DPDK can be told of");
		return rc;
	}
	snprintf(prefix, sizeof(prefix), "postern-%d", (int)getpid());
	runtime_make(runtime);
	rte_log_set_global_level(RTE_LOG_ERR);
	started = true;
	rc = rte_eal_init(RTE_DIM(args), (char **)(uintptr_t)args);
	runtime_remove(runtime);
	if (rc >= 0)
		return 0;
	rc = -rte_errno;
	snprintf(error, GATE_ERROR, "DPDK does not start: %s", rte_strerror(-rc));
	gate_environment_end();
	return rc;
}

void gate_environment_end(void)
{
	if (!started)
		return;
	started = false;
	rte_eal_cleanup();
}
