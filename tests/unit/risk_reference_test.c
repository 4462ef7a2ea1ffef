/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * docs/risk.md ends with tables that are written from the code: families, ratios, events, and what
 * the rule does to simulated tenants. The test holds it to them; with --write it writes them anew.
 */
#include "control/risk/risk.h"
#include "tests/unit/reference.h"
#include "tests/unit/risk_fixture.h"
#include "tests/unit/risk_simulation.h"

#define DOCUMENT POSTERN_ROOT "/docs/risk.md"
#define MARK     "<!-- From here on: written from the code by tests/unit/risk_reference_test.c -->\n"

static void write_families(FILE *out)
{
	fprintf(out, "\n## Families\n\n| family | what it is about |\n| --- | --- |\n");
#define X(id, name, text) fprintf(out, "| `%s` | %s |\n", name, text);
	RISK_FAMILIES(X)
#undef X
}

static void write_ratios(FILE *out)
{
	const struct risk_config config = risk_config_default();

	fprintf(out, "\n## Ratios\n\n"
		     "| term | row of the policy | family | ratio | warn | critical | points | "
		     "sample |\n"
		     "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < RISK_RATIO_COUNT; i++) {
		const struct risk_ratio_config *r = &config.ratio[i];
		const struct risk_ratio_text *t = &risk_ratio_text[i];

		fprintf(out, "| `%s` | %s | %s | %s ÷ %s | %g %% | %g %% | %g | %g %s", t->name,
			t->row, risk_family_name(t->family), t->parts, t->whole, 100 * r->warn,
			100 * r->critical, r->points, r->minimum, t->whole);
		if (r->minimum_parts > 0)
			fprintf(out, ", %g %s", r->minimum_parts, t->parts);
		fprintf(out, " |\n");
	}
}

static void write_events(FILE *out)
{
	const struct risk_config config = risk_config_default();

	fprintf(out,
		"\n## Events\n\n"
		"| term | row of the policy | family | what it is | points | cap | half-life | "
		"several count once in |\n"
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n");
	for (unsigned i = 0; i < RISK_EVENT_COUNT; i++) {
		const struct risk_event_config *e = &config.event[i];
		const struct risk_event_text *t = &risk_event_text[i];

		fprintf(out, "| `%s` | %s | %s | %s | %g | %g | %g h | ", t->name, t->row,
			risk_family_name(t->family), t->text, e->points, e->cap,
			(double)e->half_life / (double)HOUR);
		if (e->spacing)
			fprintf(out, "%g s ", (double)e->spacing / (double)SECOND);
		fprintf(out, "|\n");
	}
}

static void write_all(FILE *out)
{
	write_families(out);
	write_ratios(out);
	write_events(out);
	fprintf(out, "\n## Simulated tenants\n\n");
	simulation_document(out);
}

static struct reference reference = {DOCUMENT, MARK, write_all, "", ""};

static void the_document_is_the_codes(void **state)
{
	reference_check(&reference);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_is_the_codes),
	};

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return reference_write(&reference);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
