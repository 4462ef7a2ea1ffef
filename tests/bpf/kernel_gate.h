/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program in the kernel, for tests: a network and a mount namespace of their own, with
 * a bpffs in it, maps and program loaded, packets through BPF_PROG_TEST_RUN.
 */
#ifndef POSTERN_TESTS_KERNEL_GATE_H
#define POSTERN_TESTS_KERNEL_GATE_H

#include "control/kernel/gate_maps.h"

/* The most that TEST_RUN takes: a page less what the kernel keeps around a frame. */
#define KERNEL_FRAME_MAX 3500

/* NULL, or why this test can't run here. Leaves the process in the namespaces. */
const char *kernel_gate_enter(const char *object);
/* At the end: nothing is left behind. */
void kernel_gate_leave(void);

/* The bpffs, or a new folder in it: each has its own maps. */
const char *kernel_gate_dir(void);
const char *kernel_gate_new_dir(const char *name);

/* Opens, or ends the test. */
struct gate_maps *kernel_gate_open(const char *dir);

/*
 * Whether an AF_XDP socket listens on queue 0, by the program's map. It is one socket for all: to
 * close one and bind the next takes the kernel a while. Ends the test that can't have it.
 */
void kernel_gate_listen(struct gate_maps *maps, bool listen);

/* What the program returns (enum xdp_action) of a frame that comes in by the loopback, ifindex 1.
 */
uint32_t kernel_gate_run(struct gate_maps *maps, const void *frame, uint32_t len, unsigned repeat);

/* CLOCK_MONOTONIC, ns. */
uint64_t kernel_gate_now(void);

#endif
