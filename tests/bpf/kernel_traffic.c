/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/kernel_traffic.h"

#include "tests/unit/test.h"

static void *send_all_the_time(void *arg)
{
	struct kernel_traffic *t = arg;

	for (unsigned i = 0; !t->stop; i++) {
		t->dropped += !t->send(t->maps, i);
		t->sent++;
	}
	return NULL;
}

void kernel_traffic_start(struct kernel_traffic *t)
{
	assert_int_equal(pthread_create(&t->thread, NULL, send_all_the_time, t), 0);
}

void kernel_traffic_stop(struct kernel_traffic *t)
{
	t->stop = true;
	pthread_join(t->thread, NULL);
}
