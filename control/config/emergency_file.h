/* SPDX-License-Identifier: BSD-3-Clause */
/* Emergency numbers by country: the file format of rules/emergency-numbers.conf. */
#ifndef POSTERN_EMERGENCY_FILE_H
#define POSTERN_EMERGENCY_FILE_H

#include "bpf/policy.h"
#include "control/config/diag.h"

/*
 * Reads the file at `path`, or the built-in table if it is NULL. Bad lines go to `diag`. 0 or
 * -errno. The caller frees with emergency_fini().
 */
int emergency_init(struct policy_emergency *table, const char *path, struct diag *diag);
void emergency_fini(struct policy_emergency *table);

#endif
