/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * docs/configuration.md ends with a reference that is written from the schema. The test holds
 * it to that; with --write it writes the reference anew.
 */
#include "control/config/config.h"
#include "tests/unit/reference.h"

#define DOCUMENT POSTERN_ROOT "/docs/configuration.md"
#define MARK \
	"<!-- From here on: written from the schema by tests/unit/config_reference_test.c -->\n"

static void write_settings(FILE *out)
{
	settings_document(out, config_settings, "");
}

static struct reference reference = {DOCUMENT, MARK, write_settings, "", ""};

static void the_reference_is_the_schemas(void **state)
{
	reference_check(&reference);
}

static void every_setting_has_a_meaning_and_a_default_that_can_be_read(void **state)
{
	struct config *config = config_default();

	assert_non_null(config);
	config_free(config);
	for (const struct setting *group = config_settings; group->name; group++)
		for (const struct setting *s = group->members; s->name; s++)
			assert_non_null(s->help);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_the_schemas),
		cmocka_unit_test(every_setting_has_a_meaning_and_a_default_that_can_be_read),
	};

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return reference_write(&reference);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
