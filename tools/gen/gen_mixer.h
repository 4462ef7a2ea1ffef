/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows into one capture, in the order of time. Flows are added by their start;
 * only those that are under way are held in memory.
 */
#ifndef POSTERN_GEN_MIXER_H
#define POSTERN_GEN_MIXER_H

#include "dataplane/capture/capture_writer.h"
#include "tools/gen/gen_counts.h"
#include "tools/gen/gen_flow.h"

struct gen_mixer {
	struct capture_writer *writer;
	int interface;
	struct gen_counts *counts; /* packets and bytes */
	struct gen_flow **heap;    /* by the time of the next packet */
	size_t heap_count;
	size_t heap_room;
	struct gen_flow **idle; /* emptied, to be used again */
	size_t idle_count;
	uint64_t added; /* flows so far */
};

/* An empty flow to be filled and given to mixer_add. */
struct gen_flow *mixer_flow(struct gen_mixer *mixer);
void mixer_add(struct gen_mixer *mixer, struct gen_flow *flow);
/* Writes all packets before this time. 0 or -errno. */
int mixer_write(struct gen_mixer *mixer, uint64_t until_ns);
void mixer_free(struct gen_mixer *mixer);

#endif
