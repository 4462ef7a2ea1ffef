/* SPDX-License-Identifier: BSD-3-Clause */
/* What the editor's files share. Nobody else includes it. */
#ifndef POSTERN_EDITOR_INTERNAL_H
#define POSTERN_EDITOR_INTERNAL_H

#include "dataplane/tcp/editor.h"

#define EDITOR_PATIENCE (60 * UINT64_C(1000000000)) /* ns */
#define EDITOR_PROBED   6   /* tries that are as many as none, while they are answered */
#define EDITOR_CHUNK    512 /* bytes of text in a packet: less than every MSS (RFC 9293 3.7.1) */

/* Whose bytes are held, refused and answered, and in whose name the answers are. */
static inline struct editor_side *editor_asker(struct editor *e)
{
	return &e->side[e->asker];
}

static inline struct editor_side *editor_answerer(struct editor *e)
{
	return &e->side[!e->asker];
}

/* Bytes of text that wait for their place. */
static inline uint32_t editor_staged(const struct editor_side *d)
{
	return (uint32_t)(d->text_len - d->placed);
}

/* editor_text.c: what the gate says in one side's name */

/* Appends to what waits for its place; the caller has seen that there is room. */
void text_stage(struct editor_side *d, const void *text, size_t len);
/* The next `len` bytes of what waits come before the sender's byte `at`. */
void text_place(struct editor_side *d, uint32_t at, uint32_t len);
/* The next `len` bytes of what waits are not said. */
void text_drop(struct editor_side *d, uint32_t len);
/* The receiver has the first `len` bytes. */
void text_release(struct editor_side *d, uint32_t len);
/* The receiver has acknowledged more. */
void text_heard(struct editor_side *d);
/* R: where the byte at this offset of the placed text is. */
uint32_t text_seq(const struct editor_side *d, uint32_t offset);
/* Sends what was not sent yet and lies before `limit` (R), as far as the window allows. */
void text_send(struct worker *w, struct editor *e, unsigned side, uint32_t limit);
/* Sends again what was not acknowledged, some of it. */
void text_resend(struct worker *w, struct editor *e, unsigned side);

/* editor_packet.c: packets of the gate's own, and what is changed in others */

/* From `side`, `seq` in R. The acknowledgement is what the other side may be told. */
void editor_say(struct worker *w, struct editor *e, unsigned side, uint8_t flags, uint32_t seq,
		const uint8_t *text, uint32_t len);
/* Keeps what the slot's packet says of its sender. Returns whether its window is another now. */
bool editor_note(struct editor *e, struct burst *b, unsigned i);
/* editor.c */

/* S: what the side may be told that the gate or the other side has of its bytes. */
uint32_t editor_ack_for(const struct editor *e, unsigned side);
/* R: the next byte in the side's name. */
uint32_t editor_next(const struct editor *e, unsigned side);

/* editor_close.c */

/* Nobody hears the gate. */
void editor_give_up(struct worker *w, struct editor *e);
/* What is not sent yet: texts, acknowledgements, reset, FIN. */
void editor_flush(struct worker *w, struct editor *e);

#endif
