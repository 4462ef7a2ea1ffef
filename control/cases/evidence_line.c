/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/evidence_line.h"

#include <errno.h>

#include "control/events/eve.h"

static const struct {
	uint16_t key;
	const char *name;
	bool is_number;
} members[] = {
	{FIELD_KEY_VERDICT_REASON, "reason", false},  {FIELD_KEY_VERDICT_SID, "signature_id", true},
	{FIELD_KEY_VERDICT_REJECT, "reply", false},   {FIELD_KEY_SMTP_MAIL_FROM, "from", false},
	{FIELD_KEY_EVIDENCE_HEADER, "header", false}, {FIELD_KEY_EVIDENCE_BUFFER, "buffer", false},
	{FIELD_KEY_EVIDENCE_AT, "at", true},          {FIELD_KEY_EVIDENCE_BODY, "body", false},
};

int evidence_line_write(FILE *file, const struct event_head *head, const struct tenant_names *names)
{
	struct event_value value;
	struct json_out out;
	char buf[4096];
	int rc = 0;

	json_out_init(&out, buf, sizeof(buf));
	json_out_char(&out, '{');
	eve_head(&out, head, names);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (!event_find(head, (enum field_key)members[i].key, &value))
			continue;
		json_out_plain(&out, ",\"");
		json_out_plain(&out, members[i].name);
		json_out_plain(&out, "\":");
		if (members[i].is_number)
			json_out_uint(&out, event_value_uint(&value));
		else
			json_out_text(&out, value.p, value.len);
	}
	json_out_raw(&out, "}\n", 2);
	if (out.failed)
		rc = -ENOMEM;
	else if (fwrite(out.text, 1, out.len, file) != out.len)
		rc = -EIO;
	json_out_fini(&out);
	return rc;
}
