/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of control/config/config_lint.c; nobody else's. */
#ifndef POSTERN_CONTROL_CONFIG_LINT_INTERNAL_H
#define POSTERN_CONTROL_CONFIG_LINT_INTERNAL_H

#include "control/config/config_lint.h"

void lint_add(struct lint *lint, enum lint_kind kind, const config_setting_t *where,
	      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Each looks at its part of the configuration. */
void lint_limits(struct lint *lint, const struct config *config);
void lint_answers(struct lint *lint, const struct config *config);
void lint_retention(struct lint *lint, const struct config *config);
void lint_risk(struct lint *lint, const struct config *config);
void lint_tenants(struct lint *lint, const struct config *config);

/* What `group` has under this name; the group itself where it hasn't. */
static inline const config_setting_t *lint_place(const config_setting_t *group, const char *name)
{
	const config_setting_t *member = group ? config_setting_get_member(group, name) : NULL;

	return member ? member : group;
}

#endif
