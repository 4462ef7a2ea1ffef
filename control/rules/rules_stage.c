/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rules_stage.h"

#include <errno.h>
#include <stdlib.h>

static struct rules_staged *find(const struct rules_stage *stage, const struct client *client)
{
	struct rules_staged *s;

	TAILQ_FOREACH (s, stage, entry) {
		if (s->client == client)
			return s;
	}
	return NULL;
}

int rules_stage_add(struct rules_stage *stage, const struct client *client, const char *name,
		    bool data, const char *bytes, size_t len)
{
	struct rules_staged *s;
	uint64_t total = len;

	TAILQ_FOREACH (s, stage, entry) {
		total += s->text.bytes;
	}
	if (total > RULES_STAGED_MAX)
		return -EBUSY;
	s = find(stage, client);
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->client = client;
		TAILQ_INSERT_TAIL(stage, s, entry);
	}
	return rules_text_add(&s->text, name, data, bytes, len);
}

const struct rules_text *rules_stage_of(const struct rules_stage *stage,
					const struct client *client)
{
	struct rules_staged *s = find(stage, client);

	return s && s->text.count ? &s->text : NULL;
}

void rules_stage_forget(struct rules_stage *stage, const struct client *client)
{
	struct rules_staged *s = find(stage, client);

	if (!s)
		return;
	TAILQ_REMOVE(stage, s, entry);
	rules_text_fini(&s->text);
	free(s);
}

void rules_stage_fini(struct rules_stage *stage)
{
	struct rules_staged *s;

	while ((s = TAILQ_FIRST(stage)))
		rules_stage_forget(stage, s->client);
}
