/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings as they were read, by their paths: {"gate.eve.path": "/var/log/…"}. One thread. */
#ifndef POSTERN_CONTROL_SETTING_JSON_H
#define POSTERN_CONTROL_SETTING_JSON_H

#include <jansson.h>

#include "control/config/setting.h"

/*
 * Adds what `schema` read into `from` to the object, each under `path`, a dot and its name; lists
 * of groups are left out. Durations and sizes are numbers. 0 or -ENOMEM.
 */
int settings_json(json_t *object, const char *path, const struct setting *schema, const void *from);

#endif
