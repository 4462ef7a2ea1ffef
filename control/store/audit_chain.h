/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The chain of the audit log: an entry's hash is SHA-256 over the hash before it (32 bytes of zero
 * for the first) and the entry's text. Pure, any thread: posternd makes it, `postern audit verify`
 * and anybody else can follow it.
 */
#ifndef POSTERN_CONTROL_AUDIT_CHAIN_H
#define POSTERN_CONTROL_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUDIT_HASH 32                   /* bytes */
#define AUDIT_HEX  (2 * AUDIT_HASH + 1) /* as digits, with their NUL */

void audit_hash(const uint8_t before[AUDIT_HASH], const char *text, uint8_t hash[AUDIT_HASH]);

/* HMAC-SHA-256 of the last entry: what makes a missing end show. */
void audit_mac(const uint8_t key[AUDIT_HASH], uint64_t seq, const uint8_t hash[AUDIT_HASH],
	       uint8_t mac[AUDIT_HASH]);

const char *audit_hex(const uint8_t hash[AUDIT_HASH], char text[AUDIT_HEX]);
/* false: not that many digits. */
bool audit_unhex(const char *text, uint8_t hash[AUDIT_HASH]);

/* Following a chain from its first entry. Zeroed at first. */
struct audit_walk {
	uint64_t seq; /* of the last good entry */
	uint8_t hash[AUDIT_HASH];
};

/* Why the next entry is not the chain's next; NULL: it is, and the walk is there. */
const char *audit_step(struct audit_walk *walk, uint64_t seq, const uint8_t hash[AUDIT_HASH],
		       const char *text);

#endif
