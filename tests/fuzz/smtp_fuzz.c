/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SMTP parser tells the same however a session is cut. The input is a session as the
 * spec documents write them (tests/spec/smtp_script.h), lines that make no sense left out;
 * its length chooses the cut and the pieces.
 */
#include <stdlib.h>

#include "tests/spec/smtp_script.h"

#define INPUT_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct smtp_script *script, const char *want, size_t cut, size_t piece)
{
	struct smtp_log log;

	if (strcmp(want, smtp_script_play(script, &log, cut, piece)) != 0)
		abort();
	smtp_log_fini(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct smtp_script script;
	static char text[INPUT_MAX + 1];
	struct smtp_log log;
	const char *want;
	char *line, *rest = text;

	if (size > INPUT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	smtp_script_init(&script);
	while ((line = strsep(&rest, "\n")))
		smtp_script_line(&script, line);
	want = smtp_script_play(&script, &log, 0, SIZE_MAX);
	/* What a scarce pool costs depends on the segments. */
	if (script.blocks == SIZE_MAX) {
		compare(&script, want, 0, 1);
		compare(&script, want, 0, 2 + size % 61);
		compare(&script, want, script.input_len / 2 + size % 7, SIZE_MAX);
	}
	smtp_log_fini(&log);
	return 0;
}
