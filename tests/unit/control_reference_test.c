/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * docs/control.md ends with tables of commands and metrics, docs/eve.md has one of posternd's own
 * events, that are written from the code. The test holds them to it; with --write it writes them
 * anew.
 */
#include "control/daemon/command.h"
#include "control/events/gate_event.h"
#include "control/metrics/metrics.h"
#include "tests/unit/reference.h"

#define DOCUMENT POSTERN_ROOT "/docs/control.md"
#define EVE      POSTERN_ROOT "/docs/eve.md"
#define MARK     "<!-- From here on: written from the code by tests/unit/control_reference_test.c -->\n"

static void write_commands(FILE *out)
{
	fputs("\n## Commands\n\n| command | privilege | what it does |\n| --- | --- | --- |\n",
	      out);
	for (const struct command *c = commands; c->name; c++)
		fprintf(out, "| `%s` | %s | %s |\n", c->name, privilege_name(c->privilege),
			c->help);
	fputs("\n## Arguments\n\n| command | argument | type | | what it means |\n"
	      "| --- | --- | --- | --- | --- |\n",
	      out);
	for (const struct command *c = commands; c->name; c++)
		for (const struct command_argument *a = c->arguments; a && a->name; a++)
			fprintf(out, "| `%s` | `%s` | %s | %s | %s |\n", c->name, a->name,
				argument_type_name(a->type), a->required ? "required" : "",
				a->help);
}

static void write_metrics(FILE *out)
{
	fputs("\n## Metrics\n\n| metric | type | labels | what it counts |\n"
	      "| --- | --- | --- | --- |\n",
	      out);
#define X(id, name, type, labels, help)                                                        \
	fprintf(out, "| `%s` | %s | %s%s%s | %s |\n", name, #type, *labels ? "`" : "", labels, \
		*labels ? "`" : "", help);
	METRICS(X)
#undef X
}

static void write_all(FILE *out)
{
	write_commands(out);
	write_metrics(out);
}

static struct reference reference = {DOCUMENT, MARK, write_all, "", ""};

static void the_reference_is_the_codes(void **unused)
{
	reference_check(&reference);
}

static void every_event_of_posternds_own_is_described(void **unused)
{
	static char eve[1 << 17];
	FILE *in = fopen(EVE, "r");
	size_t len = in ? fread(eve, 1, sizeof(eve) - 1, in) : 0;
	char row[256];

	assert_non_null(in);
	fclose(in);
	eve[len] = '\0';
	for (unsigned i = 0; gate_event_name(i); i++) {
		const char *name = gate_event_name(i);

		snprintf(row, sizeof(row), "| `%s` | %s | %s |\n", name, gate_event_text(name),
			 log_level_name(gate_event_level(name)));
		if (!strstr(eve, row))
			fail_msg("docs/eve.md lacks: %s", row);
	}
}

static void names_of_commands_are_distinct_and_explained(void **unused)
{
	for (const struct command *c = commands; c->name; c++) {
		assert_non_null(c->run);
		assert_true(c->privilege == PRIVILEGE_READ || c->privilege == PRIVILEGE_CHANGE);
		assert_true(strlen(c->help) > 10);
		for (const struct command *other = c + 1; other->name; other++)
			assert_string_not_equal(c->name, other->name);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_the_codes),
		cmocka_unit_test(every_event_of_posternds_own_is_described),
		cmocka_unit_test(names_of_commands_are_distinct_and_explained),
	};

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return reference_write(&reference);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
