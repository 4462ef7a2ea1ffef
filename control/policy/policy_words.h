/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration's words about mail, as the snapshot has them. Control's thread. */
#ifndef POSTERN_CONTROL_POLICY_WORDS_H
#define POSTERN_CONTROL_POLICY_WORDS_H

#include "control/config/config.h"

/* All lists of words of the policy's; what is wrong with one is an error in `diag`. */
void policy_words_fill(struct policy *policy, const struct config *config, struct diag *diag);

/* TENANT_MAIL_* and TENANT_HAS_TAG: the tenant's own, or its tier's. */
uint32_t policy_mail_flags(const struct config *config, const struct config_tenant *tenant);

/* The tenant's tag, with its {id} and {name} in it; "": none. NULL: no memory. The caller frees. */
char *policy_tag_of(const struct config *config, const struct config_tenant *tenant);

/* What was expected instead, of settings that are words. NULL: it is fine. */
const char *policy_check_host(const char *text);
const char *policy_check_mark(const char *text);
const char *policy_check_tag(const char *text);

#endif
