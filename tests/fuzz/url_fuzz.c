/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text: whole and in pieces the same URLs are found, each within its bounds. */
#include <stdlib.h>

#include "dataplane/proto/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint32_t sum; /* FNV-1a of the URLs */
	size_t count;
};

static void on_url(void *ctx, struct bytes url, bool cut)
{
	struct seen *seen = ctx;

	if (url.len < sizeof("www.") || url.len > URL_MAX)
		abort();
	for (size_t i = 0; i < url.len; i++)
		seen->sum = (seen->sum ^ url.p[i]) * 16777619u;
	seen->sum = (seen->sum ^ cut) * 16777619u;
	seen->count++;
}

static struct seen run(const uint8_t *data, size_t size, size_t piece)
{
	struct seen seen = {.sum = 2166136261u};
	struct url_scan u;

	url_init(&u);
	for (size_t at = 0; at < size; at += piece)
		url_feed(&u, bytes_of(data + at, size - at < piece ? size - at : piece), on_url,
			 &seen);
	url_finish(&u, on_url, &seen);
	return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = run(data, size, size ? size : 1);

	for (size_t piece = 1; piece < 12; piece += 5) {
		struct seen cut = run(data, size, piece);

		if (cut.sum != whole.sum || cut.count != whole.count)
			abort();
	}
	return 0;
}
