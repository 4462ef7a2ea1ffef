/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sniff.h"

#include "dataplane/proto/sip.h"

#define LOOK 2048 /* bytes: a start line is shorter */

/* The first line is a SIP request or status line (RFC 3261 7.1, 7.2). */
static bool begins_as_sip(struct bytes data)
{
	struct sip_message msg;
	const uint8_t *end;

	data.len = RTE_MIN(data.len, (size_t)LOOK);
	end = bytes_chr(data, '\n');
	if (!end)
		return false;
	data.len = (size_t)(end - data.p);
	if (data.len && data.p[data.len - 1] == '\r')
		data.len--;
	return sip_parse_start_line(data, &msg) == SIP_OK && msg.kind != SIP_NEITHER;
}

static struct bytes payload(struct rte_mbuf *m, const struct headers *h)
{
	return bytes_of(rte_pktmbuf_mtod_offset(m, uint8_t *, h->payload), h->payload_len);
}

void sniff_udp(struct worker *w, struct flow *f, struct rte_mbuf *m, const struct headers *h)
{
	/* Media comes after signalling on ports of its own: the first packets tell. */
	if (f->packets[0] + f->packets[1] > 4)
		return;
	if (begins_as_sip(payload(m, h)))
		f->app = APP_SIP;
}

void sniff_tcp(struct worker *w, struct flow *f, struct rte_mbuf *m, const struct headers *h)
{
	struct bytes data = payload(m, h);

	if (f->sniffed >= 4)
		return;
	f->sniffed++;
	if (begins_as_sip(data))
		f->app = APP_SIP;
}
