/* SPDX-License-Identifier: BSD-3-Clause */
/* Any lines as a mail server's log: whatever they say, items are what posternd reads. */
#include <stdlib.h>

#include "control/feedback_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_item(void *ctx, const struct feedback_item *item)
{
	json_t *object = feedback_item_json(item), *back;
	struct feedback_item again;
	const char *wrong;

	if (!object || feedback_item_parse(object, &again, &wrong) != 0)
		abort();
	back = feedback_item_json(&again);
	if (!json_equal(object, back))
		abort();
	json_decref(back);
	json_decref(object);
	++*(uint64_t *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feedback_log *log = feedback_log_new(1795660000);
	uint64_t items = 0;
	const struct feedback_sink sink = {on_item, &items};

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
