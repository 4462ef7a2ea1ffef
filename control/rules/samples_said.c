/* SPDX-License-Identifier: BSD-3-Clause */
/* Who talks, whose traffic it is, how often. */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/samples_reader.h"

#define SAMPLE_NAME_MAX 63

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT, :PORT */
bool sample_take_end(struct sample_reader *r, const char *p, struct sample_end *to)
{
	char text[64], *host = text, *port = NULL, *after;
	unsigned long number;

	snprintf(text, sizeof(text), "%.*s", (int)(r->end - p), p);
	if (*text == '[') {
		host++;
		port = strchr(text, ']');
		if (!port || (port[1] && port[1] != ':'))
			return sample_fail(r, p, "expected [ADDRESS] or [ADDRESS]:PORT");
		*port++ = '\0';
	} else if (strchr(text, ':') == strrchr(text, ':')) {
		port = strchr(text, ':');
	}
	if (port && *port == ':') {
		*port++ = '\0';
		number = strtoul(port, &after, 10);
		if (after == port || *after || !number || number > UINT16_MAX)
			return sample_fail(r, p, "expected a port, 1 to 65535, after the colon");
		to->port = (uint16_t)number;
	}
	if (!*host && to->port)
		return true;
	if (inet_pton(AF_INET, host, to->addr) == 1)
		to->family = 4;
	else if (inet_pton(AF_INET6, host, to->addr) == 1)
		to->family = 6;
	else
		return sample_fail(r, p, "expected ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or :PORT");
	return true;
}

void sample_take_over(struct sample_reader *r, const char *p)
{
	if (sample_word_is(p, r->end, "tcp"))
		r->sample.over = IPPROTO_TCP;
	else if (sample_word_is(p, r->end, "udp"))
		r->sample.over = IPPROTO_UDP;
	else
		sample_fail(r, p, "expected 'tcp' or 'udp'");
}

/* A tenant's or a tier's: what a configuration takes without quotes. */
void sample_take_name(struct sample_reader *r, const char *p, const char **name)
{
	const char *q = p;

	while (q < r->end && (isalnum((unsigned char)*q) || (q > p && strchr("-_*", *q))))
		q++;
	if (q == p || q != r->end || q - p > SAMPLE_NAME_MAX || isdigit((unsigned char)*p))
		sample_fail(r, p, "expected a name: a letter, then letters, digits, - and _");
	else
		*name = arena_copy(&r->list->arena, p, (size_t)(q - p));
}

/* Digits at p, `least` to `most`; where they end, NULL with a mistake said. */
static const char *take_number(struct sample_reader *r, const char *p, uint32_t least,
			       uint32_t most, uint32_t *number)
{
	const char *q = p;
	uint64_t n = 0;

	while (q < r->end && isdigit((unsigned char)*q) && n <= most)
		n = n * 10 + (uint64_t)(*q++ - '0');
	if (q == p || n < least || n > most) {
		sample_fail(r, p, "expected a number, %u to %u", least, most);
		return NULL;
	}
	*number = (uint32_t)n;
	return q;
}

static void take_every(struct sample_reader *r, const char *p)
{
	static const struct {
		const char *name;
		uint32_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	uint32_t number;
	const char *unit = take_number(r, p, 1, SAMPLE_EVERY_MAX, &number);

	for (size_t i = 0; unit && i < sizeof(units) / sizeof(units[0]); i++) {
		if (!sample_word_is(unit, r->end, units[i].name))
			continue;
		if ((uint64_t)number * units[i].ms > SAMPLE_EVERY_MAX)
			sample_fail(r, p, "at most an hour from one to the next");
		else
			r->sample.every_ms = number * units[i].ms;
		return;
	}
	if (unit)
		sample_fail(r, unit, "expected a unit after the number: ms, s, m or h");
}

/* times N [every NUNIT]; a second from one to the next where nothing is said */
void sample_take_times(struct sample_reader *r, const char *p)
{
	const char *end = take_number(r, p, 1, SAMPLE_TIMES_MAX, &r->sample.times);
	const char *every = end ? sample_skip_blanks(r, end) : NULL;

	if (!end || every == r->end)
		return;
	if (every > end && sample_word_is(every, sample_word_end(r, every), "every"))
		take_every(r, sample_skip_blanks(r, sample_word_end(r, every)));
	else
		sample_fail(r, end, "expected 'every' and a time, such as 2s, or the line's end");
}
