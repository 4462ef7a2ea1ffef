/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of `postern` that talk to posternd. */
#ifndef POSTERN_TOOLS_LIVE_H
#define POSTERN_TOOLS_LIVE_H

#include <stdbool.h>
#include <stdio.h>

/* Whether it is one of them. */
bool live_is_command(const char *name);

/* Its exit status: 0; 1: it could not be done; 2: not a way to call it. argv[0] is the command. */
int live_main(int argc, char **argv);

/* A line about each, for `postern --help`. */
void live_help(FILE *out);

#endif
