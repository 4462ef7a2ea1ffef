/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* What a program that takes its time (dwell.bpf.c) and who runs it (kernel_wait_test.c) share. */
#ifndef POSTERN_TESTS_DWELL_H
#define POSTERN_TESTS_DWELL_H

#include <stdint.h>

#define DWELL_MAP "dwell"

/* One, mapped. */
struct dwell {
	uint32_t runs;     /* the program's: it has the table before it */
	uint32_t replaced; /* the test's: somebody is about to replace the table */
	uint32_t ended;    /* the program's: it reads nothing any more */
	uint32_t changed;  /* the program's: the table was written meanwhile, or replaced */
};

#endif
