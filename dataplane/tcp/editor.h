/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The gate as an editor of a live TCP connection. Refused bytes are cut out of one
 * direction, the gate's answers come into the other, and both ends go on in step: each
 * keeps numbering its own bytes, the gate translates.
 *
 *   in:  acknowledgements, SACK blocks and windows become what the other end's own
 *        numbers are (editor_take). Everything between is in the senders' numbers.
 *   out: segments lose what was cut and are split where something comes in; sequence numbers
 *        become the receiver's (editor_carry).
 *
 * What the gate says is the gate's to deliver: it is kept until it is acknowledged, and sent again
 * on a timer and when the sender of a refused command sends that again.
 *
 * A session that is refused as a whole ends like this: the client's bytes from there on are
 * the gate's; the server's replies to what came before still go to the client, the refusal behind
 * them; when the client has those the server is reset, and the gate speaks with the
 * client alone: 421, or 221 to QUIT, and FIN.
 *
 * An editor is a block of the worker's pool; flows that nothing was refused of have none.
 * Worker's thread. Nothing fails upward: without room a refusal ends the session.
 */
#ifndef POSTERN_EDITOR_H
#define POSTERN_EDITOR_H

#include "dataplane/tcp/tcp_edit.h"
#include "dataplane/worker.h"

#define EDITOR_TEXT   8192 /* bytes said by the gate and not acknowledged, per direction */
#define EDITOR_STAGED 96   /* answers whose turn has not come */
#define EDITOR_LINK   64   /* bytes of a link header */

enum editor_phase {
	EDITOR_OPEN,     /* the session goes on */
	EDITOR_DRAINING, /* refused; what the server has said before goes to the client first */
	EDITOR_CLOSING,  /* the server was reset; the client is answered by the gate */
	EDITOR_DONE,     /* nothing leaves any more */
};

/* One direction, named after its sender. R: in the receiver's numbers, S: in the sender's. */
struct editor_side {
	struct tcp_edit_log log;
	uint32_t acked; /* R: the receiver has everything before it */
	uint32_t right; /* R: the end of its window */
	uint32_t said;  /* R: behind the last byte of text that was ever sent, a probe's included */
	uint32_t told;  /* S: the latest acknowledgement that the sender got */
	uint32_t edge;  /* S: behind the last byte that was forwarded */
	uint32_t end;   /* S, `ended`: from here on nothing is forwarded */
	uint32_t stamp; /* the sender's latest TSval (RFC 7323 3.2) */
	uint32_t ack;   /* what the sender's last forwarded packet acknowledged */
	uint16_t window;
	bool ended;
	bool fin_left; /* the sender's FIN has been forwarded: nothing comes before it any more */
	bool ack_due;  /* the sender waits for an acknowledgement that nobody else will send */
	bool spoken;   /* something went to the sender in this slot */
	uint8_t role;  /* enum port_role: where the sender's packets leave */
	uint16_t link_len;
	/* text: [0, placed) is in the log and not acknowledged, [0, sent) of it was sent once,
	 * [placed, text_len) waits for its place. */
	uint16_t text_len, placed, sent;
	uint8_t link[EDITOR_LINK]; /* of the sender's packets */
	uint8_t text[EDITOR_TEXT];
};

struct editor {
	struct flow *flow;
	struct editor *next, *prev; /* the worker's ring of editors */
	uint64_t due;               /* ns: when to send again; 0: nothing is outstanding */
	uint64_t patience;          /* ns: how long to wait for the others; 0: for ever */
	uint64_t last_call;         /* ns: no longer than that, whatever they say */
	uint8_t phase;              /* enum editor_phase */
	uint8_t asker; /* side: whose requests are answered here: SMTP's client, SIP's tenant */
	uint8_t tries;
	uint8_t awaited;    /* answers that the parser will say the place of */
	uint8_t staged_out; /* ring of `staged` */
	bool timestamps;
	bool saying_goodbye; /* the last text is, or will be, followed by FIN */
	bool fin_sent, fin_acked, client_fin;
	uint8_t resets;     /* sent to the server: nobody acknowledges one */
	uint64_t reset_due; /* ns: the next one */
	uint8_t line_len;   /* the client's line in progress, when the gate reads it */
	uint8_t line[5];
	uint8_t reason; /* enum reason */
	uint16_t link;  /* enum link_type */
	uint32_t read;  /* S: the client's next byte for the gate itself to read */
	uint16_t staged[EDITOR_STAGED];
	struct editor_side side[2]; /* by the sender's place in the key */
};

/* In: after the packet was found sound, before anything looks at its acknowledgement. */
void editor_take(struct worker *w, struct flow *f, struct rte_mbuf *m, struct headers *h);

/*
 * In, DRAINING and later: the packet in hand has bytes of the client's, new and in order, or its
 * FIN. Of others nothing is heard.
 */
void editor_hear(struct worker *w, struct flow *f);

/* Does the flow's parser still follow this side? */
bool editor_follows(const struct flow *f, unsigned side);

/* Out: sends what is left of the slot's packet, and what the gate has to say. Takes the packet. */
void editor_carry(struct worker *w, struct burst *b, unsigned i);

/* Out: an ICMP error about an edited flow quotes the receiver's numbers; its sender knows its own.
 */
void editor_translate_error(struct worker *w, struct rte_mbuf *m, const struct headers *h);

/* What is refused, of the stream in hand. */
struct editor_refusal {
	uint32_t begin, end; /* S; what lies before this packet was held back, or has left */
	const char *text;    /* without CRLF; NULL: silence */
	size_t text_len;
	bool line; /* SMTP: `text` is a line, CRLF comes behind it */
	bool over; /* the session is over */
	enum reason reason;
};

enum editor_result {
	EDITOR_NONE, /* there is no editor to be had: nothing was done */
	EDITOR_CUT,  /* the session goes on */
	EDITOR_OVER, /* the session is over */
};

/*
 * Cuts it, and keeps the text for when its turn comes: editor_due(), once per refusal of the
 * asker's. What an SMTP server says is replaced at once. Without room SMTP ends in a 421, SIP in
 * resets.
 */
enum editor_result editor_refuse(struct worker *w, struct flow *f, const struct editor_refusal *r);

/* The oldest such text belongs before the other side's byte `at` (S). False: there is none. */
bool editor_due(struct worker *w, struct flow *f, uint32_t at);

/* Whose requests a flow's editor answers. */
unsigned editor_asker_of(const struct flow *f);

/*
 * Bytes [from, to) of the packet in hand's stream are read and may yet be refused: they stay
 * here, acknowledged. Those that were held and are not among them are sent on.
 */
void editor_hold(struct worker *w, struct flow *f, uint32_t from, uint32_t to);

/* Nothing more will be refused: what is held goes on. */
void editor_release(struct flow *f);

/* The server will say no more: what waits for it is said now, before its byte `at`. */
void editor_server_ends(struct worker *w, struct flow *f, uint32_t at);

/* Timers: looks at a few editors. */
void editor_sweep(struct worker *w);

/* The flow is forgotten. */
void editor_free(struct worker *w, struct flow *f);

#endif
