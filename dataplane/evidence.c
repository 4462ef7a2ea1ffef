/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/evidence.h"

#include <string.h>

#include "dataplane/proto/redact.h"

void evidence_keep(struct mail *mail, struct bytes header)
{
	size_t room = sizeof(mail->head) - mail->head_len;
	size_t len = RTE_MIN(header.len, room);

	if (len)
		memcpy(mail->head + mail->head_len, header.p, len);
	mail->head_len = (uint16_t)(mail->head_len + len);
	mail->head_cut |= header.len > room;
}

/*
 * Redacted here: what leaves the worker's own memory, for the ring that posternd reads, is what may
 * be kept.
 */
static void put_body(struct event_builder *e, const struct mail *mail,
		     const struct ruleset_rule *rule)
{
	uint8_t text[REDACT_ROOM(RULESET_KEEP_MAX)];
	struct match_excerpt kept;
	struct redact_piece piece;

	if (!rule || !rule->keep || !match_excerpt(mail->matcher, &mail->txn, rule, &kept))
		return;
	piece = (struct redact_piece){
		.bytes = bytes_of(kept.p, kept.len),
		.from = kept.from,
		.to = kept.to,
		.starts = kept.starts,
		.ends = kept.ends,
	};
	event_put_str(e, FIELD_KEY_EVIDENCE_BODY, text, redact(&piece, text, sizeof(text)));
	event_put_text(e, FIELD_KEY_EVIDENCE_BUFFER, rule_buffers[kept.buffer].name);
	event_put_uint(e, FIELD_KEY_EVIDENCE_AT, kept.at);
}

void evidence_tell(struct worker *w, const struct mail *mail, const struct refusal *r,
		   const char *reply)
{
	struct event_builder e;

	if (!evidence_is_kept(w) || !mail->begun)
		return;
	e = event_start(w, EVENT_EVIDENCE);
	event_put_text(&e, FIELD_KEY_VERDICT_REASON, reason_name(r->reason));
	if (r->rule)
		event_put_uint(&e, FIELD_KEY_VERDICT_SID, r->rule->sid);
	if (r->verdict == VERDICT_REJECT)
		event_put_text(&e, FIELD_KEY_VERDICT_REJECT, reply);
	event_put_str(&e, FIELD_KEY_SMTP_MAIL_FROM, mail->from, mail->from_len);
	put_body(&e, mail, r->rule);
	for (size_t i = 0; i < mail->rcpt_len; i += strlen(mail->rcpt + i) + 1)
		event_put_text(&e, FIELD_KEY_SMTP_RCPT_TO, mail->rcpt + i);
	event_put_str(&e, FIELD_KEY_EVIDENCE_HEADER, mail->head, mail->head_len);
	event_put_bool(&e, FIELD_KEY_EVIDENCE_CUT, mail->head_cut);
	event_send(w, &e);
}
