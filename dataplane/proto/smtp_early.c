/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replies that came before the commands that they answer. A gap in the client's
 * bytes is believed only a few packets after the server has acknowledged them
 * (captures have packets in another order); by then the server has answered what
 * waits beyond the gap. How many commands the gap hid is unknown, but 354 answers
 * DATA alone and 334 AUTH alone: from there on every reply has its command again,
 * and the message is read as a message.
 */
#include "dataplane/proto/smtp_internal.h"

/* The reply that only this wait can be for. */
static bool is_anchor(const struct smtp *s, uint16_t code)
{
	switch ((enum smtp_mode)s->mode) {
	case MODE_DATA_WAIT:
		return code == 354;
	case MODE_AUTH_WAIT:
		return code == 334 || code == 235 || code == 535;
	case MODE_TLS_WAIT:
		return code == 220;
	default:
		return false;
	}
}

static uint16_t early_shift(struct smtp *s)
{
	uint16_t code = s->early[0];

	s->early_count--;
	for (unsigned i = 0; i < s->early_count; i++)
		s->early[i] = s->early[i + 1];
	return code;
}

/* Which early reply answers the newest command? The same number of both are before it. */
static bool align(struct smtp *s, const struct smtp_env *env)
{
	uint32_t commands = smtp_queue_count(s);
	uint32_t replies = 0;

	while (replies < s->early_count && !is_anchor(s, s->early[replies]))
		replies++;
	if (replies++ == s->early_count)
		return false;
	for (; commands > replies; commands--)
		smtp_session_give_up(s, env);
	for (; replies > commands; replies--)
		early_shift(s);
	s->state |= ST_EARLY_ALIGNED;
	return true;
}

void smtp_early_add(struct smtp *s, uint16_t code)
{
	if (s->early_count == SMTP_EARLY)
		early_shift(s);
	s->early[s->early_count++] = code;
}

void smtp_early_clear(struct smtp *s)
{
	s->early_count = 0;
	s->state &= ~(uint32_t)(ST_EARLY | ST_EARLY_ALIGNED);
}

void smtp_early_answer(struct smtp *s, const struct smtp_env *env)
{
	if (!smtp_has(s, ST_EARLY_ALIGNED) && !align(s, env))
		return;
	while (s->early_count && s->run_count)
		smtp_session_answer(s, early_shift(s), env);
	if (!s->early_count)
		smtp_early_clear(s);
}
