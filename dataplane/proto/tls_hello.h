/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a TLS client says in the clear: its first record, read in place. Pure;
 * any thread; linear.
 */
#ifndef POSTERN_PROTO_TLS_HELLO_H
#define POSTERN_PROTO_TLS_HELLO_H

#include "dataplane/proto/bytes.h"

/* Do the bytes begin as a TLS handshake record does (RFC 8446 5.1)? One suffices: no text does. */
bool tls_is_hello(struct bytes data);

/*
 * The server's name (RFC 6066 3) in a ClientHello (RFC 8446 4.1.2) at the start of `data`, a
 * span of it. Empty: there is none, or not in these bytes (a hello cut by segments).
 */
struct bytes tls_server_name(struct bytes data);

#endif
