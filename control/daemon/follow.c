/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/follow.h"

#include <string.h>

#include "control/daemon/command.h"
#include "control/daemon/server.h"
#include "control/events/eve.h"

uint32_t follow_type(const char *name)
{
	for (enum event_type type = EVENT_SMTP; type < EVENT_ADDRESS; type++)
		if (strcmp(eve_type_name(type), name) == 0)
			return 1U << type;
	return strcmp(name, "gate") == 0 ? FOLLOW_GATE : 0;
}

static bool wants(const struct follower *f, uint32_t type, uint32_t tenant)
{
	return (!f->types || f->types & type) && (!f->tenant || f->tenant == tenant);
}

void follow_line(struct follow_list *list, struct follow_stats *stats, uint32_t type,
		 uint32_t tenant, const char *line, size_t len)
{
	struct follower *f;

	TAILQ_FOREACH (f, list, entry) {
		if (!f->request->client || !wants(f, type, tenant))
			continue;
		if (client_push(f->request->client, line, len))
			stats->lines++;
	}
}
