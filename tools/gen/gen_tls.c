/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_tls.h"

#include <string.h>

/* RFC 8446 */
enum {
	RECORD_CHANGE_CIPHER = 20,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	HELLO_CLIENT = 1,
	HELLO_SERVER = 2,
	RECORD_MAX = 16384,
	AEAD_TAG = 17, /* inner type and tag */
};

static void put16(struct gen_buffer *out, size_t value)
{
	buffer_put(out, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_noise(struct gen_buffer *out, struct gen_random *random, size_t len)
{
	random_fill(random, buffer_extend(out, len), len);
}

static void set16(struct gen_buffer *out, size_t at, size_t value)
{
	out->bytes[at] = (uint8_t)(value >> 8);
	out->bytes[at + 1] = (uint8_t)value;
}

/* Record and handshake headers with their lengths still open. */
static void begin_hello(struct gen_buffer *out, struct gen_random *random, uint8_t type)
{
	buffer_put(out, (uint8_t[]){RECORD_HANDSHAKE, 3, 1, 0, 0, type, 0, 0, 0, 3, 3}, 11);
	put_noise(out, random, 32); /* random */
	buffer_put(out, (uint8_t[]){32}, 1);
	put_noise(out, random, 32); /* legacy session id */
}

static void end_hello(struct gen_buffer *out, size_t start)
{
	set16(out, start + 3, out->len - start - 5);
	set16(out, start + 7, out->len - start - 9);
}

static void put_server_name(struct gen_buffer *out, const char *name)
{
	size_t len = strlen(name);

	put16(out, 0);
	put16(out, len + 5);
	put16(out, len + 3);
	buffer_put(out, (uint8_t[]){0}, 1);
	put16(out, len);
	buffer_put(out, name, len);
}

void tls_client_hello(struct gen_buffer *out, struct gen_random *random, const char *server_name)
{
	static const uint8_t suites[] = {0, 6, 0x13, 1, 0x13, 2, 0x13, 3, 1, 0};
	/* supported_groups: x25519; signature_algorithms: two; supported_versions: 1.3 */
	static const uint8_t extensions[] = {0, 10, 0, 4, 0, 2, 0,  29, 0, 13, 0, 6, 0,
					     4, 4,  3, 8, 4, 0, 43, 0,  3, 2,  3, 4};
	size_t start = out->len, length;

	begin_hello(out, random, HELLO_CLIENT);
	buffer_put(out, suites, sizeof(suites));
	length = out->len;
	put16(out, 0);
	put_server_name(out, server_name);
	buffer_put(out, extensions, sizeof(extensions));
	buffer_put(out, (uint8_t[]){0, 51, 0, 38, 0, 36, 0, 29, 0, 32}, 10); /* key_share */
	put_noise(out, random, 32);
	set16(out, length, out->len - length - 2);
	end_hello(out, start);
}

static void put_record(struct gen_buffer *out, struct gen_random *random, size_t len)
{
	buffer_put(out, (uint8_t[]){RECORD_DATA, 3, 3}, 3);
	put16(out, len);
	put_noise(out, random, len);
}

void tls_server_flight(struct gen_buffer *out, struct gen_random *random)
{
	static const uint8_t chosen[] = {0x13, 1, 0,  0, 46, 0, 43, 0, 2, 3,
					 4,    0, 51, 0, 36, 0, 29, 0, 32};
	size_t start = out->len;

	begin_hello(out, random, HELLO_SERVER);
	buffer_put(out, chosen, sizeof(chosen));
	put_noise(out, random, 32);
	end_hello(out, start);
	buffer_put(out, (uint8_t[]){RECORD_CHANGE_CIPHER, 3, 3, 0, 1, 1}, 6);
	put_record(out, random, 2200 + random_below(random, 1500)); /* the certificate */
}

void tls_data(struct gen_buffer *out, struct gen_random *random, size_t len)
{
	while (len) {
		size_t step = len < RECORD_MAX ? len : RECORD_MAX;

		put_record(out, random, step + AEAD_TAG);
		len -= step;
	}
}
