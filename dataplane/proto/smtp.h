/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One SMTP session, read from both directions of its TCP stream (RFC 5321;
 * 2920 PIPELINING, 3030 BDAT, 3207 STARTTLS, 4954 AUTH).
 *
 * The caller feeds each direction's bytes in order and once. What the parser
 * sees it tells a sink at the exact byte: a command when its line is
 * complete, a body as spans of the caller's own segment, and the end of a
 * message before the call that holds its last byte returns, so that the byte
 * can still be withheld. The events of a session do not depend on how its
 * bytes were cut into segments (body spans: their concatenation).
 *
 * Replies are matched to commands by order alone (RFC 2920 3.1). After DATA,
 * STARTTLS or AUTH it is the server's reply that says what the client's next
 * bytes are. The parser does not guess: smtp_feed() stops, the caller keeps the
 * rest and feeds it again once the server has spoken. Bytes pipelined behind a
 * DATA that the server refuses are therefore read as the commands they are.
 *
 * Memory: an idle session is `struct smtp` alone. Half a line, half a reply
 * or an unusually ragged queue of unanswered commands takes one block each from
 * the caller's pool and gives it back as soon as it can.
 * Cost: linear in the bytes, whatever they are. Nothing allocates, blocks or
 * fails upward. One thread at a time per session.
 */
#ifndef POSTERN_PROTO_SMTP_H
#define POSTERN_PROTO_SMTP_H

#include "dataplane/proto/bytes.h"
#include "dataplane/proto/pool.h"

#define SMTP_NAME_MAX 23   /* bytes of a verb's name; a longer one is "?" */
#define SMTP_TEXT_MAX 1024 /* bytes of a reply's text that are kept */
#define SMTP_RUNS     16   /* runs of like unanswered commands held without a block */
#define SMTP_EARLY    6    /* replies that are remembered until a gap in commands is known */

enum smtp_direction {
	SMTP_FROM_CLIENT,
	SMTP_FROM_SERVER,
};

enum smtp_flag {
	/* The session's start was not seen: start at what looks like a command or a reply. */
	SMTP_MIDSTREAM = 1 << 0,
	/* A withheld command or end is answered in this stream all the same: a replayed capture. */
	SMTP_KEEP_GHOSTS = 1 << 1,
	/* Both directions pass the caller for certain: wait for the server even before its first
	   byte. */
	SMTP_TWO_WAY = 1 << 2,
	/* The caller answers what is withheld itself, in its turn: smtp_sink.due says when. */
	SMTP_ANSWER_WITHHELD = 1 << 3,
};

/* clang-format off */
#define SMTP_VERBS(X)                                                                              \
	X(HELO) X(EHLO) X(MAIL) X(RCPT) X(DATA) X(BDAT) X(RSET) X(NOOP) X(QUIT) X(VRFY) X(EXPN)     \
	X(HELP) X(STARTTLS) X(AUTH) X(ETRN) X(ATRN) X(TURN) X(SEND) X(SOML) X(SAML) X(BURL)         \
	X(XCLIENT) X(XFORWARD) X(XEXCH50)
/* clang-format on */

enum smtp_verb {
	SMTP_UNKNOWN, /* a command of another name */
#define X(name) SMTP_##name,
	SMTP_VERBS(X)
#undef X
	/* What else a reply can answer. */
	SMTP_GREETING,
	SMTP_DATA_END,    /* the end of a message sent with DATA */
	SMTP_BDAT_LAST,   /* the last chunk of a message */
	SMTP_AUTH_LINE,   /* a continuation line of AUTH */
	SMTP_UNSOLICITED, /* nothing: a 421 at a timeout, or a server that talks too much */
	SMTP_VERB_COUNT,
};

/* Stream offsets [begin, end) in the direction concerned; 0 is its first byte fed. */
struct smtp_span {
	uint64_t begin, end;
};

/* All bytes in events belong to the parser and live until the callback returns. */
struct smtp_command {
	enum smtp_verb verb;
	struct bytes name;     /* in capitals; "?" for what doesn't look like one */
	struct bytes argument; /* without blanks around it; AUTH: the mechanism alone */
	/* MAIL and RCPT: has_address, or their argument is not one. */
	bool has_address;
	struct bytes address; /* no brackets, no source route; empty for <> */
	struct bytes params;  /* ESMTP parameters, for smtp_param_next() */
	/* BDAT: sized, or its argument is not a size and no chunk follows. */
	bool sized, last;
	uint64_t chunk; /* bytes that follow the line */
	bool cut;       /* the line was longer than a pool block; its end is missing */
	struct smtp_span at;
};

