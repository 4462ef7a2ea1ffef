/* SPDX-License-Identifier: BSD-3-Clause */
/* Samples, and the conversations that they become: whatever is read, it is taken or refused with a
 * place. */
#include <stdlib.h>

#include "tools/samples/samples_script.h"

#define SIZE_MAX_FUZZED 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_script(const struct script *script)
{
	size_t at = 0;

	for (size_t i = 0; i < script->turn_count; i++) {
		check(script->turns[i].start == at);
		at += script->turns[i].len;
	}
	check(script->full || at == script->bytes.len);
	for (size_t i = 0; i < script->cut_count; i++)
		check(script->cuts[i] <= script->bytes.len &&
		      (!i || script->cuts[i - 1] <= script->cuts[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sample_list list = {0};
	struct rule_diags diags = {0};
	static struct script script;

	if (size > SIZE_MAX_FUZZED)
		return 0;
	samples_parse(&list, &diags, "fuzz", (const char *)data, size);
	for (size_t i = 0; i < diags.count; i++)
		check(diags.list[i].place.line > 0 && diags.list[i].place.column > 0);
	for (size_t i = 0; i < list.count; i++) {
		check(list.samples[i].sid && list.samples[i].count);
		script_write(&script, &list.samples[i]);
		check_script(&script);
	}
	sample_list_fini(&list);
	rule_diags_fini(&diags);
	return 0;
}
