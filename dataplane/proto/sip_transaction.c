/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/sip_transaction.h"

/* RFC 3261 8.1.1.7 */
static bool is_modern(struct bytes branch)
{
	return bytes_case_starts(branch, BYTES("z9hG4bK")) && branch.len > 7;
}

static void lower_add(struct siphash *h, struct bytes s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = ascii_lower(s.p[i]);

		siphash_add(h, &c, 1);
	}
	siphash_add(h, "", 1);
}

/* RFC 3261 18.1.1: a sent-by without a port means the transport's default. */
static uint16_t sent_by_port(const struct sip_via *via)
{
	if (via->port)
		return via->port;
	return bytes_caseeq(via->transport, BYTES("TLS")) ? 5061 : 5060;
}

static struct bytes method_of(const struct sip_message *msg)
{
	if (msg->kind == SIP_REQUEST)
		return msg->method_id == SIP_METHOD_ACK ? BYTES("INVITE") : msg->method;

	/* RFC 3261 17.1.3: a response is matched by its CSeq's method. */
	size_t digits = 0;

	while (digits < msg->cseq.len && ascii_isdigit(msg->cseq.p[digits]))
		digits++;
	return bytes_trim(bytes_of(msg->cseq.p + digits, msg->cseq.len - digits));
}

static uint64_t key_of(const struct sip_message *msg, struct bytes method,
		       const uint8_t key[SIPHASH_KEY_SIZE])
{
	struct siphash h;
	struct sip_via via;
	uint16_t port;

	sip_message_via(msg, &via);
	if (via.host.len == 0 || method.len == 0)
		return 0;
	port = sent_by_port(&via);
	siphash_init(&h, key);
	siphash_add_bytes(&h, method);
	siphash_add_bytes(&h, via.branch);
	lower_add(&h, via.host);
	siphash_add(&h, &port, sizeof(port));
	if (!is_modern(via.branch)) {
		siphash_add_bytes(&h, msg->call_id);
		siphash_add_bytes(&h, msg->from.tag);
		siphash_add(&h, &msg->cseq_number, sizeof(msg->cseq_number));
	}

	uint64_t value = siphash_end(&h);

	return value ? value : 1;
}

uint64_t sip_transaction_key(const struct sip_message *msg, const uint8_t key[SIPHASH_KEY_SIZE])
{
	return key_of(msg, method_of(msg), key);
}

uint64_t sip_transaction_cancelled(const struct sip_message *msg,
				   const uint8_t key[SIPHASH_KEY_SIZE])
{
	if (msg->kind != SIP_REQUEST || msg->method_id != SIP_METHOD_CANCEL)
		return 0;
	return key_of(msg, BYTES("INVITE"), key);
}

static uint32_t method_hash(struct bytes method, const uint8_t key[SIPHASH_KEY_SIZE])
{
	struct siphash h;
	uint32_t hash;

	if (bytes_eq(method, BYTES("CANCEL")))
		return SIP_METHOD_ANY;
	siphash_init(&h, key);
	siphash_add_bytes(&h, method);
	hash = (uint32_t)siphash_end(&h);
	return hash ? hash : 1;
}

struct sip_transaction sip_transaction_read(const struct sip_message *msg,
					    const uint8_t key[SIPHASH_KEY_SIZE])
{
	struct sip_transaction t = {.method = method_hash(method_of(msg), key)};
	struct siphash h;
	struct sip_via via;
	uint16_t port;

	sip_message_via(msg, &via);
	if (via.branch.len == 0 && msg->call_id.len == 0)
		return t;
	port = sent_by_port(&via);
	siphash_init(&h, key);
	siphash_add_bytes(&h, via.branch);
	lower_add(&h, via.host);
	siphash_add(&h, &port, sizeof(port));
	siphash_add_bytes(&h, msg->call_id);
	siphash_add_bytes(&h, msg->from.tag);
	siphash_add(&h, &msg->cseq_number, sizeof(msg->cseq_number));
	t.key = siphash_end(&h);
	t.key += t.key == 0;
	return t;
}
