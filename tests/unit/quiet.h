/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does it make a system call? It runs in a child of its own, where the kernel lets nothing through
 * but the end. (A filter and not seccomp's strict mode: that one can't be had where a container has
 * a filter already.) Page faults are no calls, nor is the clock, which is read in memory.
 */
#ifndef POSTERN_TESTS_UNIT_QUIET_H
#define POSTERN_TESTS_UNIT_QUIET_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

enum {
	QUIET_WELL = -1,    /* none, and it says that all was as it should be */
	QUIET_WRONG = -2,   /* it says that it wasn't, or died */
	QUIET_UNKNOWN = -3, /* the kernel has no filters for us */
};

static volatile int *quiet_call; /* shared with the child */

static inline void quiet_called(int signal, siginfo_t *info, void *context)
{
	*quiet_call = info->si_syscall;
	syscall(SYS_exit_group, 0);
}

/* From here on. 0 or -errno. */
static inline int quiet_begin(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	struct sigaction action = {.sa_flags = SA_SIGINFO};

	action.sa_sigaction = quiet_called;
	if (sigaction(SIGSYS, &action, NULL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

/*
 * `what` returns whether all was as it should be; what it changes stays in the child. The number of
 * the first system call, or one of the above.
 */
static inline int quiet_run(bool (*what)(void))
{
	int status = -1, call;
	pid_t pid;

	quiet_call = mmap(NULL, sizeof(*quiet_call), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal((void *)quiet_call, MAP_FAILED);
	*quiet_call = QUIET_WELL;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (quiet_begin() < 0)
			*quiet_call = QUIET_UNKNOWN;
		else if (!what())
			*quiet_call = QUIET_WRONG;
		syscall(SYS_exit_group, 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	call = status == 0 ? *quiet_call : QUIET_WRONG;
	munmap((void *)quiet_call, sizeof(*quiet_call));
	if (call == QUIET_UNKNOWN) {
		print_message("# no seccomp filter can be had here: not looked at\n");
		skip();
	}
	return call;
}

#endif
