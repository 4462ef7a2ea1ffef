/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * docs/configuration.md ends with a reference that is written from the schema. The test holds
 * it to that; with --write it writes the reference anew.
 */
#include "control/config.h"
#include "tests/unit/test.h"

#define DOCUMENT POSTERN_ROOT "/docs/configuration.md"
#define MARK \
	"<!-- From here on: written from the schema by tests/unit/config_reference_test.c -->\n"

static char document[1 << 17], reference[1 << 17];

/* Reads both; the place in the document after the mark, or NULL. */
static char *read_both(void)
{
	FILE *in = fopen(DOCUMENT, "r"), *out = fmemopen(reference, sizeof(reference), "w");
	size_t len = in ? fread(document, 1, sizeof(document) - 1, in) : 0;
	char *mark;

	document[len] = '\0';
	if (in)
		fclose(in);
	if (!out)
		return NULL;
	settings_document(out, config_settings, "");
	fclose(out);
	mark = strstr(document, MARK);
	return mark ? mark + strlen(MARK) : NULL;
}

static void the_reference_is_the_schemas(void **state)
{
	char *written = read_both();

	assert_non_null(written);
	if (strcmp(written, reference) != 0)
		fail_msg("docs/configuration.md is out of date: run this test with --write");
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

static int write_reference(void)
{
	char *mark = read_both();
	FILE *out = mark ? fopen(DOCUMENT, "w") : NULL;

	if (!out)
		return 1;
	fwrite(document, 1, (size_t)(mark - document), out);
	fputs(reference, out);
	return fclose(out) != 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_the_schemas),
		cmocka_unit_test(every_setting_has_a_meaning_and_a_default_that_can_be_read),
	};

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return write_reference();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
