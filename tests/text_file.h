/* SPDX-License-Identifier: BSD-3-Clause */
/* Text that a test has, for code that reads files. What fails here ends the test's process. */
#ifndef POSTERN_TESTS_TEXT_FILE_H
#define POSTERN_TESTS_TEXT_FILE_H

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config/config.h"

struct text_file {
	char path[32];
};

/* A file of its own, for its owner alone; the caller unlinks it. */
static inline struct text_file text_file_make(const char *text)
{
	struct text_file file = {"/tmp/postern-text-XXXXXX"};
	int fd = mkstemp(file.path);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", file.path);
	close(fd);
	return file;
}

/* config_load() of a text. */
static inline struct config *text_config(const char *text, struct diag *diag)
{
	struct text_file file = text_file_make(text);
	struct config *config = config_load(file.path, diag);

	unlink(file.path);
	return config;
}

#endif
