/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SMTP and SIP on ports that are not theirs: recognised by how they begin, so
 * that another port is no way around the gate. Looks at the first payload of each
 * direction only; sets flow->app when it is sure.
 */
#ifndef POSTERN_SNIFF_H
#define POSTERN_SNIFF_H

#include "dataplane/worker.h"

void sniff_tcp(struct worker *w, struct flow *f, struct rte_mbuf *m, const struct headers *h);
void sniff_udp(struct worker *w, struct flow *f, struct rte_mbuf *m, const struct headers *h);

#endif
