/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/base/privilege.h"

static uint64_t address_space(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, uint64_t value)
{
	const struct rlimit bound = {value, value};

	setrlimit(resource, &bound);
}

void child_confine(const char *name, int parent, uint64_t memory, uint64_t time)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Of a death before that nobody is told, and its work would meet the next posternd's. */
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, name);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	privilege_none();
	limit(RLIMIT_AS, address_space() + memory);
	limit(RLIMIT_CPU, time / 1000000000 + 1);
	limit(RLIMIT_CORE, 0);
	setpriority(PRIO_PROCESS, 0, 5);
}

int child_wait(int pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void child_explain(const char *name, int status, char *why, unsigned long size)
{
	if (WIFSIGNALED(status))
		snprintf(why, size, "the %s was killed by signal %d (%s)", name, WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(why, size,
			 "the %s gave up with status %d: not enough memory "
			 "(gate.compile_memory)?",
			 name, WEXITSTATUS(status));
}
