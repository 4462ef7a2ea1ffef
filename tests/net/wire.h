/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/* How bad a wire is: set before its program is loaded (wire.c), read by it (wire.bpf.c). */
#ifndef POSTERN_TESTS_WIRE_H
#define POSTERN_TESTS_WIRE_H

#include <stdint.h>

struct wire_options {
	uint32_t lose;    /* one in so many segments of data is lost; 0: none */
	uint32_t corrupt; /* one in so many of the others comes with a wrong byte; 0: none */
	uint32_t seed;
};

#endif
