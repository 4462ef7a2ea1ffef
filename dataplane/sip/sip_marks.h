/* SPDX-License-Identifier: BSD-3-Clause */
/* The provider's marks as names in a request's From and Contact (AUP-TRADEMARK). On the worker. */
#ifndef POSTERN_SIP_MARKS_H
#define POSTERN_SIP_MARKS_H

#include "dataplane/inspect.h"

/* `mark`: which one. What stands in brackets, or is a URI alone, is no name. */
bool sip_has_mark(const struct policy *policy, const struct sip_message *msg, struct bytes *mark);

#endif
