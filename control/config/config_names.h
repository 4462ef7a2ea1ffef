/* SPDX-License-Identifier: BSD-3-Clause */
/* The reasons' names and texts, as addresses that the schema's constant tables may hold. */
#ifndef POSTERN_CONTROL_CONFIG_NAMES_H
#define POSTERN_CONTROL_CONFIG_NAMES_H

#include "control/config/config.h"

extern const struct config_reason_names {
#define X(id, name, text) char id[sizeof(name)];
	REASONS(X)
#undef X
} config_reason_name;

extern const struct config_reason_texts {
#define X(id, name, text) char id[sizeof(text)];
	REASONS(X)
#undef X
} config_reason_text;

#endif
