/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIP parser over any datagram: every span lies inside it, what is said
 * fits together, and everything built on a message can take it.
 */
#include "dataplane/proto/call.h"
#include "dataplane/proto/sip_number.h"
#include "dataplane/proto/sip_reply.h"
#include "dataplane/proto/sip_transaction.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const uint8_t *data, size_t size, struct bytes s)
{
	if (s.len && (s.p < data || s.len > size || (size_t)(s.p - data) > size - s.len))
		abort();
}

static void spans_check(const uint8_t *data, size_t size, const struct sip_message *msg)
{
	struct sip_uri uri, from, to;
	struct sip_via via;

	sip_uri_parse(msg->uri, &uri);
	sip_uri_parse(msg->from.uri, &from);
	sip_uri_parse(msg->to.uri, &to);
	sip_message_via(msg, &via);
	if (~sip_message_flags(msg) & msg->flags)
		abort();

	const struct bytes spans[] = {
		msg->start_line, msg->method, msg->version, msg->reason,    uri.user,
		uri.host,        uri.params,  msg->head,    msg->body,      msg->from.display,
		msg->from.tag,   from.host,   to.password,  msg->to.params, msg->call_id,
		msg->cseq,       via.raw,     via.host,     via.branch,     msg->contact,
	};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		inside(data, size, spans[i]);
	if (msg->header_count > SIP_HEADERS_KEPT || msg->header_count > msg->header_total)
		abort();
	for (unsigned i = 0; i < msg->header_count; i++) {
		char buf[64];

		inside(data, size, msg->headers[i].name);
		inside(data, size, msg->headers[i].value);
		sip_header_unfold(msg->headers[i].value, buf, sizeof(buf));
	}
}

/* A reply to anything can be read, and belongs to the transaction it answers. */
static void reply_check(const struct sip_message *msg)
{
	static const uint8_t seed[SIPHASH_KEY_SIZE] = {1};
	static char buf[65536];
	const struct sip_reply reply = {
		.code = 403,
		.reason = BYTES("No"),
		.received = BYTES("192.0.2.1"),
		.rport = 5060,
		.seed = seed,
	};
	size_t n = sip_reply_build(msg, &reply, buf, sizeof(buf));
	struct sip_message answer;

	sip_transaction_cancelled(msg, seed);
	if (n && sip_parse((uint8_t *)buf, n, &answer) != SIP_OK)
		abort();
}

static void call_check(const struct sip_message *msg)
{
	static const struct call_config config = {.calls = 2, .tenants = 2, .tenant_max = 2};
	static _Alignas(64) uint8_t memory[4096];
	static struct call_table *table;
	static uint64_t now;

	if (!table) {
		if (call_table_size(&config) > sizeof(memory))
			abort();
		table = call_table_init(memory, &config);
	}
	now += 1 + msg->cseq_number;
	call_message(table, now, msg->header_total & 1, msg, NULL);
	call_expire(table, now, 1);
	if (call_count(table) > config.calls)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const list[] = {"112", "911"};
	struct sip_message msg;
	struct sip_uri uri;
	enum sip_result result = sip_parse(data, size, &msg);

	if ((result == SIP_MALFORMED) != (msg.error != SIP_ERROR_NONE))
		abort();
	if ((result == SIP_OK && msg.kind == SIP_NEITHER) ||
	    (result == SIP_NOT_SIP && msg.kind != SIP_NEITHER))
		abort();
	spans_check(data, size, &msg);
	sip_uri_parse(msg.uri, &uri);
	sip_uri_is_emergency(&uri, list, 2);
	reply_check(&msg);
	call_check(&msg);
	return 0;
}
