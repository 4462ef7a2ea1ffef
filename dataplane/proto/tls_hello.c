/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/tls_hello.h"

#define HANDSHAKE    22
#define CLIENT_HELLO 1
#define SERVER_NAME  0
#define HOST_NAME    0

bool tls_is_hello(struct bytes data)
{
	return data.len && data.p[0] == HANDSHAKE && (data.len < 2 || data.p[1] == 3) &&
	       (data.len < 3 || data.p[2] <= 4);
}

/* Takes n bytes off the front; an empty span when there are not as many. */
static struct bytes take(struct bytes *rest, size_t n)
{
	struct bytes taken = bytes_of(rest->p, n);

	if (n > rest->len) {
		*rest = bytes_of(rest->p, 0);
		return *rest;
	}
	*rest = bytes_of(rest->p + n, rest->len - n);
	return taken;
}

/* A vector: its length in `width` bytes, then so many bytes, as far as they are there. */
static struct bytes take_vector(struct bytes *rest, size_t width)
{
	struct bytes head = take(rest, width);
	size_t len = 0;

	for (size_t i = 0; i < head.len; i++)
		len = len << 8 | head.p[i];
	return take(rest, len < rest->len ? len : rest->len);
}

static unsigned take_type(struct bytes *rest)
{
	struct bytes t = take(rest, 2);

	return t.len == 2 ? (unsigned)(t.p[0] << 8 | t.p[1]) : 0xffff;
}

static struct bytes host_name(struct bytes extension)
{
	struct bytes list = take_vector(&extension, 2);
	struct bytes type = take(&list, 1);

	return type.len && type.p[0] == HOST_NAME ? take_vector(&list, 2) : bytes_of(NULL, 0);
}

struct bytes tls_server_name(struct bytes data)
{
	struct bytes hello, extensions;

	if (!tls_is_hello(data))
		return bytes_of(NULL, 0);
	take(&data, 3);
	data = take_vector(&data, 2); /* the record */
	hello = take(&data, 1);
	if (!hello.len || hello.p[0] != CLIENT_HELLO)
		return bytes_of(NULL, 0);
	hello = take_vector(&data, 3);
	take(&hello, 2 + 32);   /* version, random */
	take_vector(&hello, 1); /* session id */
	take_vector(&hello, 2); /* cipher suites */
	take_vector(&hello, 1); /* compression methods */
	extensions = take_vector(&hello, 2);
	while (extensions.len >= 4) {
		unsigned type = take_type(&extensions);
		struct bytes extension = take_vector(&extensions, 2);

		if (type == SERVER_NAME)
			return host_name(extension);
	}
	return bytes_of(NULL, 0);
}
