/* SPDX-License-Identifier: BSD-3-Clause */
/* Any lines as a mail server's log: whatever they say, items are what posternd reads. */
#include "control/feedback/feedback_log.h"
#include "tests/fuzz/feedback_item.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feedback_log *log = feedback_log_new(1795660000);
	unsigned items = 0;
	const struct feedback_sink sink = {feedback_item_check, &items};

	if (!log)
		abort();
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		const size_t len = end ? (size_t)(end - data) - at : size - at;

		feedback_log_line(log, bytes_of(data + at, len), &sink);
		at += len + 1;
	}
	if (feedback_log_stats(log).deliveries != items)
		abort();
	feedback_log_free(log);
	return 0;
}
