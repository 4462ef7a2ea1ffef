/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes are a message: fed whole, cut in two and in pieces, the parser
 * tells the same. The first byte says how it is cut.
 */
#include <stdlib.h>

#include "tests/spec/mime_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_log whole, cut;
	size_t seed = size ? data[0] : 0;

	mime_log_init(&whole);
	mime_log_run(&whole, data, size, size, 1);
	for (int in_two = 0; in_two < 2; in_two++) {
		mime_log_init(&cut);
		mime_log_run(&cut, data, size, size * seed / 256, in_two ? size : 1 + seed % 7);
		if (strcmp(whole.text, cut.text) != 0)
			abort();
		mime_log_fini(&cut);
	}
	mime_log_fini(&whole);
	return 0;
}
