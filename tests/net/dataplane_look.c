/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a control process would see of a running dataplane: says hello, maps its memory, waits for
 * every worker's heart to beat, reads the events that are there, and prints what was counted.
 *
 *     dataplane-look SOCKET
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/shm.h"
#include "control/daemon/channel_client.h"

#define PATIENCE_MS 20000

static const struct shm_head *map(int fd, uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char error[SHM_ERROR];

	if (memory == MAP_FAILED || shm_check(memory, size, error)) {
		fprintf(stderr, "dataplane-look: %s\n",
			memory == MAP_FAILED ? strerror(errno) : error);
		return NULL;
	}
	return memory;
}

static bool beats(const struct shm_head *head, unsigned worker)
{
	uint64_t before = atomic_load(&shm_worker(head, worker)->heartbeat);

	for (unsigned ms = 0; ms < PATIENCE_MS; ms += 5) {
		poll(NULL, 0, 5);
		if (atomic_load(&shm_worker(head, worker)->heartbeat) > before)
			return true;
	}
	return false;
}

struct seen {
	uint64_t records, generation;
};

static void take(void *ctx, const struct event_head *e)
{
	struct seen *seen = ctx;

	seen->records++;
	if (e->generation > seen->generation)
		seen->generation = e->generation;
}

static void print(const struct shm_head *head)
{
	uint64_t hits = 0, sum[4] = {0};
	struct seen seen = {0};

	for (unsigned i = 0; i < head->workers; i++) {
		const struct counters *c = shm_counters(head, i);
		struct event_ring ring = shm_ring(head, i);

		sum[0] += c->link.packets;
		sum[1] += c->smtp.messages_accepted;
		sum[2] += c->sip.calls_answered;
		sum[3] += atomic_load(&shm_worker(head, i)->handed_over);
		for (uint32_t n = 0; n < head->rules; n++)
			hits += shm_hits(head, i)[n];
		event_ring_drain(&ring, take, &seen);
	}
	printf("packets=%llu messages=%llu calls=%llu handed_over=%llu hits=%llu events=%llu "
	       "generation=%llu rx=%llu\n",
	       (unsigned long long)sum[0], (unsigned long long)sum[1], (unsigned long long)sum[2],
	       (unsigned long long)sum[3], (unsigned long long)hits,
	       (unsigned long long)seen.records, (unsigned long long)seen.generation,
	       (unsigned long long)head->port[0].rx_packets);
}

int main(int argc, char **argv)
{
	struct channel_request request = channel_request_of(CHANNEL_HELLO);
	int channel = argc == 2 ? channel_connect(argv[1], PATIENCE_MS) : -EINVAL, fd = -1;
	const struct shm_head *head;
	struct channel_reply reply;

	if (channel < 0 || channel_call(channel, &request, -1, &reply, &fd) != 0 || reply.error) {
		fprintf(stderr, "dataplane-look: no hello: %s\n", strerror(-channel));
		return 1;
	}
	head = map(fd, reply.status.shm_size);
	if (!head || head->pid != reply.status.pid)
		return 1;
	for (unsigned i = 0; i < head->workers; i++) {
		if (beats(head, i))
			continue;
		fprintf(stderr, "dataplane-look: worker %u has no heartbeat\n", i);
		return 1;
	}
	print(head);
	return 0;
}
