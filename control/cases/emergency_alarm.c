/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cases/emergency_alarm.h"

#include <arpa/inet.h>
#include <string.h>

#include "bpf/event_record.h"
#include "bpf/reason.h"
#include "control/daemon/daemon.h"

#define AGAIN (UINT64_C(10) * 1000000000)

static bool is_one(const struct event_head *head)
{
	const char *name = reason_name(REASON_EMERGENCY_NUMBER);
	struct event_value reason, shadow;

	return head->type == EVENT_VERDICT && event_find(head, FIELD_KEY_VERDICT_REASON, &reason) &&
	       reason.len == strlen(name) && memcmp(reason.p, name, reason.len) == 0 &&
	       !(event_find(head, FIELD_KEY_VERDICT_SHADOW, &shadow) && event_value_bool(&shadow));
}

static bool is_due(struct emergency_alarms *a, uint32_t slot, uint64_t now)
{
	const unsigned i = slot % EMERGENCY_ALARMS;

	if (a->last[i].slot == slot && now >= a->last[i].time && now - a->last[i].time < AGAIN)
		return false;
	a->last[i].slot = slot;
	a->last[i].time = now;
	return true;
}

static json_t *text_json(const struct event_head *head, enum field_key key)
{
	struct event_value value;

	/* NULL, a member less, where it is no UTF-8. */
	return event_find(head, key, &value) ? json_stringn((const char *)value.p, value.len)
					     : NULL;
}

void emergency_record(struct daemon *d, const struct event_head *head)
{
	char address[INET6_ADDRSTRLEN] = "";

	if (!is_one(head) || head->tenant >= d->roster->count ||
	    !is_due(&d->emergency, head->tenant, daemon_time()))
		return;
	inet_ntop(head->family == 4 ? AF_INET : AF_INET6, head->src, address, sizeof(address));
	daemon_event(d, "emergency_call", head->tenant,
		     json_pack("{s:o*, s:o*, s:s}", "action",
			       text_json(head, FIELD_KEY_VERDICT_ACTION), "number",
			       text_json(head, FIELD_KEY_VERDICT_DETAIL), "address", address));
}
