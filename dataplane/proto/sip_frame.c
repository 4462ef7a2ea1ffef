/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "dataplane/proto/sip_frame.h"

enum framer_mode {
	MODE_BETWEEN,   /* before a message: CRLFs, then a start line */
	MODE_HEAD,      /* in headers */
	MODE_BODY,      /* in a body that is kept */
	MODE_SKIP_BODY, /* in the rest of a body that was reported */
	MODE_SEEK,      /* lost, at the beginning of a line */
	MODE_SKIP_LINE, /* lost, in a line that is no start line */
};

/* One call's view: `base` is the message so far, in the block or still in the segment. */
struct feed {
	struct sip_framer *f;
	struct proto_pool *pool;
	const struct sip_sink *sink;
	void *ctx;
	const uint8_t *base;
	const uint8_t *at; /* the next byte of the segment */
	const uint8_t *end;
};

static uint64_t frame_begin(const struct sip_framer *f)
{
	return f->offset - f->len;
}

static void block_drop(struct sip_framer *f, struct proto_pool *pool)
{
	if (f->block)
		pool_put(pool, f->block);
	f->block = NULL;
}

/* The message is done with, in whatever way. */
static void message_reset(struct feed *feed, enum framer_mode mode)
{
	block_drop(feed->f, feed->pool);
	feed->f->len = feed->f->head_len = feed->f->line = 0;
	feed->f->mode = (uint8_t)mode;
	feed->base = feed->at;
}

static void framing_lost(struct feed *feed, uint64_t begin, enum sip_lost why,
			 enum framer_mode mode)
{
	message_reset(feed, mode);
	feed->f->losses++;
	feed->sink->lost(feed->ctx, begin, why);
}

/* Adds n bytes of the segment to the message. The caller has checked the limit. */
static void take(struct feed *feed, size_t n)
{
	struct sip_framer *f = feed->f;

	if (f->block)
		memcpy(f->block + f->len, feed->at, n);
	feed->at += n;
	f->len += (uint32_t)n;
	f->offset += n;
}

/* Passes over bytes that belong to no message. */
static void skip(struct feed *feed, size_t n)
{
	feed->at += n;
	feed->f->offset += n;
	feed->base = feed->at;
}

static size_t left(const struct feed *feed)
{
	return (size_t)(feed->end - feed->at);
}

/* Bytes up to and including the next LF of the segment, or all. */
static size_t line_rest(const struct feed *feed, bool *complete)
{
	const uint8_t *lf = bytes_chr(bytes_of(feed->at, left(feed)), '\n');

	*complete = lf != NULL;
	return lf ? (size_t)(lf + 1 - feed->at) : left(feed);
}

static struct bytes without_line_end(const uint8_t *p, size_t len)
{
	if (len && p[len - 1] == '\n')
		len--;
	if (len && p[len - 1] == '\r')
		len--;
	return bytes_of(p, len);
}

/* MODE_BETWEEN and MODE_SEEK, at the first byte of a line. False: it was consumed. */
static bool line_begins(struct feed *feed)
{
	struct sip_framer *f = feed->f;
	uint8_t c = *feed->at;

	if (c == '\r' || c == '\n') {
		if (f->mode == MODE_BETWEEN && c == '\n' && f->cr)
			f->keepalives++;
		f->cr = c == '\r';
		f->after_gap = f->after_gap && c != '\n';
		skip(feed, 1);
		return false;
	}
	f->cr = 0;
	if (sip_is_token_char(c))
		return true;
	if (f->mode == MODE_BETWEEN)
		framing_lost(feed, f->offset, SIP_LOST_START_LINE, MODE_SKIP_LINE);
	else
		f->mode = MODE_SKIP_LINE;
	return false;
}

/*
 * Where a message must begin, anything meant as a start line will do. When
 * looking for one, only a good one; and after a gap the line may be the tail of
 * another, so that its method must be one we know.
 */
static bool is_start_line(struct sip_framer *f, struct bytes line)
{
	struct sip_message probe;
	enum sip_result result = sip_parse_start_line(line, &probe);
	bool tail = f->after_gap;

	f->after_gap = 0;
	if (f->mode == MODE_BETWEEN)
		return result != SIP_NOT_SIP;
	if (probe.kind == SIP_REQUEST && (sip_message_flags(&probe) & SIP_FLAG_BAD_URI))
		return false;
	return result == SIP_OK && !(tail && probe.kind == SIP_REQUEST && !probe.method_id);
}

/* A line is no start line: say so once, and look on. */
static void not_start_line(struct feed *feed, bool complete)
{
	enum framer_mode next = complete ? MODE_SEEK : MODE_SKIP_LINE;

	if (feed->f->mode == MODE_BETWEEN)
		framing_lost(feed, frame_begin(feed->f), SIP_LOST_START_LINE, next);
	else
		message_reset(feed, next);
}

static void start_line(struct feed *feed)
{
	struct sip_framer *f = feed->f;
	bool complete;

	if (f->len == 0 && !line_begins(feed))
		return;

	size_t n = line_rest(feed, &complete);

	if (f->len + n > SIP_LINE_MAX) {
		not_start_line(feed, false);
		return; /* MODE_SKIP_LINE takes the rest, its LF included */
	}
	take(feed, n);
	if (!complete)
		return;
	if (!is_start_line(f, without_line_end(feed->base, f->len))) {
		not_start_line(feed, true);
		return;
	}
	f->mode = MODE_HEAD;
	f->line = f->len;
}

static void emit(struct feed *feed, enum sip_result result, struct sip_message *msg)
{
	struct sip_framer *f = feed->f;
	struct sip_frame frame = {
		.data = feed->base,
		.len = f->len,
		.begin = frame_begin(f),
		.end = f->offset + f->missing,
		.truncated = f->missing > 0,
	};

	f->messages++;
	feed->sink->message(feed->ctx, &frame, result, msg);
}

