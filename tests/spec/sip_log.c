/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/spec/sip_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void *block_get(struct proto_pool *pool)
{
	struct sip_log *log = (struct sip_log *)pool;

	log->blocks++;
	return malloc(pool->block_size);
}

static void block_put(struct proto_pool *pool, void *block)
{
	struct sip_log *log = (struct sip_log *)pool;

	log->blocks--;
	free(block);
}

void sip_log_init(struct sip_log *log)
{
	log->pool = (struct proto_pool){block_get, block_put, SIP_LOG_BLOCK};
	log->blocks = 0;
	log->len = 0;
	log->text[0] = '\0';
}

static void add(struct sip_log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct sip_log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(log->text + log->len, sizeof(log->text) - log->len, format, args);

	va_end(args);
	log->len += (size_t)n;
	if (log->len >= sizeof(log->text))
		log->len = sizeof(log->text) - 1;
}

/* " name=value", if there is a value; what is not printable as \xHH. */
static void add_field(struct sip_log *log, const char *name, struct bytes value)
{
	if (!value.len)
		return;
	add(log, " %s=", name);
	for (size_t i = 0; i < value.len && i < 80; i++) {
		if (value.p[i] > ' ' && value.p[i] < 0x7f)
			add(log, "%c", value.p[i]);
		else
			add(log, value.p[i] == ' ' ? "_" : "\\x%02x", value.p[i]);
	}
	if (value.len > 80)
		add(log, "...");
}

static struct bytes user_of(struct bytes text)
{
	struct sip_uri uri;

	sip_uri_parse(text, &uri);
	return uri.user;
}

static void add_uri(struct sip_log *log, struct bytes text)
{
	struct sip_uri uri;

	sip_uri_parse(text, &uri);
	add_field(log, "scheme", uri.scheme);
	add_field(log, "user", uri.user);
	add_field(log, "host", uri.host);
	if (uri.port)
		add(log, " port=%u", uri.port);
}

void sip_log_message(struct sip_log *log, enum sip_result result, const struct sip_message *msg)
{
	static const char *const names[] = {"ok", "malformed", "not_sip"};
	uint32_t flags = sip_message_flags(msg);
	struct sip_via via;

	sip_message_via(msg, &via);
	add(log, "%s", names[result]);
	if (msg->kind == SIP_REQUEST) {
		add_field(log, "method", msg->method);
		add_uri(log, msg->uri);
	} else if (msg->kind == SIP_RESPONSE) {
		add(log, " code=%u", msg->code);
		add_field(log, "reason", msg->reason);
	}
	add_field(log, "from", user_of(msg->from.uri));
	add_field(log, "from_tag", msg->from.tag);
	add_field(log, "to", user_of(msg->to.uri));
	add_field(log, "to_tag", msg->to.tag);
	add_field(log, "call_id", msg->call_id);
	if (msg->cseq.len)
		add(log, " cseq=%u", msg->cseq_number);
	add_field(log, "via", via.host);
	add_field(log, "branch", via.branch);
	add(log, " body=%zu", msg->body.len);
	for (unsigned i = 0; i < SIP_FLAG_COUNT; i++)
		if (flags >> i & 1)
			add(log, " %s", sip_flag_name((enum sip_flag_bit)i));
	if (msg->error)
		add(log, " (%s)", sip_error_text((enum sip_error)msg->error));
	add(log, "\n");
}

static void on_message(void *ctx, const struct sip_frame *frame, enum sip_result result,
		       const struct sip_message *msg)
{
	struct sip_log *log = ctx;

	add(log, "[%llu,%llu)%s ", (unsigned long long)frame->begin, (unsigned long long)frame->end,
	    frame->truncated ? " truncated" : "");
	sip_log_message(log, result, msg);
}

static void on_lost(void *ctx, uint64_t offset, enum sip_lost why)
{
	static const char *const names[] = {
		[SIP_LOST_START_LINE] = "start_line",
		[SIP_LOST_HEAD_TOO_LONG] = "head_too_long",
		[SIP_LOST_CONTENT_LENGTH] = "content_length",
		[SIP_LOST_BUDGET] = "budget",
		[SIP_LOST_GAP] = "gap",
	};

	add(ctx, "lost %llu %s\n", (unsigned long long)offset, names[why]);
}

const struct sip_sink sip_log_sink = {on_message, on_lost};
