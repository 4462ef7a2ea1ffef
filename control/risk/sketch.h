/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers' sketches (bpf/sketch.h, bpf/hll.h) say together. Pure; any thread. */
#ifndef POSTERN_CONTROL_SKETCH_H
#define POSTERN_CONTROL_SKETCH_H

#include "bpf/hll.h"
#include "bpf/sketch.h"

#define SKETCH_MOST 1420 /* more are not told apart: 256 ln 256 */

/* How many different ones: all bits set is SKETCH_MOST. */
uint32_t sketch_estimate(const uint64_t bits[SKETCH_WORDS]);

/* How many different ones, of merged registers. */
uint64_t hll_estimate(const uint8_t registers[HLL_REGISTERS]);

#endif
