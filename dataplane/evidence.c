/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/evidence.h"

#include <string.h>

void evidence_keep(struct mail *mail, struct bytes header)
{
	size_t room = sizeof(mail->head) - mail->head_len;
	size_t len = RTE_MIN(header.len, room);

	if (len)
		memcpy(mail->head + mail->head_len, header.p, len);
	mail->head_len = (uint16_t)(mail->head_len + len);
	mail->head_cut |= header.len > room;
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
	for (size_t i = 0; i < mail->rcpt_len; i += strlen(mail->rcpt + i) + 1)
		event_put_text(&e, FIELD_KEY_SMTP_RCPT_TO, mail->rcpt + i);
	event_put_str(&e, FIELD_KEY_EVIDENCE_HEADER, mail->head, mail->head_len);
	event_put_bool(&e, FIELD_KEY_EVIDENCE_CUT, mail->head_cut);
	event_send(w, &e);
}
