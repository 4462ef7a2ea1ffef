/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rule parser: whatever it reads, it takes or refuses each rule with a
 * reason, and two readings of one text agree; so does the import. Nothing is compiled: Hyperscan
 * would be what is tested.
 */
#include <stdlib.h>
#include <string.h>

#include "control/rules/rule_import.h"

#define SIZE_MAX_FUZZED 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_diags(const struct rule_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		check(diags->list[i].message[0] != '\0');
		check(diags->list[i].place.line > 0 && diags->list[i].place.column > 0);
	}
}

/* What is imported is rules; all else has a reason. */
static void check_import(const char *text, size_t size)
{
	struct rule_import import = {.renumber = 1000000};
	size_t counted = 0;

	rule_import_text(&import, "fuzz", text, size);
	for (int i = 0; i < IMPORT_KINDS; i++)
		counted += import.counts[i];
	check(counted == import.count);
	check(import.list.count == import.counts[IMPORT_TAKEN] + import.counts[IMPORT_MAPPED]);
	for (size_t i = 0; i < import.count; i++) {
		const struct rule_imported *r = &import.rules[i];

		check(r->what <= IMPORT_MAPPED ? r->text && r->text[0] : r->why != NULL);
	}
	rule_import_fini(&import);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rule_list a = {0}, b = {0};
	struct rule_diags of_a = {0}, of_b = {0};

	if (size > SIZE_MAX_FUZZED)
		return 0;
	rules_parse(&a, &of_a, NULL, "fuzz", (const char *)data, size);
	rules_parse(&b, &of_b, NULL, "fuzz", (const char *)data, size);
	check(a.count == b.count && a.refused == b.refused && of_a.count == of_b.count);
	check(a.refused <= of_a.errors && (a.refused > 0) == (of_a.errors > 0));
	check_diags(&of_a);
	for (size_t i = 0; i < a.count; i++) {
		check(a.rules[i].sid && a.rules[i].msg && a.rules[i].parts_count);
		check(a.rules[i].sid == b.rules[i].sid);
	}
	/* A second reading into the same list: every sid is taken. */
	b.refused = 0;
	rules_parse(&b, &of_b, NULL, "again", (const char *)data, size);
	check(b.count == a.count);
	check_import((const char *)data, size);
	rule_diags_fini(&of_a);
	rule_diags_fini(&of_b);
	rule_list_fini(&a);
	rule_list_fini(&b);
	return 0;
}
