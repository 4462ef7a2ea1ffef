/* SPDX-License-Identifier: BSD-3-Clause */
/* `postern policy`: what is in force, what another file would change, what is odd. */
#ifndef POSTERN_TOOLS_POLICY_H
#define POSTERN_TOOLS_POLICY_H

/* Exit status of each: 0; 1: there is something, or it went wrong; 2: the command line. */
int policy_main(int argc, char **argv);
int policy_diff_main(int argc, char **argv);
int policy_lint_main(int argc, char **argv);

#endif
