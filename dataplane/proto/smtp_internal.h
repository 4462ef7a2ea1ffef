/* SPDX-License-Identifier: BSD-3-Clause */
/* What the SMTP parser's files share. Nobody else includes it. */
#ifndef POSTERN_PROTO_SMTP_INTERNAL_H
#define POSTERN_PROTO_SMTP_INTERNAL_H

#include "dataplane/proto/smtp.h"

/* What the client's next bytes are. */
enum smtp_mode {
	MODE_COMMAND,
	MODE_RESYNC,     /* commands, but only sure ones count */
	MODE_DATA_WAIT,  /* body or commands: the reply to DATA says */
	MODE_BODY,       /* up to the dot */
	MODE_CHUNK,      /* chunk_left bytes of BDAT */
	MODE_SKIP,       /* chunk_left bytes that nobody reads */
	MODE_AUTH_WAIT,  /* continuation or commands: the reply to AUTH says */
	MODE_AUTH_LINE,  /* one continuation line */
	MODE_AUTH_GUESS, /* as AUTH_WAIT, but the reply won't be seen */
	MODE_TLS_WAIT,   /* TLS or commands: the reply to STARTTLS says */
	MODE_TLS_FIRST,  /* TLS, unless the next byte shows that it isn't */
	MODE_TLS,
	MODE_LOST,
};

enum smtp_state {
	/* The session */
	ST_CLIENT_SPOKE = 1 << 0,
	ST_SERVER_SPOKE = 1 << 1,
	ST_REPLIED = 1 << 2,     /* at least one reply was understood */
	ST_QUEUE_FULL = 1 << 3,  /* the client waits for room in the queue */
	ST_REPLY_GAP = 1 << 4,   /* replies may be missing: the next command gives up the older */
	ST_REPLY_START = 1 << 5, /* skip to a line that looks like a reply */
	/* Lines in progress */
	ST_LINE_OPEN = 1 << 6,
	ST_LINE_CUT = 1 << 7,
	ST_LINE_DROPPED = 1 << 8, /* no block for it: what it said is unknown */
	ST_REPLY_OPEN = 1 << 9,
	ST_REPLY_CUT = 1 << 10,
	/* The message that the client is sending */
	ST_MSG_OPEN = 1 << 11,
	ST_MSG_GHOST = 1 << 12,
	ST_MSG_MUTE = 1 << 13,     /* its bare-LF end was withheld: nothing more is told */
	ST_MSG_ANSWERED = 1 << 14, /* the server spoke before the end */
	ST_MSG_GAP = 1 << 15,      /* bytes of it are missing, maybe its end */
	ST_MSG_BARE = 1 << 16,     /* a bare-LF end was told */
	ST_MSG_ASSUMED = 1 << 17,  /* begun without the server's word */
	ST_CHUNK_LAST = 1 << 18,
	/* The transaction as far as the server has answered it */
	ST_TX_OPEN = 1 << 19,
	ST_TX_MESSAGE = 1 << 20,
	ST_TX_RESULT = 1 << 21, /* a chunk was refused, and that was told */
	ST_TLS_TOLD = 1 << 22,
	/* The client's bytes come after replies to them */
	ST_EARLY = 1 << 23,
	ST_EARLY_ALIGNED = 1 << 24, /* the next of these answers the next command */
	ST_CLIENT_AHEAD = 1 << 25,  /* bytes of the client wait for the server */
	ST_MSG_TEXT = 1 << 26,      /* the message has begun to come */
	ST_MAY_MISS = 1 << 27, /* commands are missing since the last that begins a transaction */
};

#define ST_MSG_BITS                                                                              \
	(ST_MSG_OPEN | ST_MSG_GHOST | ST_MSG_MUTE | ST_MSG_ANSWERED | ST_MSG_GAP | ST_MSG_BARE | \
	 ST_MSG_ASSUMED | ST_MSG_TEXT)

static inline bool smtp_has(const struct smtp *s, uint32_t bits)
{
	return s->state & bits;
}

/* Will a server's reply ever come? */
static inline bool smtp_can_wait(const struct smtp *s)
{
	return smtp_has(s, ST_SERVER_SPOKE) || (s->flags & SMTP_TWO_WAY);
}

/* A pending BDAT without a size: refused, and no chunk of a message. */
#define SMTP_BDAT_BAD SMTP_VERB_COUNT

/* smtp_queue.c: what the server has yet to answer, oldest first */
struct smtp_pending {
	enum smtp_verb verb;
	bool withheld;
};

