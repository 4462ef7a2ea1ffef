/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a mailbox: what its messages are does not depend on how the bytes were cut, nothing
 * is told outside of a message, and nothing is made up.
 */
#include <stdlib.h>
#include <string.h>

#include "control/feedback/feedback_mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	uint64_t messages, bytes, lines, hash;
	bool open;
};

static void mix(struct told *t, uint64_t value)
{
	t->hash = (t->hash ^ value) * UINT64_C(0x100000001b3);
}

static void on_begin(void *ctx, uint64_t line)
{
	struct told *t = ctx;

	if (t->open || (t->messages && line <= t->lines))
		abort();
	t->open = true;
	t->messages++;
	t->lines = line;
	mix(t, line);
}

static void on_data(void *ctx, struct bytes data)
{
	struct told *t = ctx;

	if (!t->open || !data.len)
		abort();
	t->bytes += data.len;
	for (size_t i = 0; i < data.len; i++)
		mix(t, data.p[i]);
}

static void on_end(void *ctx)
{
	struct told *t = ctx;

	if (!t->open)
		abort();
	t->open = false;
	mix(t, 256);
}

static struct told run(const uint8_t *data, size_t size, size_t piece)
{
	struct told t = {0};
	const struct mbox_sink sink = {on_begin, on_data, on_end, &t};
	struct mbox m;

	mbox_init(&m);
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		mbox_feed(&m, bytes_of(data + at, n), &sink);
	}
	mbox_finish(&m, &sink);
	if (t.open || !t.messages || t.messages != m.messages || t.bytes > size)
		abort();
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t pieces[] = {1, 2, 7, 600};
	const struct told whole = run(data, size, size + 1);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		const struct told cut = run(data, size, pieces[i]);

		if (cut.messages != whole.messages || cut.hash != whole.hash)
			abort();
	}
	return 0;
}
