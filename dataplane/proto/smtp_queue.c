/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unanswered commands, run-length coded: a group of ten thousand RCPTs is one
 * run. A ring of SMTP_RUNS runs, or of a whole block while it is needed.
 */
#include "dataplane/proto/smtp_internal.h"

#define RUN_VERB      0x7fu
#define RUN_WITHHELD  0x80u
#define RUN_KIND      0xffu
#define RUN_ONE       0x100u /* the count is in the upper 24 bits */
#define RUN_COUNT_MAX 0xffffffu

/* A ring in a block has a size of its own: bytes 0..3 of it hold the capacity. */
static uint32_t capacity(const struct smtp *s)
{
	return s->spill ? s->spill[0] : SMTP_RUNS;
}

static const uint32_t *ring(const struct smtp *s)
{
	return s->spill ? s->spill + 1 : s->run;
}

static uint32_t slot(const struct smtp *s, uint32_t n)
{
	uint32_t at = s->run_head + n;

	return at < capacity(s) ? at : at - capacity(s);
}

static uint32_t *run_at(struct smtp *s, uint32_t n)
{
	return (s->spill ? s->spill + 1 : s->run) + slot(s, n);
}

static bool grow(struct smtp *s, struct proto_pool *pool)
{
	uint32_t *block = s->spill ? NULL : pool_get(pool);
	size_t runs = pool->block_size / sizeof(*block) - 1;

	if (!block)
		return false;
	for (uint32_t i = 0; i < s->run_count; i++)
		block[1 + i] = *run_at(s, i);
	block[0] = runs < UINT16_MAX ? (uint32_t)runs : UINT16_MAX;
	s->spill = block;
	s->run_head = 0;
	return true;
}

bool smtp_queue_reserve(struct smtp *s, struct proto_pool *pool)
{
	return s->run_count + 2u <= capacity(s) || grow(s, pool);
}

void smtp_queue_push(struct smtp *s, enum smtp_verb verb, bool withheld)
{
	uint32_t kind = (uint32_t)verb | (withheld ? RUN_WITHHELD : 0);

	if (s->run_count) {
		uint32_t *last = run_at(s, s->run_count - 1u);

		if ((*last & RUN_KIND) == kind && *last / RUN_ONE < RUN_COUNT_MAX) {
			*last += RUN_ONE;
			return;
		}
	}
	if (s->run_count == capacity(s))
		return;
	*run_at(s, s->run_count++) = kind | RUN_ONE;
}

static struct smtp_pending pending(uint32_t run)
{
	return (struct smtp_pending){(enum smtp_verb)(run & RUN_VERB), run & RUN_WITHHELD};
}

struct smtp_pending smtp_queue_peek(const struct smtp *s)
{
	if (!s->run_count)
		return (struct smtp_pending){SMTP_UNSOLICITED, false};
	return pending(ring(s)[slot(s, 0)]);
}

struct smtp_pending smtp_queue_pop(struct smtp *s, struct proto_pool *pool)
{
	struct smtp_pending head = smtp_queue_peek(s);

	if (!s->run_count)
		return head;
	*run_at(s, 0) -= RUN_ONE;
	if (*run_at(s, 0) < RUN_ONE) {
		s->run_head = (uint16_t)slot(s, 1);
		s->run_count--;
	}
	s->state &= ~(uint32_t)ST_QUEUE_FULL;
	if (!s->run_count)
		smtp_queue_fini(s, pool);
	return head;
}

struct smtp_pending smtp_queue_last(const struct smtp *s)
{
	if (!s->run_count)
		return (struct smtp_pending){SMTP_UNSOLICITED, false};
	return pending(ring(s)[slot(s, s->run_count - 1u)]);
}

bool smtp_queue_unpush(struct smtp *s, enum smtp_verb verb)
{
	uint32_t *last;

	if (!s->run_count || smtp_queue_last(s).verb != verb)
		return false;
	last = run_at(s, s->run_count - 1u);
	*last -= RUN_ONE;
	if (*last < RUN_ONE)
		s->run_count--;
	return true;
}

uint32_t smtp_queue_count(const struct smtp *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->run_count; i++)
		n += ring(s)[slot(s, i)] / RUN_ONE;
	return n;
}

void smtp_queue_fini(struct smtp *s, struct proto_pool *pool)
{
	if (s->spill)
		pool_put(pool, s->spill);
	s->spill = NULL;
	s->run_head = 0;
	s->run_count = 0;
	s->state &= ~(uint32_t)ST_QUEUE_FULL;
}
