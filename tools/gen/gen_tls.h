/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a TLS 1.3 connection looks like from outside: hellos in the clear (the
 * client's names its server), then records of noise.
 */
#ifndef POSTERN_GEN_TLS_H
#define POSTERN_GEN_TLS_H

#include "tools/gen/gen_flow.h"
#include "tools/gen/gen_random.h"

void tls_client_hello(struct gen_buffer *out, struct gen_random *random, const char *server_name);
/* ServerHello, change_cipher_spec, and the rest of the server's flight, encrypted. */
void tls_server_flight(struct gen_buffer *out, struct gen_random *random);
/* Application data of len bytes in records of at most 16 kB. */
void tls_data(struct gen_buffer *out, struct gen_random *random, size_t len);

#endif
