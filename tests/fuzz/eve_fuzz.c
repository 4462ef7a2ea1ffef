/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as an event record: the line is valid JSON and one line, and
 * whoever else reads records comes back too.
 */
#include "control/events/eve.h"

#include <stdlib.h>

#include "control/page/page.h"
#include "control/page/summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format(const struct event_head *head, size_t size, const struct person_key *people)
{
	const struct tenant_name tenant = {1, "fuzz", "active"};
	const struct tenant_names names = {&tenant, 1};
	struct json_out out;
	char buf[256];

	json_out_init(&out, buf, sizeof(buf));
	if (eve_format(&out, head, size, &names, people) == 0 && out.len) {
		json_t *json = json_loadb(out.text, out.len,
					  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

		if (!json || memchr(out.text, '\n', out.len) != out.text + out.len - 1)
			abort();
		json_decref(json);
	}
	json_out_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event_head *head = malloc(size < sizeof(*head) ? sizeof(*head) : size);
	struct page *page = page_new(1);
	struct summary summary;

	if (!head || !page)
		abort();
	memset(head, 0, sizeof(*head));
	if (size)
		memcpy(head, data, size);
	format(head, size, NULL);
	format(head, size, &(struct person_key){{1, 2}});
	/* Most inputs have another size in the head than their own: let them in. */
	head->size = (uint32_t)size & ~7U;
	summary_init(&summary);
	for (unsigned type = EVENT_SMTP; type <= EVENT_ADDRESS; type++) {
		head->type = (uint8_t)type;
		format(head, size, NULL);
		if (page_event(page, head, size) != summary_event(&summary, head, size))
			abort();
	}
	summary_fini(&summary);
	page_free(page);
	free(head);
	return 0;
}
