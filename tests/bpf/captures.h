/* SPDX-License-Identifier: BSD-3-Clause */
/* Every Ethernet frame of the captures there are: the project's, and the corpus's if it is here. */
#ifndef POSTERN_TESTS_CAPTURES_H
#define POSTERN_TESTS_CAPTURES_H

#include <stdint.h>

/* Returns how many there were. */
uint64_t captures_each(const char *folder,
		       void (*take)(void *ctx, const uint8_t *frame, uint32_t len), void *ctx);

#endif
