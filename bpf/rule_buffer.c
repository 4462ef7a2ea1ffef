/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/rule_buffer.h"

#include <string.h>

const struct rule_buffer_info rule_buffers[RULE_BUFFER_COUNT] = {
#define X(id, name, mode, family, side, count, doc) \
	[RULE_BUFFER_##                             \
		id] = {name, doc, BUFFER_##mode, BUFFER_##family, BUFFER_##side, BUFFER_##count},
	RULE_BUFFERS(X)
#undef X
};

enum rule_buffer rule_buffer_find(const char *name, size_t len)
{
	for (int i = 0; i < RULE_BUFFER_COUNT; i++)
		if (strlen(rule_buffers[i].name) == len && !memcmp(rule_buffers[i].name, name, len))
			return (enum rule_buffer)i;
	return RULE_BUFFER_COUNT;
}
