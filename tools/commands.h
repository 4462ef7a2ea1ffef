/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands of `postern` that need no more of each other. Each returns the exit status. */
#ifndef POSTERN_TOOLS_COMMANDS_H
#define POSTERN_TOOLS_COMMANDS_H

#include <stdbool.h>

int compile_main(int argc, char **argv);

#endif