struct smtp_enhanced {
	uint8_t class; /* 2, 4, 5; 0: the reply has none */
	uint16_t subject, detail;
};

struct smtp_reply {
	uint16_t code; /* 200..599; lines that disagree: the last one's */
	struct smtp_enhanced enhanced;
	struct bytes text;   /* lines without codes, joined by a blank */
	enum smtp_verb verb; /* what it answers */
	bool final;          /* false: 3yz, the client has something to add */
	bool withheld;       /* what it answers was withheld (SMTP_KEEP_GHOSTS) */
	bool cut;            /* text is incomplete */
	uint32_t rcpt;       /* RCPT: which of its transaction, from 0; those withheld are none */
	struct smtp_span at;
};

enum smtp_end_kind {
	SMTP_END_DOT,     /* CRLF . CRLF */
	SMTP_END_BDAT,    /* the last byte of a BDAT LAST chunk, or the line BDAT 0 LAST */
	SMTP_END_BARE_LF, /* looks like an end to receivers that take a bare LF or CR for CRLF */
	SMTP_END_UNSEEN,  /* it lay in bytes that were never seen: nothing left to withhold */
};

/* Withholding any tail of `at` that holds its last byte keeps the receiver from completing. */
struct smtp_end {
	enum smtp_end_kind kind;
	struct smtp_span at;
	bool ghost; /* the DATA or BDAT before it, or an earlier end, was withheld */
};

enum smtp_outcome {
	SMTP_ACCEPTED, /* 2yz */
	SMTP_REFUSED,  /* 4yz, 5yz, also of a chunk before the last */
	SMTP_OUTCOME_UNKNOWN,
};

struct smtp_result {
	enum smtp_outcome outcome;
	uint16_t code;     /* 0: no reply was seen */
	uint32_t rcpts;    /* RCPT commands of the transaction that reached the server */
	uint32_t accepted; /* of those, answered 25z */
	bool ghost;        /* as in smtp_end, or the end was withheld */
};

struct smtp_abort {
	enum smtp_verb by; /* RSET HELO EHLO STARTTLS QUIT MAIL; SMTP_UNKNOWN: the flow ended */
	uint32_t rcpts, accepted;
	bool in_message; /* its data had begun */
};

enum smtp_lost {
	SMTP_LOST_NOT_SMTP, /* nothing more is read */
	SMTP_LOST_LINE,     /* a command longer than a pool block; reading goes on after it */
	SMTP_LOST_BUDGET,   /* the pool is empty; reading goes on after the line */
	SMTP_LOST_DESYNC,   /* bytes are missing; reading goes on at the next sure command */
};

/* Every member must be set. */
struct smtp_sink {
	/*
	 * Returns true when the gate withholds the command: it then has no effect
	 * and no reply here, unless SMTP_KEEP_GHOSTS; with SMTP_ANSWER_WITHHELD it is due. Of a
	 * withheld BDAT the chunk is skipped too: `chunk` bytes after `at`.
	 */
	bool (*command)(void *ctx, const struct smtp_command *command);
	void (*reply)(void *ctx, const struct smtp_reply *reply);
	/*
	 * SMTP_ANSWER_WITHHELD: the oldest command or end that was withheld, and is not due yet,
	 * would be answered here: before the server's byte `at`, the next one after the replies to
	 * all that came before it.
	 */
	void (*due)(void *ctx, uint64_t at);
	/* The body's first byte will be the client's byte `at`. ghost: as in smtp_end. */
	void (*message_begin)(void *ctx, uint64_t at, bool ghost);
	/*
	 * Body bytes without dot-stuffing, up to and with the CRLF before the final
	 * dot, which ends the last line (RFC 5321 4.1.1.4). `at`: where the span was.
	 */
	void (*body)(void *ctx, struct bytes span, uint64_t at);
	void (*body_gap)(void *ctx, struct smtp_span at);
	/*
	 * Returns true when the end is withheld. Without SMTP_KEEP_GHOSTS there is
	 * then no reply and no message_result. A BARE_LF end that is not withheld
	 * is body, as RFC 5321 4.1.1.4 has it, unless the server's reply shows
	 * that it was taken for the end. It is told once per message; withheld, the
	 * rest of that body is skipped in silence.
	 */
	bool (*message_end)(void *ctx, const struct smtp_end *end);
	/*
	 * Once per message_begin that was not aborted or withheld. Comes before
	 * message_end when the server refuses early.
	 */
	void (*message_result)(void *ctx, const struct smtp_result *result);
	/* A transaction that MAIL opened (the server said so) ended without a result. */
	void (*transaction_abort)(void *ctx, const struct smtp_abort *abort);
	/*
	 * The server said 220 to STARTTLS: TLS begins at these offsets. A client
	 * that goes on in the clear all the same (decrypted captures) is still read.
	 */
	void (*starttls)(void *ctx, uint64_t client_at, uint64_t server_at);
	/* An AUTH command; never what follows it. */
	void (*auth)(void *ctx, struct bytes mechanism);
	void (*lost)(void *ctx, enum smtp_lost why, enum smtp_direction direction, uint64_t at);
};

