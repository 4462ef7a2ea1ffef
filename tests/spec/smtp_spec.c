/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the SMTP spec documents named. "== TITLE" begins a case; what comes before
 * the first is prose; a case is a session as smtp_script.h describes it.
 *
 * Each session is fed with its segments whole, cut in two at every byte, and byte
 * by byte, and must tell the same each time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/spec/smtp_script.h"

#define LINE_SIZE  4096
#define EVERY_BYTE 3000 /* longer sessions are cut at every 61st byte only */

static struct smtp_script script;
static char title[LINE_SIZE];
static unsigned cases, failures;

static bool run(size_t cut, size_t piece)
{
	struct smtp_log log;
	const char *text = smtp_script_play(&script, &log, cut, piece);
	bool ok = strlen(text) == script.want_len && !memcmp(text, script.want, script.want_len);

	if (!ok) {
		printf("# FAILED: %s (cut at %zu, pieces of %zu)\n# it told:\n%s", title, cut,
		       piece, text);
		failures++;
	}
	smtp_log_fini(&log);
	return ok;
}

static void run_all_splits(void)
{
	size_t stride = script.input_len > EVERY_BYTE ? 61 : 1;
	bool ok = run(0, SIZE_MAX);

	cases++;
	/* What a scarce pool costs depends on the segments. */
	if (script.blocks != SIZE_MAX)
		return;
	for (size_t cut = 1; ok && cut < script.input_len; cut += stride)
		ok = run(cut, SIZE_MAX);
	if (ok)
		run(0, 1);
}

static void run_file(const char *path)
{
	static char line[LINE_SIZE];
	FILE *file = fopen(path, "r");
	unsigned number = 0;
	bool open = false;

	if (!file) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof(line), file)) {
		number++;
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "== ", 3)) {
			if (open)
				run_all_splits();
			smtp_script_init(&script);
			strcpy(title, line + 3);
			open = true;
		} else if (open && !smtp_script_line(&script, line)) {
			fprintf(stderr, "%s:%u: not understood: %s\n", path, number, line);
			exit(1);
		}
	}
	if (open)
		run_all_splits();
	fclose(file);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	printf("%u cases, %u failures\n", cases, failures);
	return failures || !cases;
}