/* Room for two more runs? */
bool smtp_queue_reserve(struct smtp *s, struct proto_pool *pool);
/* Without room the command is not queued and its reply will be unsolicited. */
void smtp_queue_push(struct smtp *s, enum smtp_verb verb, bool withheld);
/* Oldest, newest: SMTP_UNSOLICITED when empty. */
struct smtp_pending smtp_queue_peek(const struct smtp *s);
struct smtp_pending smtp_queue_last(const struct smtp *s);
struct smtp_pending smtp_queue_pop(struct smtp *s, struct proto_pool *pool);
/* Is the newest one `verb`? Then takes it back. */
bool smtp_queue_unpush(struct smtp *s, enum smtp_verb verb);
uint32_t smtp_queue_count(const struct smtp *s);
void smtp_queue_fini(struct smtp *s, struct proto_pool *pool);

/*
 * smtp_command.c: one line, without its LF. False: not text. `name` is scratch of
 * SMTP_NAME_MAX bytes that the command points into.
 */
bool smtp_command_parse(struct bytes line, struct smtp_command *command, uint8_t *name);
/* Surely a command, even when what precedes it is unknown. */
bool smtp_command_sure(const struct smtp_command *command);
/* May a line that begins like this be a command that a sink withholds? */
bool smtp_command_may_be_withheld(const uint8_t *line, size_t len);
/* How much of a line's first `len` bytes need be carried: an AUTH line ends at its mechanism. */
size_t smtp_command_carry(const uint8_t *line, size_t len);

/* smtp_client.c, smtp_body.c: bytes of the client; return how many they took */
size_t smtp_client_line(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env);
size_t smtp_auth_line(struct smtp *s, const uint8_t *p, size_t len);
void smtp_client_drop_line(struct smtp *s, const struct smtp_env *env);
size_t smtp_body_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env);
size_t smtp_chunk_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env);
void smtp_body_gap(struct smtp *s, uint64_t bytes, const struct smtp_env *env);

/* smtp_reply.c: all of the server's bytes, but what comes behind STARTTLS's 220 */
size_t smtp_reply_feed(struct smtp *s, const uint8_t *p, size_t len, const struct smtp_env *env);
void smtp_reply_drop(struct smtp *s, const struct smtp_env *env);

/* smtp_early.c: replies that were read before their commands */
void smtp_early_add(struct smtp *s, uint16_t code);
void smtp_early_clear(struct smtp *s);
/* ST_EARLY, and the client said something: what of it is answered already? */
void smtp_early_answer(struct smtp *s, const struct smtp_env *env);

/* smtp_session.c: what commands, ends and replies do to the session */
void smtp_message_begin(struct smtp *s, uint64_t at, bool ghost, const struct smtp_env *env);
/* Tells the end; true: withheld. */
bool smtp_message_end(struct smtp *s, enum smtp_end_kind kind, struct smtp_span at,
		      const struct smtp_env *env);
/* The dot (or what stood for it) is past: queue its reply, back to commands. */
void smtp_data_end(struct smtp *s, bool withheld, const struct smtp_env *env);
/* The last chunk is past. */
void smtp_bdat_end(struct smtp *s, enum smtp_end_kind kind, struct smtp_span at,
		   const struct smtp_env *env);
/* Withheld ones whose turn it is: their answers belong before the server's byte `at`. */
void smtp_session_due(struct smtp *s, uint64_t at, const struct smtp_env *env);
/* What the server has to answer next; after a gap in its replies, what it has answered by now. */
void smtp_session_push(struct smtp *s, enum smtp_verb verb, bool withheld,
		       const struct smtp_env *env);
/* A complete reply: finds what it answers, tells it, and acts on it. */
void smtp_session_reply(struct smtp *s, struct smtp_reply *reply, const struct smtp_env *env);
/* The client waits, and no reply will be seen: as if it were a yes. */
void smtp_session_assume(struct smtp *s, const struct smtp_env *env);
/* The oldest unanswered command has this reply, which was told before. */
void smtp_session_answer(struct smtp *s, uint16_t code, const struct smtp_env *env);
/* Gives up waiting for the oldest unanswered command. */
void smtp_session_give_up(struct smtp *s, const struct smtp_env *env);
void smtp_session_tls(struct smtp *s, const struct smtp_env *env);
void smtp_session_abort(struct smtp *s, enum smtp_verb by, const struct smtp_env *env);
void smtp_session_lost(struct smtp *s, enum smtp_lost why, enum smtp_direction direction,
		       uint64_t at, const struct smtp_env *env);

#endif
