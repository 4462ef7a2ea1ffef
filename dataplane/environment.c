/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment: for a replay without root, hugepages or devices; for a live gate with them.
 */
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

/* "0@2,1@3": each lcore has a CPU of its own. `cpus` was checked: numbers and commas. */
static int lcores_pinned(char *text, size_t size, const char *cpus)
{
	size_t at = 0;

	for (unsigned lcore = 0; *cpus; lcore++) {
		size_t len = strcspn(cpus, ",");
		int n = snprintf(text + at, size - at, "%s%u@%.*s", at ? "," : "", lcore, (int)len,
				 cpus);

		if (n < 0 || (size_t)n >= size - at)
			return -E2BIG;
		at += (size_t)n;
		cpus += len + (cpus[len] == ',');
	}
	return 0;
}

/* What EAL is told, for each of its arguments a place. */
struct eal_args {
	const char *argv[32];
	int argc;
	char memory[24], lcores[8192], prefix[48];
};

static void arg(struct eal_args *a, const char *text)
{
	a->argv[a->argc++] = text;
}

static void args_fill(struct eal_args *a, const struct environment *e)
{
	snprintf(a->memory, sizeof(a->memory), "%zu", e->megabytes);
	snprintf(a->prefix, sizeof(a->prefix), "postern-%d", (int)getpid());
	arg(a, "postern");
	/* Hugepages without files in hugetlbfs: nobody finds what was left behind. */
	arg(a, e->huge ? "--in-memory" : "--no-huge");
	if (!e->huge)
		arg(a, "--no-shconf");
	arg(a, "--no-telemetry");
	arg(a, "--log-level");
	arg(a, "error");
	arg(a, "-m");
	arg(a, a->memory);
	arg(a, "--lcores");
	arg(a, a->lcores);
	arg(a, "--file-prefix");
	arg(a, a->prefix);
	for (unsigned i = 0; i < 2 && e->device[i]; i++) {
		arg(a, "-a");
		arg(a, e->device[i]);
	}
	if (!e->device[0])
		arg(a, "--no-pci");
}

int gate_environment(unsigned workers, size_t megabytes, char error[GATE_ERROR])
{
	return gate_environment_start(
		&(struct environment){.workers = workers, .megabytes = megabytes}, error);
}

int gate_environment_start(const struct environment *e, char error[GATE_ERROR])
{
	char runtime[] = "/tmp/postern-XXXXXX";
	struct eal_args args = {.argc = 0};
	int rc = e->cpus ? lcores_pinned(args.lcores, sizeof(args.lcores), e->cpus)
			 : lcores_text(args.lcores, sizeof(args.lcores), e->workers);

	if (rc < 0) {
		snprintf(error, GATE_ERROR, "%s",
			 rc == -ENODEV ? "DPDK finds no CPU: is /sys mounted?"
				       : "more CPUs than DPDK can be told of");
		return rc;
	}
	args_fill(&args, e);
	runtime_make(runtime);
	rte_log_set_global_level(RTE_LOG_ERR);
	started = true;
	rc = rte_eal_init(args.argc, (char **)(uintptr_t)args.argv);
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
