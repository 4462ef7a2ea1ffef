/* SPDX-License-Identifier: BSD-3-Clause */
/* What the gate says in one side's name: kept from when it is staged until it is acknowledged. */
#include <assert.h>
#include <string.h>

#include "dataplane/tcp/editor_internal.h"
#include "dataplane/tcp/segment_queue.h"
#include "dataplane/tcp/tcp.h"

#define RESEND_MAX 2048 /* bytes at once */
#define TCP_PSH    0x08

void text_stage(struct editor_side *d, const void *text, size_t len)
{
	assert(d->text_len + len <= sizeof(d->text));
	memcpy(d->text + d->text_len, text, len);
	d->text_len = (uint16_t)(d->text_len + len);
}

void text_place(struct editor_side *d, uint32_t at, uint32_t len)
{
	assert(d->placed + len <= d->text_len);
	if (!len)
		return;
	tcp_edit_insert(&d->log, at, len);
	d->placed = (uint16_t)(d->placed + len);
}

static void text_remove(struct editor_side *d, uint32_t from, uint32_t len)
{
	memmove(d->text + from, d->text + from + len, d->text_len - from - len);
	d->text_len = (uint16_t)(d->text_len - len);
}

void text_drop(struct editor_side *d, uint32_t len)
{
	text_remove(d, d->placed, len);
}

void text_release(struct editor_side *d, uint32_t len)
{
	if (!len)
		return;
	text_remove(d, 0, len);
	d->placed = (uint16_t)(d->placed - len);
	d->sent = (uint16_t)(d->sent > len ? d->sent - len : 0);
}

/* The edit that the byte belongs to; *rest: how many of its bytes from there on. */
static uint32_t text_find(const struct editor_side *d, uint32_t offset, uint32_t *rest)
{
	uint32_t delta = d->log.base;

	for (unsigned i = 0; i < d->log.count; i++) {
		const struct tcp_edit *e = &d->log.edit[i];

		if (offset < e->insert) {
			*rest = e->insert - offset;
			return e->at + delta + offset;
		}
		offset -= e->insert;
		delta += e->insert - e->cut;
	}
	assert(false);
	return 0;
}

uint32_t text_seq(const struct editor_side *d, uint32_t offset)
{
	uint32_t rest;

	return text_find(d, offset, &rest);
}

/* One packet of the text from `offset` on, up to `end`. Returns the bytes it has. */
static uint32_t text_say(struct worker *w, struct editor *e, unsigned side, uint32_t offset,
			 uint32_t end)
{
	struct editor_side *d = &e->side[side];
	uint32_t rest, seq = text_find(d, offset, &rest);
	uint32_t len = RTE_MIN(RTE_MIN(rest, end - offset), (uint32_t)EDITOR_CHUNK);

	editor_say(w, e, side, TCP_ACK | TCP_PSH, seq, d->text + offset, len);
	if (seq_before(d->said, seq + len))
		d->said = seq + len;
	return len;
}

/* Placed bytes that the receiver has. */
static uint32_t text_had(const struct editor_side *d)
{
	return d->placed - tcp_edit_missing(&d->log, d->acked);
}

void text_heard(struct editor_side *d)
{
	uint32_t had = text_had(d);

	if (seq_before(d->said, d->acked))
		d->said = d->acked;
	if (d->sent < had)
		d->sent = (uint16_t)had;
}

/*
 * As much of `len` bytes as the window has room for: all, or if nothing is on its way what it
 * takes (RFC 9293 3.8.6.2.1; it may never take more).
 */
static uint32_t text_fits(const struct editor_side *d, uint32_t seq, uint32_t len)
{
	if (!seq_before(d->right, seq + len))
		return len;
	return seq_before(seq, d->right) && d->sent == text_had(d) ? d->right - seq : 0;
}

void text_send(struct worker *w, struct editor *e, unsigned side, uint32_t limit)
{
	struct editor_side *d = &e->side[side];

	while (d->sent < d->placed) {
		uint32_t rest, seq = text_find(d, d->sent, &rest);
		uint32_t len = text_fits(d, seq, RTE_MIN(rest, (uint32_t)EDITOR_CHUNK));

		if (!seq_before(seq, limit) || !len)
			return;
		d->sent = (uint16_t)(d->sent + text_say(w, e, side, d->sent, d->sent + len));
	}
}

/* A closed window is probed like that, too (RFC 9293 3.8.6.1). */
void text_resend(struct worker *w, struct editor *e, unsigned side)
{
	struct editor_side *d = &e->side[side];
	uint32_t offset = 0, said = 0;

	while (offset < d->placed && said < RESEND_MAX) {
		uint32_t rest, seq = text_find(d, offset, &rest), n;

		if (seq_at_or_before(seq + rest, d->acked)) {
			offset += rest;
			continue;
		}
		if (seq_before(seq, d->acked)) {
			offset += d->acked - seq;
			continue;
		}
		if (said && offset >= d->sent)
			return;
		n = text_say(w, e, side, offset, d->placed);
		offset += n;
		said += n;
	}
}