/* What a call works with; the same pool for a session's whole life. */
struct smtp_env {
	struct proto_pool *pool; /* blocks of >= SMTP_TEXT_MAX bytes; 2048 recommended */
	const struct smtp_sink *sink;
	void *ctx;
};

/* Private to the parser's files; embedded in the flow, hence here. */
struct smtp {
	uint64_t client_at, server_at; /* stream offsets of the next bytes */
	uint64_t line_begin;           /* the client's line in progress */
	uint64_t reply_begin;          /* the reply in progress */
	uint64_t chunk_left;           /* BDAT bytes still to come */
	uint64_t bare_end;             /* behind the last BARE_LF end of this body; 0: none */
	uint8_t *line;                 /* block: the client's line so far */
	uint8_t *text;                 /* block: the reply's text so far */
	uint32_t *spill;               /* block: the queue, when it outgrew `run` */
	uint32_t run[SMTP_RUNS];       /* unanswered commands, run-length coded */
	uint32_t rcpts, accepted;      /* answered RCPTs of the open transaction */
	uint32_t mails; /* MAILs that the server was told of and that were answered, or given up */
	uint16_t run_head, run_count;
	uint16_t held; /* bytes in `line` */
	uint16_t text_len, text_line;
	uint16_t code;
	struct smtp_enhanced enhanced;
	uint16_t early[SMTP_EARLY]; /* codes of replies to commands not seen yet */
	uint8_t early_count;
	uint8_t head[4]; /* a reply line's first bytes */
	uint8_t head_len;
	uint8_t strays; /* lines in a row that are no reply */
	uint8_t mode;
	uint8_t body; /* how much of an end of data was just seen */
	uint8_t flags;
	uint32_t state; /* bits, smtp_internal.h */
};

/* flags: enum smtp_flag, or'ed. */
void smtp_init(struct smtp *s, unsigned flags);

/*
 * Reads the next `len` bytes of one direction. Returns how many it took. Fewer
 * than `len`:
 *   from the client: it must wait for the server (smtp_waiting()). Keep the rest; that there
 *   is some tells the parser what a gap in the replies has hidden.
 *   from the server: a reply ended that wait. Feed the client's bytes that were kept,
 *   if any; then go on with the rest of these.
 */
size_t smtp_feed(struct smtp *s, enum smtp_direction direction, const void *data, size_t len,
		 const struct smtp_env *env);

/*
 * Before a gap in the replies is told: what waits of the client was sent after the replies behind
 * the gap, too, so it does not show what was in it.
 */
void smtp_client_is_later(struct smtp *s);

/* Would client bytes fed now be refused? */
bool smtp_waiting(const struct smtp *s);

/*
 * The client's offset from which on its bytes are part of a line that is not whole yet and may
 * be a command that the sink is asked about and withholds (HELO, EHLO, MAIL, RCPT); where there
 * is none, that of its next byte.
 */
uint64_t smtp_undecided(const struct smtp *s);

/* The caller gave up waiting for the server: go on as if it had said yes. */
void smtp_release(struct smtp *s, const struct smtp_env *env);

/* The next `bytes` of a direction were never seen. Releases a waiting client. */
void smtp_gap(struct smtp *s, enum smtp_direction direction, uint64_t bytes,
	      const struct smtp_env *env);

/* The flow is over: reports what is unfinished and returns all blocks. Then only smtp_init(). */
void smtp_fini(struct smtp *s, const struct smtp_env *env);

/* TLS records were seen, or it is not SMTP: no more events will come. */
bool smtp_is_tls(const struct smtp *s);
bool smtp_is_lost(const struct smtp *s);

/* "EHLO", "greeting", "data end", ...: a static string. */
const char *smtp_verb_name(enum smtp_verb verb);

/* Takes the next ESMTP parameter off *params; value is empty when there is no "=". */
bool smtp_param_next(struct bytes *params, struct bytes *key, struct bytes *value);

#endif
