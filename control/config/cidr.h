/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks as people write them: "10.0.0.0/8", "2001:db8::/32", or one address. Pure. */
#ifndef POSTERN_CIDR_H
#define POSTERN_CIDR_H

#include <netinet/in.h>

#include "control/policy/prefix_build.h"

#define CIDR_TEXT_SIZE (INET6_ADDRSTRLEN + 4)

/*
 * Fills address, length and family. 0, or -EINVAL: not a network; -EDOM: bits are set
 * past the length, and `prefix` is the network that the address lies in.
 */
int cidr_parse(const char *text, struct prefix *prefix);
void cidr_format(const struct prefix *prefix, char text[CIDR_TEXT_SIZE]);

#endif
