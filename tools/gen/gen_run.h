/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole capture from its settings. */
#ifndef POSTERN_GEN_RUN_H
#define POSTERN_GEN_RUN_H

#include "tools/gen/gen_options.h"

/* Writes settings->output; 0 or -errno (there is no file then). */
int gen_run(const struct gen_settings *settings, struct gen_counts *counts);

#endif
