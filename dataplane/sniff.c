/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sniff.h"

#include "dataplane/proto/sip.h"

#define LOOK  2048 /* bytes: a start line is shorter */
#define LOOKS 4    /* payloads of a flow */

/* The first line is a SIP request or status line (RFC 3261 7.1, 7.2). */
static enum sip_kind first_line(struct bytes data)
{
	struct sip_message msg;
	const uint8_t *end;

	data.len = RTE_MIN(data.len, (size_t)LOOK);
	end = bytes_chr(data, '\n');
	if (!end)
		return SIP_NEITHER;
	data.len = (size_t)(end - data.p);
	if (data.len && data.p[data.len - 1] == '\r')
		data.len--;
	return sip_parse_start_line(data, &msg) == SIP_OK ? msg.kind : SIP_NEITHER;
}

/* RFC 3261 8.1.3.3: every response has a Via. Web servers that cheat say "SIP/2.0 200" without. */
static bool is_response(struct bytes data)
{
	struct sip_message msg;
	struct sip_via via;

	data.len = RTE_MIN(data.len, (size_t)LOOK);
	if (sip_parse_head(data.p, data.len, &msg) == SIP_NOT_SIP || msg.kind != SIP_RESPONSE)
		return false;
	sip_message_via(&msg, &via);
	return via.transport.len;
}

static struct bytes payload(struct rte_mbuf *m, const struct headers *h)
{
	return bytes_of(rte_pktmbuf_mtod_offset(m, uint8_t *, h->payload), h->payload_len);
}

void sniff_udp(struct worker *w, struct flow *f, struct rte_mbuf *m, const struct headers *h)
{
	/* Media never turns into signalling: the first packets tell. */
	if (f->sniffed >= LOOKS)
		return;
	f->sniffed++;
	if (first_line(payload(m, h)) != SIP_NEITHER)
		f->app = APP_SIP;
}

void sniff_tcp(struct worker *w, struct flow *f, struct rte_mbuf *m, const struct headers *h)
{
	if (f->sniffed >= LOOKS)
		return;
	f->sniffed++;

	enum sip_kind kind = first_line(payload(m, h));

	if (kind == SIP_REQUEST || (kind == SIP_RESPONSE && is_response(payload(m, h))))
		f->app = APP_SIP;
}
