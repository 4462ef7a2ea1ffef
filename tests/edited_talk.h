/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An edited connection, segment by segment: a live gate, a client and a server whose segments a
 * test writes, and a command between them that is refused. Offsets are as their senders and
 * receivers count, from the first byte of a stream.
 */
#ifndef POSTERN_TESTS_EDITED_TALK_H
#define POSTERN_TESTS_EDITED_TALK_H

#include "tests/gate_fixture.h"
#include "tests/segment.h"

#define SECOND UINT64_C(1000000000)
#define PSH    0x08
#define ECE    0x40
#define CWR    0x80

#define GREETING "220 mx\r\n"
#define EHLO     "EHLO one.example\r\n"
#define MAIL     "MAIL FROM:<a@one.example>\r\n"
#define EVIL     "RCPT TO:<evil@two.example>\r\n"
#define GOOD     "RCPT TO:<bob@two.example>\r\n"
#define OK       "250 ok\r\n"
#define REFUSED  "550 5.7.1 The recipient opted out of your mail\r\n"

/* What both have said when the command was refused: the client, as the server hears it, ... */
enum {
	SAID = sizeof(EHLO MAIL EVIL) - 1,
	HEARD = sizeof(EHLO MAIL) - 1,
	REPLIED = sizeof(GREETING OK OK) - 1,
	TOLD = sizeof(GREETING OK OK REFUSED) - 1,
};

enum { CLIENT, SERVER };

extern struct gate_fixture g;
extern struct segment_ends ends;
extern uint32_t isn[2];      /* of their first bytes */
extern bool stamps;          /* each segment has them: */
extern uint32_t clock_of[2]; /* the next TSval */

/* Of a test group. */
int edited_setup(void **state);
int edited_teardown(void **state);

/* A new connection's ends; nothing is known of another. */
void wire_new(bool ipv6);

struct segment segment_of(unsigned from, uint8_t flags, uint32_t at, uint32_t ack,
			  const char *data);
/* For the next turn. */
void queue(const struct segment *s);
/* Through the gate; what left before is forgotten. */
void put_segment(const struct segment *s);
void put(unsigned from, uint8_t flags, uint32_t at, uint32_t ack, const char *data);
/* Nothing comes; the gate looks at its timers. */
void pass(uint64_t ns);

/* What left in that end's name, the n-th of it. NULL: no such. */
const struct left_packet *left(unsigned from, unsigned n);
void assert_left(unsigned from, unsigned n, uint8_t flags, uint32_t at, uint32_t ack,
		 const char *data);
/* So many of each, and nothing else. */
void assert_only(unsigned client, unsigned server);

/* Up to the command that is refused. */
void talk_begin(void);
/* It is refused; `window`: what the client takes. */
void talk_refuse(uint16_t window);
/* So that the words have left. */
void talk_edited(bool ipv6);
/* And were acknowledged. */
void talk_heard(bool ipv6);
/* The session goes on, in each one's numbers. */
void talk_goes_on(void);

#endif
