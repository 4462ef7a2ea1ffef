/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the gate changed in one direction of a TCP stream, and what sequence
 * numbers are called on either side of it. An edit inserts bytes before a position
 * of the sender's stream and cuts bytes behind it. "Sender's space" is how the
 * sender numbers its bytes, "receiver's space" how the other end does, which
 * has the inserted ones and not those that were cut.
 *
 * The log is short and bounded. What the receiver has acknowledged is folded
 * into a constant; below `floor` positions can't be told apart any more, and nobody needs
 * to: the receiver has them. Pure; one thread at a time. All numbers modulo 2^32 (RFC 9293 3.4).
 */
#ifndef POSTERN_TCP_EDIT_H
#define POSTERN_TCP_EDIT_H

#include <stdbool.h>
#include <stdint.h>

#define TCP_EDITS 128

/* Before the sender's byte `at`: `insert` bytes come in, then `cut` of the sender's go. */
struct tcp_edit {
	uint32_t at;
	uint32_t cut;
	uint32_t insert;
};

struct tcp_edit_log {
	uint32_t base;  /* receiver's space less sender's, before the first edit */
	uint32_t floor; /* `folded`: the first position behind what was folded */
	bool folded;
	bool open; /* the last edit's fate is */
	uint16_t count;
	struct tcp_edit edit[TCP_EDITS]; /* by position; cuts don't overlap */
};

/* A position of the sender's to the receiver's: behind what is inserted there. */
uint32_t tcp_edit_seq(const struct tcp_edit_log *log, uint32_t seq);

/* The same, before what is inserted there: where the bytes before `seq` end. */
uint32_t tcp_edit_end(const struct tcp_edit_log *log, uint32_t seq);

/*
 * The receiver has everything before `ack`, in its space: what the sender may be told. What was
 * cut there counts as had.
 */
uint32_t tcp_edit_ack(const struct tcp_edit_log *log, uint32_t ack);

/* The left edge of a SACK block (RFC 2018); its right edge is tcp_edit_ack()'s. */
uint32_t tcp_edit_sack_left(const struct tcp_edit_log *log, uint32_t left);

/* Room for another edit? */
bool tcp_edit_has_room(const struct tcp_edit_log *log);

/*
 * Both add behind everything there is, or to the last edit; the caller has seen that there is room.
 * The receiver has had nothing of what is cut, and nothing behind where bytes are inserted.
 */
void tcp_edit_cut(struct tcp_edit_log *log, uint32_t seq, uint32_t len);
void tcp_edit_insert(struct tcp_edit_log *log, uint32_t seq, uint32_t len);

/*
 * Bytes whose fate is open: cut for now. They may get more, behind them, and then either stay cut
 * (log->open = false) or are put back by the gate: what is inserted is as long as what was cut.
 */
void tcp_edit_hold(struct tcp_edit_log *log, uint32_t seq, uint32_t len);
uint32_t tcp_edit_held(const struct tcp_edit_log *log); /* log->open: where they begin */
void tcp_edit_put_back(struct tcp_edit_log *log);

/* The receiver has everything before `ack`, in its space. Returns the inserted bytes forgotten. */
uint32_t tcp_edit_fold(struct tcp_edit_log *log, uint32_t ack);

/* Inserted bytes that a receiver which has everything before `ack` does not have. */
uint32_t tcp_edit_missing(const struct tcp_edit_log *log, uint32_t ack);

#endif
