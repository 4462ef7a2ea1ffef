/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that records its own traffic sees checksums that its NIC has still to
 * fill in. That is a property of the sender: where most of what an address sent
 * (or most of all captures) adds up wrong, its checksums say nothing. A few bad ones
 * among good ones are what a receiver would throw away. Of a sender's packets only
 * those with payload tell: some stacks leave just these to the NIC.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplane/capture/capture_reader.h"
#include "tools/replay/replay.h"

#define SENDERS_MAX (1u << 16) /* beyond these the capture as a whole decides */

struct sender {
	uint8_t addr[16];
	uint8_t family; /* 0: free */
	uint64_t good, bad;
};

struct checksum_survey {
	struct rte_mbuf *scratch;
	uint32_t used;
	uint64_t good, bad;
	struct sender sender[2 * SENDERS_MAX];
};

static struct sender *sender_find(const struct checksum_survey *s, const uint8_t *addr,
				  uint8_t family)
{
	uint64_t a, b;
	uint32_t i;

	memcpy(&a, addr, 8);
	memcpy(&b, addr + 8, 8);
	i = (uint32_t)(((a ^ b * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu) >> 47);
	for (;; i++) {
		const struct sender *e = &s->sender[i % (2 * SENDERS_MAX)];

		if (!e->family || (e->family == family && memcmp(e->addr, addr, 16) == 0))
			return (struct sender *)(uintptr_t)e;
	}
}

/* The packet in the scratch buffer, decoded. */
static bool look(struct rte_mbuf *m, const uint8_t *data, uint32_t len, uint32_t wirelen,
		 uint16_t link, struct headers *h)
{
	if (len > rte_pktmbuf_tailroom(m) + m->data_len)
		return false;
	memcpy(rte_pktmbuf_mtod(m, void *), data, len);
	m->data_len = (uint16_t)len;
	*packet_meta(m) = (struct packet_meta){.wirelen = wirelen, .link = link};
	packet_decode(m, h);
	return true;
}

static void survey_packet(struct checksum_survey *s, const struct capture_packet *p)
{
	struct headers h;
	struct sender *sender;
	bool ok;

	if (!look(s->scratch, p->data, p->caplen, p->wirelen, p->linktype, &h) ||
	    h.class != CLASS_L4 || h.missing)
		return;
	ok = packet_checksum_ok(s->scratch, &h);
	s->good += ok;
	s->bad += !ok;
	if (!h.payload_len)
		return;
	sender = sender_find(s, headers_src(&h), h.family);
	if (!sender->family) {
		if (s->used == SENDERS_MAX)
			return;
		s->used++;
		memcpy(sender->addr, headers_src(&h), 16);
		sender->family = h.family;
	}
	sender->good += ok;
	sender->bad += !ok;
}

struct checksum_survey *checksum_survey_new(struct gate *gate, const char **files, size_t count)
{
	struct checksum_survey *s = calloc(1, sizeof(*s));
	char error[CAPTURE_ERRBUF];

	if (!s)
		return NULL;
	s->scratch = rte_pktmbuf_alloc(gate->large);
	for (size_t i = 0; i < count && s->scratch; i++) {
		struct capture_reader *reader;
		struct capture_packet p;

		/* Whatever can't be read is said when it is replayed; a pipe is read once only. */
		if (strcmp(files[i], "-") == 0 || capture_open(files[i], &reader, error) != 0)
			continue;
		while (capture_next(reader, &p) == 1)
			survey_packet(s, &p);
		capture_close(reader);
	}
	return s;
}

bool checksum_survey_trusts(const struct checksum_survey *s, const struct capture_frame *frame)
{
	const struct sender *sender;
	struct headers h;

	if (!s->bad)
		return false;
	if (s->bad > s->good)
		return true;
	if (!look(s->scratch, frame->data, frame->len, frame->wirelen, frame->link, &h) ||
	    !h.family)
		return false;
	/* Only transport headers have put the addresses in order. */
	sender = sender_find(s, h.class == CLASS_L4 ? headers_src(&h) : h.key.addr[0], h.family);
	return sender->family && sender->bad > sender->good;
}

void checksum_survey_free(struct checksum_survey *s)
{
	if (!s)
		return;
	rte_pktmbuf_free(s->scratch);
	free(s);
}
