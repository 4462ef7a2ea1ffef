/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/spec/smtp_log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENT_MAX 65536 /* bytes; a multiple of the page size */

static void *block_get(struct proto_pool *pool)
{
	struct smtp_log *log = (struct smtp_log *)((char *)pool - offsetof(struct smtp_log, pool));

	if (log->blocks == log->blocks_max)
		return NULL;
	log->blocks++;
	return malloc(pool->block_size);
}

static void block_put(struct proto_pool *pool, void *block)
{
	struct smtp_log *log = (struct smtp_log *)((char *)pool - offsetof(struct smtp_log, pool));

	assert(block && log->blocks);
	log->blocks--;
	free(block);
}

static void write_bytes(FILE *out, struct bytes s)
{
	fputc('"', out);
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.p[i];

		if (c == '\r')
			fputs("\\r", out);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void flush_body(struct smtp_log *log)
{
	if (!log->body_len)
		return;
	fprintf(log->out, "body %" PRIu64 " ", log->body_at);
	write_bytes(log->out, bytes_of(log->body, log->body_len));
	fputc('\n', log->out);
	log->body_len = 0;
}

static FILE *event(void *ctx)
{
	struct smtp_log *log = ctx;

	flush_body(log);
	return log->out;
}

static void write_span(struct smtp_log *log, enum smtp_direction direction, struct smtp_span at)
{
	assert(at.begin <= at.end && at.end <= log->seen[direction]);
	fprintf(log->out, " [%" PRIu64 ",%" PRIu64 ")", at.begin, at.end);
}

static bool has_part(struct bytes s, const char *part)
{
	return !*part || (s.len && memmem(s.p, s.len, part, strlen(part)));
}

static bool is_withheld(struct smtp_log *log, struct bytes verb, struct bytes line)
{
	for (size_t i = 0; i < log->rule_count; i++) {
		const struct smtp_log_rule *rule = &log->rules[i];

		if (bytes_eq(verb, bytes_of(rule->verb, strlen(rule->verb))) &&
		    has_part(line, rule->part)) {
			fputs(" WITHHELD", log->out);
			return true;
		}
	}
	return false;
}

static bool on_command(void *ctx, const struct smtp_command *command)
{
	struct smtp_log *log = ctx;
	FILE *out = event(ctx);
	bool withheld;

	fprintf(out, "command %.*s%s", (int)command->name.len, (const char *)command->name.p,
		command->verb == SMTP_UNKNOWN ? " (unknown)" : "");
	if (command->has_address) {
		fputs(" address ", out);
		write_bytes(out, command->address);
		if (command->params.len) {
			fputs(" params ", out);
			write_bytes(out, command->params);
		}
	} else if (command->sized) {
		fprintf(out, " %" PRIu64 "%s", command->chunk, command->last ? " last" : "");
	} else if (command->argument.len) {
		fputc(' ', out);
		write_bytes(out, command->argument);
	}
	if (command->cut)
		fputs(" cut", out);
	write_span(log, SMTP_FROM_CLIENT, command->at);
	withheld = is_withheld(log, command->name, command->argument);
	fputc('\n', out);
	return withheld;
}

static void on_reply(void *ctx, const struct smtp_reply *reply)
{
	FILE *out = event(ctx);

	assert(reply->code >= 200 && reply->code <= 599);
	fprintf(out, "reply %u", reply->code);
	if (reply->enhanced.class)
		fprintf(out, " %u.%u.%u", reply->enhanced.class, reply->enhanced.subject,
			reply->enhanced.detail);
	fputc(' ', out);
	write_bytes(out, reply->text);
	fprintf(out, " to %s%s%s%s", smtp_verb_name(reply->verb),
		reply->final ? "" : " intermediate", reply->withheld ? " ghost" : "",
		reply->cut ? " cut" : "");
	write_span(ctx, SMTP_FROM_SERVER, reply->at);
	fputc('\n', out);
}

static void on_due(void *ctx, uint64_t at)
{
	fprintf(event(ctx), "due at %" PRIu64 "\n", at);
}

static void on_message_begin(void *ctx, uint64_t at, bool ghost)
{
	fprintf(event(ctx), "message begins %" PRIu64 "%s\n", at, ghost ? " ghost" : "");
}

static void on_body(void *ctx, struct bytes span, uint64_t at)
{
	struct smtp_log *log = ctx;

	assert(span.len);
	log->spans++;
	if (!log->body_len)
		log->body_at = at;
	if (log->body_len + span.len > log->body_size) {
		log->body_size = 2 * (log->body_len + span.len);
		log->body = realloc(log->body, log->body_size);
	}
	memcpy(log->body + log->body_len, span.p, span.len);
	log->body_len += span.len;
}

static void on_body_gap(void *ctx, struct smtp_span at)
{
	fputs("body gap", event(ctx));
	write_span(ctx, SMTP_FROM_CLIENT, at);
	fputc('\n', ((struct smtp_log *)ctx)->out);
}

static bool on_message_end(void *ctx, const struct smtp_end *end)
{
	static const char *const kinds[] = {"dot", "BDAT", "bare LF", "unseen"};
	FILE *out = event(ctx);
	bool withheld;

	fprintf(out, "message ends: %s%s", kinds[end->kind], end->ghost ? " ghost" : "");
	write_span(ctx, SMTP_FROM_CLIENT, end->at);
	withheld = is_withheld(ctx, end->kind == SMTP_END_BARE_LF ? BYTES("bare") : BYTES("end"),
			       BYTES(""));
	fputc('\n', out);
	return withheld;
}

static void on_message_result(void *ctx, const struct smtp_result *result)
{
	static const char *const outcomes[] = {"accepted", "refused", "unknown"};

	fprintf(event(ctx), "result %s %u rcpts %u/%u%s\n", outcomes[result->outcome], result->code,
		result->accepted, result->rcpts, result->ghost ? " ghost" : "");
}

static void on_transaction_abort(void *ctx, const struct smtp_abort *abort)
{
	fprintf(event(ctx), "abort by %s rcpts %u/%u%s\n",
		abort->by == SMTP_UNKNOWN ? "end of flow" : smtp_verb_name(abort->by),
		abort->accepted, abort->rcpts, abort->in_message ? " in message" : "");
}

static void on_starttls(void *ctx, uint64_t client_at, uint64_t server_at)
{
	fprintf(event(ctx), "TLS from client %" PRIu64 " server %" PRIu64 "\n", client_at,
		server_at);
}

static void on_auth(void *ctx, struct bytes mechanism)
{
	fprintf(event(ctx), "auth %.*s\n", (int)mechanism.len, (const char *)mechanism.p);
}

static void on_lost(void *ctx, enum smtp_lost why, enum smtp_direction direction, uint64_t at)
{
	static const char *const reasons[] = {"not SMTP", "line too long", "no block", "gap"};

	fprintf(event(ctx), "lost: %s, %s %" PRIu64 "\n", reasons[why],
		direction == SMTP_FROM_CLIENT ? "client" : "server", at);
}

static const struct smtp_sink log_sink = {
	.command = on_command,
	.reply = on_reply,
	.due = on_due,
	.message_begin = on_message_begin,
	.body = on_body,
	.body_gap = on_body_gap,
	.message_end = on_message_end,
	.message_result = on_message_result,
	.transaction_abort = on_transaction_abort,
	.starttls = on_starttls,
	.auth = on_auth,
	.lost = on_lost,
};

void smtp_log_init(struct smtp_log *log, unsigned flags)
{
	*log = (struct smtp_log){
		.pool = {block_get, block_put, 2048},
		.blocks_max = SIZE_MAX,
	};
	log->env = (struct smtp_env){&log->pool, &log_sink, log};
	log->out = open_memstream(&log->text, &log->text_size);
	smtp_init(&log->parser, flags);
}

/* Behind these bytes is a page that can't be read. */
static uint8_t *guarded(void)
{
	static uint8_t *end;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p;

	if (end)
		return end;
	p = mmap(NULL, SEGMENT_MAX + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	assert(p != MAP_FAILED && !mprotect(p + SEGMENT_MAX, page, PROT_NONE));
	end = p + SEGMENT_MAX;
	return end;
}

static size_t feed_guarded(struct smtp_log *log, enum smtp_direction direction, const void *data,
			   size_t len)
{
	size_t n = len < SEGMENT_MAX ? len : SEGMENT_MAX, taken;

	taken = smtp_feed(&log->parser, direction, memcpy(guarded() - n, data, n), n, &log->env);
	assert(taken <= n);
	assert(taken == n || smtp_waiting(&log->parser) == (direction == SMTP_FROM_CLIENT));
	assert(taken || direction == SMTP_FROM_CLIENT);
	return taken;
}

static void drain(struct smtp_log *log)
{
	size_t taken = 0, n = 1;

	/* Bytes that must wait are offered all the same: the parser knows that there are some. */
	for (; n && taken < log->backlog_len; taken += n)
		n = feed_guarded(log, SMTP_FROM_CLIENT, log->backlog + taken,
				 log->backlog_len - taken);
	log->backlog_len -= taken;
	if (taken)
		memmove(log->backlog, log->backlog + taken, log->backlog_len);
}

void smtp_log_feed(struct smtp_log *log, enum smtp_direction direction, const void *data,
		   size_t len)
{
	size_t done = 0;

	log->seen[direction] += len;
	if (direction == SMTP_FROM_SERVER) {
		while (done < len) {
			done += feed_guarded(log, direction, (const uint8_t *)data + done,
					     len - done);
			drain(log);
		}
	} else {
		if (log->backlog_len + len > log->backlog_size) {
			log->backlog_size = 2 * (log->backlog_len + len);
			log->backlog = realloc(log->backlog, log->backlog_size);
		}
		memcpy(log->backlog + log->backlog_len, data, len);
		log->backlog_len += len;
	}
	drain(log);
}

void smtp_log_release(struct smtp_log *log)
{
	while (smtp_waiting(&log->parser)) {
		smtp_release(&log->parser, &log->env);
		drain(log);
	}
}

void smtp_log_gap(struct smtp_log *log, enum smtp_direction direction, uint64_t bytes)
{
	log->seen[direction] += bytes;
	if (direction == SMTP_FROM_CLIENT)
		smtp_log_release(log);
	smtp_gap(&log->parser, direction, bytes, &log->env);
	drain(log);
}

const char *smtp_log_finish(struct smtp_log *log)
{
	smtp_fini(&log->parser, &log->env);
	assert(log->blocks == 0);
	flush_body(log);
	fclose(log->out);
	log->out = NULL;
	return log->text;
}

void smtp_log_fini(struct smtp_log *log)
{
	free(log->text);
	free(log->body);
	free(log->backlog);
}
