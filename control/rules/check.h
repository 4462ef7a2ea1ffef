/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern check`: is this configuration good, and what does it come to? */
#ifndef POSTERN_CHECK_H
#define POSTERN_CHECK_H

#include <stdio.h>

/*
 * Loads the configuration at `path` with all its lists, compiles the rules that it names
 * (gate.rules), and writes every error and warning as "file:line: error: text", or what the
 * configuration holds, to `out`. 0: good; 1: errors.
 */
int check_config(const char *path, FILE *out);

#endif
