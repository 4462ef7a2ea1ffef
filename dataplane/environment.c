/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment for whoever has neither root nor hugepages. */
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/gate.h"

static char runtime[64]; /* ours, if we made it */

/* DPDK makes a directory there, even for --no-shconf; only root's default always works. */
static void runtime_dir(void)
{
	char path[] = "/tmp/postern-XXXXXX";

	if (!mkdtemp(path))
		return;
	snprintf(runtime, sizeof(runtime), "%s", path);
	setenv("XDG_RUNTIME_DIR", runtime, 1);
}

int gate_environment(unsigned workers, size_t megabytes, char error[GATE_ERROR])
{
	char memory[24], lcores[64], prefix[48];
	const char *const args[] = {
		"postern",     "--no-huge",     "--no-pci", "--no-shconf", "--no-telemetry",
		"--log-level", "error",         "-m",       memory,        "--lcores",
		lcores,        "--file-prefix", prefix,
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	snprintf(memory, sizeof(memory), "%zu", megabytes);
	/* Every lcore may run on every CPU: the scheduler knows better than a replay. */
	snprintf(lcores, sizeof(lcores), "(0-%u)@(0-%ld)", workers, cpus > 1 ? cpus - 1 : 0);
	snprintf(prefix, sizeof(prefix), "postern-%d", (int)getpid());
	runtime_dir();
	rte_log_set_global_level(RTE_LOG_ERR);
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
