/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/reply_judge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/reason.h"
#include "dataplane/match/match.h"

#define SMTP_PORT 25

struct reply_judge {
	void *image;
	struct ruleset *ruleset;
	struct matcher *matcher; /* NULL: there are no rules */
};

static int load(struct reply_judge *j, const void *image, size_t size, char *error,
		size_t error_size)
{
	int rc;

	j->image = aligned_alloc(RULESET_ALIGN,
				 (size + RULESET_ALIGN - 1) / RULESET_ALIGN * RULESET_ALIGN);
	if (!j->image)
		return -ENOMEM;
	memcpy(j->image, image, size);
	rc = ruleset_load(j->image, size, &j->ruleset, error, error_size);
	return rc ? rc : matcher_new(j->ruleset, 1, &j->matcher);
}

int reply_judge_new(const void *image, size_t size, struct reply_judge **judgep, char *error,
		    size_t error_size)
{
	struct reply_judge *j = calloc(1, sizeof(*j));
	int rc = j ? 0 : -ENOMEM;

	snprintf(error, error_size, "%s", strerror(ENOMEM));
	if (!rc && size)
		rc = load(j, image, size, error, error_size);
	if (rc) {
		reply_judge_free(j);
		return rc;
	}
	*judgep = j;
	return 0;
}

void reply_judge_free(struct reply_judge *j)
{
	if (!j)
		return;
	matcher_free(j->matcher);
	ruleset_free(j->ruleset);
	free(j->image);
	free(j);
}

static bool address_of(const char *text, uint8_t family, uint8_t out[16])
{
	return text && inet_pton(family == 4 ? AF_INET : AF_INET6, text, out) == 1;
}

/* As the wire would have it: the tenant asks, the server has answered. */
static struct match_flow flow_of(const struct reply_words *words)
{
	struct match_flow flow = {
		.family = 4,
		.transport = IPPROTO_TCP,
		.direction = TO_CLIENT,
		.tenants = MATCH_TENANTS_CLIENT,
		.server_port = words->port ? words->port : SMTP_PORT,
	};

	if (words->server && strchr(words->server, ':'))
		flow.family = 6;
	address_of(words->server, flow.family, flow.server);
	address_of(words->client, flow.family, flow.client);
	return flow;
}

static void look(struct matcher *m, const struct reply_words *words)
{
	const struct match_flow flow = flow_of(words);
	struct match_txn txn;
	char code[12];

	match_begin(m, &txn, &flow, NULL);
	if (words->code) {
		snprintf(code, sizeof(code), "%u", words->code);
		match_block(m, &txn, RULE_BUFFER_SMTP_REPLY_CODE, code, strlen(code));
	}
	if (words->text)
		match_block(m, &txn, RULE_BUFFER_SMTP_REPLY_TEXT, words->text, strlen(words->text));
	match_whole(m, &txn, BUFFER_SMTP);
	match_end(m, &txn);
}

static bool is_passed(const struct matcher *m)
{
	for (uint32_t i = 0; i < m->nhits; i++)
		if (m->hits[i].action == VERDICT_PASS)
			return true;
	return false;
}

unsigned reply_judge_ask(struct reply_judge *j, const struct reply_words *words,
			 struct reply_hit hits[REPLY_HITS])
{
	struct matcher *m = j->matcher;
	unsigned n = 0;

	if (!m)
		return 0;
	m->nhits = 0;
	look(m, words);
	for (uint32_t i = 0; !is_passed(m) && i < m->nhits && n < REPLY_HITS; i++) {
		const struct ruleset_rule *rule = m->hits[i].rule;

		hits[n++] = (struct reply_hit){rule->sid,
					       rule->risk ? rule->risk : (uint32_t)REPLY_FULL_RISK};
	}
	m->nhits = 0;
	return n;
}
