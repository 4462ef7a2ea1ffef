/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text, any part of it: what comes out fits, and has no address and no long number. */
#include <stdlib.h>

#include "dataplane/proto/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *out, size_t len)
{
	unsigned digits = 0;

	for (size_t i = 0; i < len; i++) {
		const bool digit = out[i] >= '0' && out[i] <= '9';

		digits = digit ? digits + 1 : 0;
		if (digits >= 7)
			abort();
		if (i > 0 && i + 1 < len && out[i] == '@' && ascii_lower(out[i - 1]) >= 'a' &&
		    ascii_lower(out[i - 1]) <= 'z')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t used = size < REDACT_MAX ? size : REDACT_MAX;

	for (unsigned i = 0; i < 8; i++) {
		struct redact_piece piece = {.bytes = bytes_of(data, size),
					     .from = used * (i % 4) / 8,
					     .to = used - used * (i % 3) / 8,
					     .starts = i & 1,
					     .ends = i & 2};
		const size_t room = REDACT_ROOM(piece.to - piece.from);
		uint8_t *out = malloc(room);

		if (!out)
			abort();
		check(out, redact(&piece, out, room));
		free(out);
	}
	return 0;
}
