/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/dataplane_argv.h"

#include <stdio.h>

#include "bpf/maps.h"

struct maker {
	struct dataplane_argv *argv;
	size_t used, n;
};

static void add(struct maker *m, const char *option, const char *value)
{
	m->argv->list[m->n++] = (char *)(uintptr_t)option;
	m->argv->list[m->n++] = (char *)(uintptr_t)value;
}

static void add_number(struct maker *m, const char *option, unsigned value)
{
	char *text = m->argv->text + m->used;

	m->used += (size_t)snprintf(text, sizeof(m->argv->text) - m->used, "%u", value) + 1;
	add(m, option, text);
}

const char *dataplane_xdp_program(const struct config_gate *gate)
{
	if (*gate->xdp_program)
		return gate->xdp_program;
	return gate->tenants < GATE_SLOTS_SMALL ? POSTERN_BPF_DIR "/gate.bpf.o"
						: POSTERN_BPF_DIR "/gate-large.bpf.o";
}

void dataplane_argv_make(const struct config *config, const char *socket,
			 struct dataplane_argv *argv)
{
	const struct config_gate *g = &config->gate;
	struct maker m = {.argv = argv};

	*argv = (struct dataplane_argv){0};
	argv->list[m.n++] = (char *)(uintptr_t)(*g->dataplane ? g->dataplane : POSTERN_DATAPLANE);
	add(&m, "--inside", g->inside);
	add(&m, "--outside", g->outside);
	add(&m, "--mode", config_gate_mode_name((enum gate_mode)g->mode));
	if (g->mode == GATE_XDP) {
		add(&m, "--xdp-program", dataplane_xdp_program(g));
		add_number(&m, "--first-queue", g->first_queue);
	}
	add(&m, "--socket", socket);
	add_number(&m, "--workers", g->workers);
	add_number(&m, "--tenants", g->tenants);
	add_number(&m, "--idle-us", g->idle_us);
	add_number(&m, "--mtu", g->mtu);
	add(&m, "--huge", config_huge_name(g->huge));
	if (snprintf(m.argv->known, sizeof(m.argv->known), "%s/known.recipients", g->state_dir) <
	    (int)sizeof(m.argv->known))
		add(&m, "--known", m.argv->known);
	if (*g->cpus)
		add(&m, "--lcores", g->cpus);
}
