/* SPDX-License-Identifier: BSD-3-Clause */
/* What live_pair.c and live_peer.c share. Nobody else includes it. */
#ifndef POSTERN_TESTS_LIVE_PAIR_INTERNAL_H
#define POSTERN_TESTS_LIVE_PAIR_INTERNAL_H

#include "tests/live_pair.h"

#define MS     UINT64_C(1000000) /* ns */
#define NO_FIN UINT32_MAX

/* live_pair.c */
void pair_put_in_flight(struct pair *p, const uint8_t *frame, uint32_t len, unsigned to,
			bool to_gate);
void pair_trace(const struct pair *p, const char *where, unsigned from, const uint8_t *frame,
		uint32_t len);

/* live_peer.c */
void peer_receive(struct pair *p, unsigned side, const uint8_t *frame, uint32_t len);
void peer_timer_start(struct pair *p, struct peer *peer);
void peer_time_out(struct pair *p, unsigned side);
/* What the other end's window and the connection let out. */
void peer_send_new(struct pair *p, unsigned side);

#endif
