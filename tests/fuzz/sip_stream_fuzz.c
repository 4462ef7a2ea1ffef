/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIP framer says the same however a stream is cut. The last byte chooses
 * the cuts: whole against byte by byte, or against pieces of a size.
 */
#include "tests/spec/sip_log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct sip_log *log, const uint8_t *data, size_t size, size_t piece)
{
	struct sip_framer f = {0};

	sip_log_init(log);
	for (size_t i = 0; i < size; i += piece) {
		size_t n = size - i < piece ? size - i : piece;

		sip_frame_feed(&f, data + i, n, &log->pool, &sip_log_sink, log);
		if (f.offset != i + n || sip_frame_settled(&f) > f.offset || (!f.len && f.block))
			abort();
	}
	sip_frame_fini(&f, &log->pool);
	if (log->blocks)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_log whole, cut;

	if (size < 2)
		return 0;
	size--;
	feed(&whole, data, size, size);
	feed(&cut, data, size, 1 + data[size]);
	if (whole.len != cut.len || memcmp(whole.text, cut.text, whole.len) != 0)
		abort();
	return 0;
}
