/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/policy/memory.h"
#include "tools/replay/replay.h"

int replay_gate_open(const struct replay_options *o, const struct policy *policy,
		     const struct ruleset *ruleset, struct gate **gatep, struct port_capture *port)
{
	static bool started;
	struct gate_config config = {
		.policy = policy,
		.ruleset = ruleset,
		.workers = o->workers,
		.options =
			{
				.inspect = !o->no_inspect,
				.digests = o->digests,
				.evidence = o->evidence,
				.addresses = o->json && !o->bench,
				.keep_ghosts = true,
				.cycles = true,
			},
		.events = !o->bench,
	};
	char error[GATE_ERROR];

	/* As a live gate does it. */
	if (o->bench && !o->untouched)
		memory_touch();
	if (!started && gate_environment(o->workers, gate_memory(&config), error) != 0)
		goto fail;
	started = true;
	if (gate_new(&config, gatep, error) == 0 &&
	    port_capture_open(port, *gatep, o->write != NULL, error) == 0)
		return 0;
fail:
	fprintf(stderr, "postern: %s\n", error);
	return 1;
}
