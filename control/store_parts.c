/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose tables state.db has. */
#include "control/store.h"

const struct store_part *const store_parts[] = {
	NULL,
};
