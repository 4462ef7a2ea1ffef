/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What byte_test, byte_jump, byte_extract and byte_math do with bytes and numbers, as Suricata
 * does it, wrap-around included. Pure; any thread.
 */
#ifndef POSTERN_MATCH_NUMBER_H
#define POSTERN_MATCH_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/ruleset.h"

/*
 * The number that `count` bytes at p say, and how many of them say it: all of a binary one; of a
 * string what strtoull() would read, blanks, sign and prefix included. False: none, or more than
 * 64 bits, or more bytes than such a number has.
 */
bool number_bytes(const struct ruleset_number *n, const uint8_t *p, size_t count, uint64_t *value,
		  size_t *used);

uint64_t number_masked(const struct ruleset_number *n, uint64_t value);
uint64_t number_aligned(const struct ruleset_number *n, uint64_t value);
/* byte_test's comparison, before a '!'. */
bool number_test(const struct ruleset_number *n, uint64_t value, uint64_t with);
/* byte_math's operation. False: divided by zero. */
bool number_combine(const struct ruleset_number *n, uint64_t value, uint64_t with, uint64_t *out);

#endif
