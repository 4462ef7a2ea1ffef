/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a mail that came back: its items are one line of valid JSON each, that posternd
 * reads as what was written, however the bytes were cut.
 */
#include "control/feedback/feedback_mail.h"
#include "tests/fuzz/feedback_item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum feedback_mail_kind run(const uint8_t *data, size_t size, size_t piece, unsigned *items)
{
	static struct feedback_mail m;
	const struct feedback_sink sink = {feedback_item_check, items};
	enum feedback_mail_kind kind;

	*items = 0;
	feedback_mail_init(&m);
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		feedback_mail_feed(&m, bytes_of(data + at, n));
	}
	kind = feedback_mail_finish(&m);
	feedback_mail_tell(&m, &sink);
	return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned whole, pieces;

	if (run(data, size, size, &whole) != run(data, size, 13, &pieces) || whole != pieces ||
	    whole > FEEDBACK_RECIPIENTS)
		abort();
	return 0;
}
