/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/live_socket.h"

#include <bpf/bpf.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES 64 /* more than a test waits for: none is given back */
#define SIZE   4096

static bool set_up(int fd, void *frames)
{
	const struct xdp_umem_reg umem = {
		.addr = (uintptr_t)frames, .len = FRAMES * SIZE, .chunk_size = SIZE};
	const int entries = FRAMES;

	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) == 0 &&
	       setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof(entries)) == 0 &&
	       setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries)) == 0 &&
	       setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)) == 0;
}

static uint8_t *map_ring(struct live_socket *s, unsigned i, uint64_t which, size_t size)
{
	void *ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, s->fd,
			  (off_t)which);

	s->mapped[i].memory = ring;
	s->mapped[i].size = size;
	return ring == MAP_FAILED ? NULL : ring;
}

static bool map_rings(struct live_socket *s)
{
	struct xdp_mmap_offsets at;
	socklen_t size = sizeof(at);
	uint8_t *fill, *rx;

	if (getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &size) < 0)
		return false;
	fill = map_ring(s, 0, XDP_UMEM_PGOFF_FILL_RING, at.fr.desc + FRAMES * sizeof(uint64_t));
	rx = map_ring(s, 1, XDP_PGOFF_RX_RING, at.rx.desc + FRAMES * sizeof(struct xdp_desc));
	if (!fill || !rx)
		return false;
	for (unsigned i = 0; i < FRAMES; i++)
		((uint64_t *)(void *)(fill + at.fr.desc))[i] = (uint64_t)i * SIZE;
	__atomic_store_n((uint32_t *)(void *)(fill + at.fr.producer), FRAMES, __ATOMIC_RELEASE);
	s->producer = (uint32_t *)(void *)(rx + at.rx.producer);
	s->consumer = (uint32_t *)(void *)(rx + at.rx.consumer);
	s->ring = rx + at.rx.desc;
	return true;
}

bool live_socket_open(struct live_socket *s, uint32_t ifindex, int sockets)
{
	const struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP, .sxdp_ifindex = ifindex, .sxdp_flags = XDP_COPY};
	uint32_t queue = 0;

	s->frames = mmap(NULL, FRAMES * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	s->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	return s->frames != MAP_FAILED && s->fd >= 0 && set_up(s->fd, s->frames) && map_rings(s) &&
	       bind(s->fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       bpf_map_update_elem(sockets, &queue, &s->fd, BPF_ANY) == 0;
}

void live_socket_close(struct live_socket *s)
{
	/* The rings hold the socket as the descriptor does. */
	for (unsigned i = 0; i < 2; i++)
		munmap(s->mapped[i].memory, s->mapped[i].size);
	close(s->fd);
	munmap(s->frames, FRAMES * SIZE);
}

const uint8_t *live_socket_next(struct live_socket *s, uint32_t *len)
{
	const struct xdp_desc *ring = s->ring;
	const struct xdp_desc *d = &ring[*s->consumer % FRAMES];

	if (__atomic_load_n(s->producer, __ATOMIC_ACQUIRE) == *s->consumer)
		return NULL;
	*len = d->len;
	__atomic_store_n(s->consumer, *s->consumer + 1, __ATOMIC_RELEASE);
	return s->frames + d->addr;
}
