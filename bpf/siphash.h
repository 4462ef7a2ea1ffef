/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits, so that
 * nobody without the key finds addresses that collide, or tests a stored
 * set for an address. Pure; about 20 ns for an e-mail address.
 */
#ifndef POSTERN_SIPHASH_H
#define POSTERN_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *data, size_t len);

#endif
