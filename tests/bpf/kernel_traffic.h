/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets through the program all the time, on a thread of their own, while its maps change. */
#ifndef POSTERN_TESTS_KERNEL_TRAFFIC_H
#define POSTERN_TESTS_KERNEL_TRAFFIC_H

#include <pthread.h>

#include "control/kernel/gate_maps.h"

struct kernel_traffic {
	struct gate_maps *maps;
	/* Sends the i-th packet: whether it passes. In the creator's network namespace, as threads
	 * are. */
	bool (*send)(struct gate_maps *maps, unsigned i);
	_Atomic bool stop;
	_Atomic uint64_t sent;
	uint64_t dropped; /* once it is stopped */
	pthread_t thread;
};

/* `maps` and `send` are set; or ends the test. */
void kernel_traffic_start(struct kernel_traffic *traffic);
void kernel_traffic_stop(struct kernel_traffic *traffic);

#endif
