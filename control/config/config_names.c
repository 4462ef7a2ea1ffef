/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/config_names.h"

const struct config_reason_names config_reason_name = {
#define X(id, name, text) name,
	REASONS(X)
#undef X
};

const struct config_reason_texts config_reason_text = {
#define X(id, name, text) text,
	REASONS(X)
#undef X
};
