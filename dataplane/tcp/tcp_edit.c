/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tcp/tcp_edit.h"

#include <assert.h>
#include <string.h>

#include "dataplane/tcp/segment_queue.h"

static uint32_t cut_before(const struct tcp_edit *e, uint32_t seq)
{
	uint32_t behind = seq - e->at;

	return behind < e->cut ? behind : e->cut;
}

uint32_t tcp_edit_end(const struct tcp_edit_log *log, uint32_t seq)
{
	uint32_t delta = log->base;

	for (unsigned i = 0; i < log->count && seq_before(log->edit[i].at, seq); i++)
		delta += log->edit[i].insert - cut_before(&log->edit[i], seq);
	return seq + delta;
}

uint32_t tcp_edit_seq(const struct tcp_edit_log *log, uint32_t seq)
{
	uint32_t delta = log->base;

	for (unsigned i = 0; i < log->count && seq_at_or_before(log->edit[i].at, seq); i++)
		delta += log->edit[i].insert - cut_before(&log->edit[i], seq);
	return seq + delta;
}

uint32_t tcp_edit_ack(const struct tcp_edit_log *log, uint32_t ack)
{
	uint32_t delta = log->base;

	for (unsigned i = 0; i < log->count; i++) {
		const struct tcp_edit *e = &log->edit[i];
		uint32_t here = e->at + delta;

		if (seq_before(ack, here))
			break;
		if (seq_before(ack, here + e->insert))
			return e->at;
		delta += e->insert - e->cut;
	}
	return ack - delta;
}

uint32_t tcp_edit_sack_left(const struct tcp_edit_log *log, uint32_t left)
{
	uint32_t delta = log->base;

	for (unsigned i = 0; i < log->count; i++) {
		const struct tcp_edit *e = &log->edit[i];
		uint32_t here = e->at + delta;

		if (seq_before(left, here))
			break;
		if (seq_at_or_before(left, here + e->insert))
			return e->at;
		delta += e->insert - e->cut;
	}
	return left - delta;
}

bool tcp_edit_has_room(const struct tcp_edit_log *log)
{
	return log->count < TCP_EDITS;
}

static struct tcp_edit *edit_last(struct tcp_edit_log *log)
{
	return log->count ? &log->edit[log->count - 1] : NULL;
}

static struct tcp_edit *edit_add(struct tcp_edit_log *log, uint32_t seq)
{
	struct tcp_edit *e;

	assert(log->count < TCP_EDITS);
	e = &log->edit[log->count++];
	*e = (struct tcp_edit){.at = seq};
	return e;
}

void tcp_edit_cut(struct tcp_edit_log *log, uint32_t seq, uint32_t len)
{
	struct tcp_edit *last = edit_last(log);

	if (!last || last->at + last->cut != seq)
		last = edit_add(log, seq);
	last->cut += len;
}

void tcp_edit_insert(struct tcp_edit_log *log, uint32_t seq, uint32_t len)
{
	struct tcp_edit *last = edit_last(log);

	if (!last || last->at != seq || last->cut)
		last = edit_add(log, seq);
	last->insert += len;
}

void tcp_edit_hold(struct tcp_edit_log *log, uint32_t seq, uint32_t len)
{
	struct tcp_edit *held = log->open ? edit_last(log) : edit_add(log, seq);

	held->cut += len;
	log->open = true;
}

uint32_t tcp_edit_held(const struct tcp_edit_log *log)
{
	return log->edit[log->count - 1].at;
}

void tcp_edit_put_back(struct tcp_edit_log *log)
{
	struct tcp_edit *held = edit_last(log);

	held->insert = held->cut;
	log->open = false;
}

uint32_t tcp_edit_fold(struct tcp_edit_log *log, uint32_t ack)
{
	unsigned folded = 0;
	uint32_t inserted = 0;

	while (folded + log->open < log->count) {
		const struct tcp_edit *e = &log->edit[folded];

		if (seq_before(ack, e->at + log->base + e->insert))
			break;
		log->base += e->insert - e->cut;
		log->floor = e->at + e->cut;
		log->folded = true;
		inserted += e->insert;
		folded++;
	}
	log->count = (uint16_t)(log->count - folded);
	memmove(log->edit, log->edit + folded, log->count * sizeof(*log->edit));
	return inserted;
}

uint32_t tcp_edit_missing(const struct tcp_edit_log *log, uint32_t ack)
{
	uint32_t delta = log->base, missing = 0;

	for (unsigned i = 0; i < log->count; i++) {
		const struct tcp_edit *e = &log->edit[i];
		uint32_t end = e->at + delta + e->insert;

		if (seq_before(ack, end))
			missing += end - ack < e->insert ? end - ack : e->insert;
		delta += e->insert - e->cut;
	}
	return missing;
}
