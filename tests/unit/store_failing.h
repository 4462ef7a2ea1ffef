/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk that takes nothing: no file may grow beyond its first byte (setrlimit(2)). */
#ifndef POSTERN_TESTS_UNIT_STORE_FAILING_H
#define POSTERN_TESTS_UNIT_STORE_FAILING_H

#include <signal.h>
#include <sys/resource.h>

#include "tests/unit/test.h"

/* Bytes that a file may have; RLIM_INFINITY: as many as it likes. */
static inline void disk_takes(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#define DISK_FAILS() disk_takes(1)
#define DISK_WORKS() disk_takes(RLIM_INFINITY)

#endif
