/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings that are one value, or a list of small ones: part of control/config/setting.c. */
#ifndef POSTERN_SETTING_SCALAR_H
#define POSTERN_SETTING_SCALAR_H

#include "control/config/setting.h"

/* `value` into `target`, or an error that says what was expected. */
void setting_read_scalar(struct diag *diag, const config_setting_t *value,
			 const struct setting *setting, void *target);

/* The setting's fallback into `target`; a fallback that can't be read is a bug. */
void setting_read_default(const struct setting *setting, void *target);

/* A string that passes the setting's check; false: an error was reported. */
bool setting_read_text(struct diag *diag, const config_setting_t *value,
		       const struct setting *setting, const char **text);

#endif
