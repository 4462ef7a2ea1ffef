/* SPDX-License-Identifier: BSD-3-Clause */
/* Values and list entries as people write them: what is accepted is within its bounds. */
#include <stdlib.h>
#include <string.h>

#include "bpf/list.h"
#include "control/config/cidr.h"
#include "control/config/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_values(const char *text)
{
	uint64_t value;
	struct rate rate;
	struct gcra gcra;

	if (value_duration(text, &value) == 0)
		HOLDS(value <= VALUE_DURATION_MAX);
	value_size(text, &value);
	if (value_rate(text, &rate) != 0 || rate.state == RATE_UNLIMITED)
		return;
	HOLDS(rate.count && rate.burst && rate.period);
	for (int bytes = 0; bytes < 2; bytes++)
		if (rate_gcra(&rate, bytes, &gcra) == 0)
			HOLDS(gcra.interval && gcra.tolerance <= VALUE_DURATION_MAX);
}

/* A network that is shown reads as the same network. */
static void check_network(const char *text)
{
	struct prefix prefix = {0}, again = {0};
	char shown[CIDR_TEXT_SIZE];

	if (cidr_parse(text, &prefix) != 0)
		return;
	cidr_format(&prefix, shown);
	HOLDS(cidr_parse(shown, &again) == 0);
	HOLDS(prefix_compare(&prefix, &again) == 0);
}

typedef size_t normaliser(const void *in, size_t len, uint8_t out[LIST_TEXT_MAX]);

/* Case makes no difference. */
static void check_entry(normaliser *of, const uint8_t *data, size_t size)
{
	uint8_t normal[LIST_TEXT_MAX], again[LIST_TEXT_MAX];
	uint8_t upper[2 * LIST_TEXT_MAX];
	size_t len = of(data, size, normal);

	HOLDS(len <= LIST_TEXT_MAX);
	if (size > sizeof(upper))
		return;
	for (size_t i = 0; i < size; i++)
		upper[i] = data[i] >= 'a' && data[i] <= 'z' ? data[i] - 32 : data[i];
	HOLDS(of(upper, size, again) == len);
	HOLDS(memcmp(normal, again, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	HOLDS(text);
	check_values(text);
	check_network(text);
	check_entry(list_address, data, size);
	check_entry(list_domain, data, size);
	check_entry(list_number, data, size);
	free(text);
	return 0;
}
