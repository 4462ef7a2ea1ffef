/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration as a flat list: every setting that has a value, by its whole name, in one form
 * however it was written ("60/h" is "1/min"). One thread; allocates for the length of the call.
 */
#ifndef POSTERN_CONTROL_SETTING_FLAT_H
#define POSTERN_CONTROL_SETTING_FLAT_H

#include "control/config/setting.h"

/*
 * A tenant's is "tenants.acme.limits.messages", a tier's "tiers.bulk.messages". `where`: NULL for
 * a default. The texts are good during the call.
 */
typedef void setting_flat_each(void *ctx, const char *path, const char *value,
			       const config_setting_t *where);

/* Of `group` (NULL: none was written), which was read into `from`. 0 or -ENOMEM. */
int settings_flat(const struct setting *schema, const config_setting_t *group, const void *from,
		  setting_flat_each *each, void *ctx);

/* "5s", "3d": the shortest. Returns text. */
const char *duration_text(uint64_t ns, char text[VALUE_TEXT]);

#endif
