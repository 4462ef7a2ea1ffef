/* SPDX-License-Identifier: BSD-3-Clause */
/* Is a refused recipient one that does not exist? Pure; any thread. */
#ifndef POSTERN_BOUNCE_H
#define POSTERN_BOUNCE_H

#include "dataplane/proto/bytes.h"

/*
 * A hard bounce (AUP-BOUNCE): 5yz with an enhanced code of x.1.1 to x.1.3, x.1.6, x.1.10 or
 * x.2.1 (RFC 3463; 7505 for x.1.10); without one, with the words that servers use for it.
 */
bool bounce_is_hard(unsigned code, unsigned class, unsigned subject, unsigned detail,
		    struct bytes text);

#endif
