/* SPDX-License-Identifier: BSD-3-Clause */
/* An AF_XDP socket that only receives: what the dataplane is to the program. */
#ifndef POSTERN_TESTS_LIVE_SOCKET_H
#define POSTERN_TESTS_LIVE_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_socket {
	int fd;
	uint8_t *frames;
	volatile uint32_t *producer, *consumer;
	const void *ring; /* of struct xdp_desc */
	struct {
		void *memory;
		size_t size;
	} mapped[2];
};

/* On queue 0 of the interface, and in the XSKMAP at 0. False: it can't be had. */
bool live_socket_open(struct live_socket *s, uint32_t ifindex, int sockets);
void live_socket_close(struct live_socket *s);

/* The next frame that came, and its length; NULL: none so far. Until the next call. */
const uint8_t *live_socket_next(struct live_socket *s, uint32_t *len);

#endif
