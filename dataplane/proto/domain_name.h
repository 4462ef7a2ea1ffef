/* SPDX-License-Identifier: BSD-3-Clause */
/* Can a domain be one? Of its normal form (bpf/list.h): lower case, A-labels. Pure. */
#ifndef POSTERN_PROTO_DOMAIN_NAME_H
#define POSTERN_PROTO_DOMAIN_NAME_H

#include "dataplane/proto/bytes.h"

/*
 * By its syntax (RFC 1035 2.3.1 and 2.3.4, RFC 1123 2.1): labels of 1 to 63 letters, digits,
 * hyphens (and underscores, which some hosts have), 253 bytes together, the last of them not all
 * digits: that would be an address. An address literal (RFC 5321 4.1.3) is one, too.
 */
bool domain_name_is_valid(struct bytes domain);

/* Is it `name`, or below it? `name` in lower case. */
bool domain_name_is_in(struct bytes domain, struct bytes name);

#endif