/* The body is there as far as it will be. */
static void body_done(struct feed *feed, struct sip_message *msg)
{
	struct sip_framer *f = feed->f;

	msg->body = bytes_of(feed->base + f->head_len, f->len - f->head_len);
	emit(feed, msg->error ? SIP_MALFORMED : SIP_OK, msg);
	message_reset(feed, f->missing ? MODE_SKIP_BODY : MODE_BETWEEN);
}

static void body(struct feed *feed, struct sip_message *msg)
{
	struct sip_framer *f = feed->f;
	uint64_t room = feed->pool->block_size - f->len;
	uint64_t n = f->missing < room ? f->missing : room;

	if (n > left(feed))
		n = left(feed);
	take(feed, n);
	f->missing -= n;
	if (f->missing && f->len < feed->pool->block_size)
		return;

	struct sip_message again;

	if (!msg) {
		msg = &again;
		sip_parse_head(feed->base, f->head_len, msg);
	}
	body_done(feed, msg);
}

static void head_done(struct feed *feed)
{
	struct sip_framer *f = feed->f;
	uint64_t begin = frame_begin(f);
	struct sip_message msg;
	enum sip_result result = sip_parse_head(feed->base, f->len, &msg);

	f->head_len = f->len;
	f->missing = 0;
	if (msg.error == SIP_ERROR_CONTENT_LENGTH || msg.error == SIP_ERROR_CONTENT_LENGTHS) {
		emit(feed, result, &msg);
		framing_lost(feed, begin, SIP_LOST_CONTENT_LENGTH, MODE_SEEK);
		return;
	}
	/* RFC 3261 20.14 demands the header on streams; without it, there is no body. */
	f->missing = msg.content_length > 0 ? (uint64_t)msg.content_length : 0;
	f->mode = MODE_BODY;
	body(feed, &msg);
}

static void head(struct feed *feed)
{
	struct sip_framer *f = feed->f;
	bool complete;
	size_t n = line_rest(feed, &complete);

	if (f->len + n > feed->pool->block_size) {
		framing_lost(feed, frame_begin(f), SIP_LOST_HEAD_TOO_LONG, MODE_SKIP_LINE);
		return;
	}
	take(feed, n);
	if (!complete)
		return;
	if (without_line_end(feed->base + f->line, f->len - f->line).len == 0)
		head_done(feed);
	else
		f->line = f->len;
}

static void skip_body(struct feed *feed)
{
	uint64_t missing = feed->f->missing;
	size_t n = missing < left(feed) ? (size_t)missing : left(feed);

	skip(feed, n);
	feed->f->missing -= n;
	if (!feed->f->missing)
		feed->f->mode = MODE_BETWEEN;
}

static void skip_line(struct feed *feed)
{
	bool complete;

	skip(feed, line_rest(feed, &complete));
	if (complete) {
		feed->f->mode = MODE_SEEK;
		feed->f->after_gap = 0;
	}
}

/* The segment ends inside a message: carry what there is of it. */
static void carry(struct feed *feed)
{
	struct sip_framer *f = feed->f;

	if (!f->len || f->block)
		return;
	f->block = pool_get(feed->pool);
	if (f->block)
		memcpy(f->block, feed->base, f->len);
	else
		framing_lost(feed, frame_begin(f), SIP_LOST_BUDGET, MODE_SKIP_LINE);
}

void sip_frame_feed(struct sip_framer *f, const uint8_t *data, size_t len, struct proto_pool *pool,
		    const struct sip_sink *sink, void *ctx)
{
	struct feed feed = {
		.f = f,
		.pool = pool,
		.sink = sink,
		.ctx = ctx,
		.base = f->block ? f->block : data,
		.at = data,
		.end = data + len,
	};

	assert(pool->block_size > SIP_LINE_MAX);
	while (feed.at < feed.end) {
		switch (f->mode) {
		case MODE_BETWEEN:
		case MODE_SEEK:
			start_line(&feed);
			break;
		case MODE_HEAD:
			head(&feed);
			break;
		case MODE_BODY:
			body(&feed, NULL);
			break;
		case MODE_SKIP_BODY:
			skip_body(&feed);
			break;
		case MODE_SKIP_LINE:
			skip_line(&feed);
			break;
		}
	}
	carry(&feed);
}

void sip_frame_gap(struct sip_framer *f, uint64_t len, struct proto_pool *pool,
		   const struct sip_sink *sink, void *ctx)
{
	struct feed feed = {.f = f, .pool = pool, .sink = sink, .ctx = ctx, .base = f->block};

	if (len == 0)
		return;
	if (f->mode == MODE_BODY) {
		struct sip_message msg;

		sip_parse_head(f->block, f->head_len, &msg);
		body_done(&feed, &msg);
	}
	if (f->mode == MODE_SKIP_BODY && len <= f->missing) {
		f->offset += len;
		f->missing -= len;
		if (!f->missing)
			f->mode = MODE_BETWEEN;
		return;
	}

	uint64_t begin = frame_begin(f);
	bool lost_already = f->mode == MODE_SEEK || f->mode == MODE_SKIP_LINE;

	f->offset += len;
	f->missing = 0;
	f->after_gap = 1;
	if (lost_already)
		message_reset(&feed, MODE_SEEK);
	else
		framing_lost(&feed, begin, SIP_LOST_GAP, MODE_SEEK);
}

uint64_t sip_frame_settled(const struct sip_framer *f)
{
	return frame_begin(f);
}

void sip_frame_fini(struct sip_framer *f, struct proto_pool *pool)
{
	block_drop(f, pool);
}
