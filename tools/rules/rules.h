/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands under `postern rules`: each in a file of its own, tools/rules_NAME.c. */
#ifndef POSTERN_TOOLS_RULES_H
#define POSTERN_TOOLS_RULES_H

/* Of the whole. argv[0] is a command's own name; each returns an exit status. */
int rules_main(int argc, char **argv);

int rules_bench_main(int argc, char **argv);
int rules_check_main(int argc, char **argv);
int rules_import_main(int argc, char **argv);
int rules_explain_main(int argc, char **argv);
int rules_keywords_main(int argc, char **argv);
int rules_push_main(int argc, char **argv);
int rules_test_main(int argc, char **argv);
int rules_try_main(int argc, char **argv);

#endif
