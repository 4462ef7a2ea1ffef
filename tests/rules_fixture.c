/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/rules_fixture.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/match/match_memory.h"

#define STREAMS 4
#define MEMORY  1024

void rules_fixture_build(struct rules_fixture *f)
{
	char error[160];
	size_t size;

	if (ruleset_build(&f->list, 7, &f->diags, &f->image, &size, &f->stats) < 0)
		return;
	if (ruleset_load(f->image, size, &f->ruleset, error, sizeof(error)) < 0) {
		fprintf(stderr, "ruleset_load: %s\n", error);
		abort();
	}
	if (matcher_new(f->ruleset, STREAMS, &f->matcher) < 0)
		abort();
	if (match_memory_new(MEMORY, NULL, &f->memory) < 0)
		abort();
	f->now = 1000000000000;
	f->matcher->memory = f->memory;
	f->matcher->clock = &f->now;
}

void rules_fixture_init(struct rules_fixture *f, const char *text)
{
	memset(f, 0, sizeof(*f));
	rules_parse(&f->list, &f->diags, NULL, "test.rules", text, strlen(text));
	rules_fixture_build(f);
}

void rules_fixture_fini(struct rules_fixture *f)
{
	matcher_free(f->matcher);
	match_memory_free(f->memory);
	ruleset_free(f->ruleset);
	free(f->image);
	rule_diags_fini(&f->diags);
	rule_list_fini(&f->list);
}

struct match_flow rules_fixture_flow(uint8_t transport, uint16_t port)
{
	return (struct match_flow){.family = 4,
				   .transport = transport,
				   .client_port = 40000,
				   .server_port = port,
				   .client = {10, 0, 0, 1},
				   .server = {192, 0, 2, 1}};
}

bool rules_fixture_hit(const struct rules_fixture *f, uint32_t sid)
{
	for (uint32_t i = 0; i < f->matcher->nhits; i++)
		if (f->matcher->hits[i].rule->sid == sid)
			return true;
	return false;
}
