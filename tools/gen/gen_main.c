/* SPDX-License-Identifier: BSD-3-Clause */
/* postern-gen: captures of generated mail and calls, for benchmarks, demos and tests. */
#include "tools/gen/gen_run.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct gen_settings settings;
	struct gen_counts counts = {0};
	int err;

	options_parse(argc, (const char *const *)argv, &settings);
	err = gen_run(&settings, &counts);
	if (err)
		fprintf(stderr, "postern-gen: %s: %s\n", settings.output, strerror(-err));
	else if (settings.truth)
		counts_print(&counts, stdout);
	options_free(&settings);
	return err ? 1 : 0;
}
