/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/store/audit_chain.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

void audit_hash(const uint8_t before[AUDIT_HASH], const char *text, uint8_t hash[AUDIT_HASH])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, AUDIT_HASH, before);
	sha256_update(&ctx, strlen(text), (const uint8_t *)text);
	sha256_digest(&ctx, AUDIT_HASH, hash);
}

void audit_mac(const uint8_t key[AUDIT_HASH], uint64_t seq, const uint8_t hash[AUDIT_HASH],
	       uint8_t mac[AUDIT_HASH])
{
	struct hmac_sha256_ctx ctx;
	uint8_t place[8];

	for (int i = 0; i < 8; i++)
		place[i] = (uint8_t)(seq >> (8 * (7 - i)));
	hmac_sha256_set_key(&ctx, AUDIT_HASH, key);
	hmac_sha256_update(&ctx, sizeof(place), place);
	hmac_sha256_update(&ctx, AUDIT_HASH, hash);
	hmac_sha256_digest(&ctx, AUDIT_HASH, mac);
}

const char *audit_hex(const uint8_t hash[AUDIT_HASH], char text[AUDIT_HEX])
{
	for (int i = 0; i < AUDIT_HASH; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	return text;
}

bool audit_unhex(const char *text, uint8_t hash[AUDIT_HASH])
{
	if (strlen(text) != AUDIT_HEX - 1 || strspn(text, "0123456789abcdef") != AUDIT_HEX - 1)
		return false;
	for (int i = 0; i < AUDIT_HASH; i++)
		sscanf(text + 2 * i, "%2hhx", &hash[i]);
	return true;
}

const char *audit_step(struct audit_walk *walk, uint64_t seq, const uint8_t hash[AUDIT_HASH],
		       const char *text)
{
	uint8_t expected[AUDIT_HASH];

	if (seq <= walk->seq)
		return "it is not in its place";
	if (seq != walk->seq + 1)
		return "entries before it are missing";
	audit_hash(walk->hash, text, expected);
	if (memcmp(expected, hash, AUDIT_HASH) != 0)
		return "its text, its hash or its place was changed";
	walk->seq = seq;
	memcpy(walk->hash, hash, AUDIT_HASH);
	return NULL;
}
