/* SPDX-License-Identifier: BSD-3-Clause */
/* A directory of the test's own that goes away with it, and what is installed here. */
#ifndef POSTERN_TESTS_UNIT_SCRATCH_H
#define POSTERN_TESTS_UNIT_SCRATCH_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char scratch_dir[64];

static inline int scratch_setup(void **state)
{
	snprintf(scratch_dir, sizeof(scratch_dir), "/tmp/postern-test-XXXXXX");
	return mkdtemp(scratch_dir) ? 0 : -1;
}

/* Counts the files in the scratch directory, and removes them if asked to. */
static inline unsigned int scratch_files(bool remove)
{
	DIR *d = opendir(scratch_dir);
	unsigned int files = 0;
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		files++;
		if (remove)
			unlinkat(dirfd(d), entry->d_name, 0);
	}
	if (d)
		closedir(d);
	return files;
}

static inline int scratch_teardown(void **state)
{
	scratch_files(true);
	return rmdir(scratch_dir);
}

/* Good until the fourth call after it. */
static inline const char *scratch_path(const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", scratch_dir, name);
	return path;
}

/* What a shell command prints, cut to size; its exit status, or -1. */
static inline int shell_output(const char *command, char *out, size_t size)
{
	FILE *pipe = popen(command, "r");
	size_t got;
	int status;

	if (!pipe)
		return -1;
	got = fread(out, 1, size - 1, pipe);
	out[got] = '\0';
	while (getc(pipe) != EOF)
		;
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline bool is_installed(const char *program)
{
	char command[128], out[256];

	snprintf(command, sizeof(command), "command -v %s", program);
	return shell_output(command, out, sizeof(out)) == 0;
}

#endif
