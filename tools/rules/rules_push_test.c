/* SPDX-License-Identifier: BSD-3-Clause */
/* Before a push: do the rules do what their samples say? */
#include "tools/rules/rules_push_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/rules/ruleset_build.h"
#include "control/rules/samples.h"
#include "tools/samples/samples_run.h"

static void say_errors(const struct rule_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		if (diags->list[i].severity == RULE_ERROR)
			rule_diag_print(stderr, &diags->list[i]);
}

static void progress(void *ctx, size_t done, size_t total)
{
	fprintf(stderr, "\r%zu of %zu samples%s", done, total, done == total ? "\r\x1b[K" : "");
	fflush(stderr);
}

static int run(const struct rule_list *rules, const struct sample_list *samples, void *image,
	       size_t size, struct rules_push_tested *tested)
{
	const struct samples_job job = {
		.samples = samples,
		.rules = rules,
		.image = image,
		.image_size = size,
		.progress = isatty(STDERR_FILENO) ? progress : NULL,
	};
	struct samples_outcome outcome = {0};
	int rc = samples_run(&job, &outcome);

	for (size_t i = 0; !rc && i < outcome.failure_count; i++)
		sample_failure_print(stderr, &outcome.failures[i]);
	if (!rc && outcome.failure_count)
		fprintf(stderr,
			"postern rules push: %zu samples failed; nothing was pushed (--no-test "
			"pushes without them)\n",
			outcome.failure_count);
	rc = rc || outcome.failure_count;
	tested->samples = outcome.samples;
	tested->seconds = outcome.seconds;
	samples_outcome_fini(&outcome);
	return rc;
}

int rules_push_test(const struct rule_list *rules, char *const *paths, int count,
		    struct rules_push_tested *tested)
{
	struct sample_list samples = {0};
	struct rule_diags diags = {0};
	void *image = NULL;
	size_t size = 0;
	int rc;

	*tested = (struct rules_push_tested){0};
	for (int i = 0; i < count; i++)
		samples_load_path(&samples, &diags, paths[i]);
	if (!diags.errors && samples.count)
		samples_check(&samples, rules, &diags);
	if (!diags.errors && samples.count)
		ruleset_build(rules, 1, &diags, &image, &size, NULL);
	say_errors(&diags);
	rc = diags.errors ? 1 : 0;
	if (!rc && samples.count && !image) {
		fprintf(stderr, "postern rules push: not enough memory\n");
		rc = 1;
	}
	if (!rc && samples.count)
		rc = run(rules, &samples, image, size, tested);
	free(image);
	sample_list_fini(&samples);
	rule_diags_fini(&diags);
	return rc;
}
