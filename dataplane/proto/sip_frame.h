/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIP messages out of a TCP stream, framed by Content-Length (RFC 3261 18.3).
 *
 * One `struct sip_framer` a direction; all-zero is a fresh one. An idle framer
 * holds no block. A message that lies whole in one segment is handed over in
 * place; a split one is put together in one block of the pool, whose size is
 * also the limit of what is kept of a message. What is reported does not depend
 * on where segments are cut (but for the times at which blocks are short).
 *
 * A message larger than the limit is reported as soon as the limit is reached,
 * `truncated`; the rest of its body is passed over. Headers larger than the
 * limit, a first line that is no SIP, a Content-Length that is none, or several
 * that differ lose the framing: `lost` is called once, and the framer looks for
 * a line that is a valid SIP start line and goes on there.
 *
 * Same thread only; never blocks; linear in the bytes fed.
 */
#ifndef POSTERN_PROTO_SIP_FRAME_H
#define POSTERN_PROTO_SIP_FRAME_H

#include "dataplane/proto/pool.h"
#include "dataplane/proto/sip.h"

#define SIP_LINE_MAX 8192 /* bytes of a start line; a pool's blocks must hold more */

struct sip_framer {
	uint8_t *block;    /* the message so far, or NULL */
	uint64_t offset;   /* bytes of the stream seen, gaps included */
	uint64_t missing;  /* bytes of the body still to come */
	uint32_t len;      /* bytes of the message seen, up to the limit */
	uint32_t head_len; /* start line to empty line; 0: not seen yet */
	uint32_t line;     /* where the current line begins in the message */
	uint32_t messages;
	uint32_t keepalives; /* CRLFs between messages (RFC 5626 3.5.1: two ping, one answers) */
	uint32_t losses;
	uint8_t mode;      /* private: enum framer_mode */
	uint8_t after_gap; /* private: the next line may be the tail of one */
	uint8_t cr;        /* private: a CR between messages waits for its LF */
};

_Static_assert(sizeof(struct sip_framer) <= 64, "an idle framer is one cache line");

struct sip_frame {
	const uint8_t *data; /* from the start line on; valid during the call */
	size_t len;          /* at hand: less than end - begin when truncated */
	uint64_t begin;      /* stream offsets, bytes: [begin, end) is the message */
	uint64_t end;        /* may lie beyond what was fed so far when truncated */
	bool truncated;      /* not all of the body is in data */
};

enum sip_lost {
	SIP_LOST_START_LINE,     /* not SIP where a message must begin */
	SIP_LOST_HEAD_TOO_LONG,  /* headers beyond the limit */
	SIP_LOST_CONTENT_LENGTH, /* unusable or contradictory */
	SIP_LOST_BUDGET,         /* no block to be had */
	SIP_LOST_GAP,            /* bytes missing where framing needs them */
};

struct sip_sink {
	/*
	 * One message. `result` is SIP_OK, or SIP_MALFORMED with msg->error: then the frame may be
	 * the headers alone, and `lost` follows. A truncated body is no error here.
	 */
	void (*message)(void *ctx, const struct sip_frame *frame, enum sip_result result,
			const struct sip_message *msg);
	/* Framing was lost in the message, or whatever it is, that begins at offset. */
	void (*lost)(void *ctx, uint64_t offset, enum sip_lost why);
};

/* The next bytes of the stream. */
void sip_frame_feed(struct sip_framer *f, const uint8_t *data, size_t len, struct proto_pool *pool,
		    const struct sip_sink *sink, void *ctx);

/* `len` bytes that the peer has and we never saw. Inside a body they cost that body alone. */
void sip_frame_gap(struct sip_framer *f, uint64_t len, struct proto_pool *pool,
		   const struct sip_sink *sink, void *ctx);

/*
 * The stream offset below which every byte belongs to something reported or
 * passed over: bytes from here on are an unfinished message.
 */
uint64_t sip_frame_settled(const struct sip_framer *f);

/* Gives the block back; the stream ended or is no longer inspected. */
void sip_frame_fini(struct sip_framer *f, struct proto_pool *pool);

#endif
