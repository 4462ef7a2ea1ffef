/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_mixer.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>

static uint64_t next_time(const struct gen_flow *flow)
{
	return flow->records[flow->next].ts_ns;
}

/* Ties go by content alone, so that the order doesn't hang on addresses in memory. */
static bool comes_before(const struct gen_flow *a, const struct gen_flow *b)
{
	if (next_time(a) != next_time(b))
		return next_time(a) < next_time(b);
	return a->number < b->number;
}

static void sift_up(struct gen_mixer *mixer, size_t at)
{
	struct gen_flow **heap = mixer->heap, *flow = heap[at];

	while (at > 0 && comes_before(flow, heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = flow;
}

static void sift_down(struct gen_mixer *mixer)
{
	struct gen_flow **heap = mixer->heap, *flow = heap[0];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < mixer->heap_count) {
		if (child + 1 < mixer->heap_count && comes_before(heap[child + 1], heap[child]))
			child++;
		if (!comes_before(heap[child], flow))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = flow;
}

/* Both arrays can hold every flow there is. */
static void make_room(struct gen_mixer *mixer)
{
	if (mixer->heap_count + 1 < mixer->heap_room)
		return;
	mixer->heap_room = 2 * mixer->heap_room + 64;
	mixer->heap = reallocarray(mixer->heap, mixer->heap_room, sizeof(*mixer->heap));
	mixer->idle = reallocarray(mixer->idle, mixer->heap_room, sizeof(*mixer->idle));
	if (!mixer->heap || !mixer->idle)
		err(1, "%zu flows", mixer->heap_room);
}

struct gen_flow *mixer_flow(struct gen_mixer *mixer)
{
	struct gen_flow *flow;

	if (mixer->idle_count) {
		flow = mixer->idle[--mixer->idle_count];
		flow_clear(flow);
	} else {
		flow = calloc(1, sizeof(*flow));
		if (!flow)
			err(1, "a flow");
	}
	return flow;
}

void mixer_add(struct gen_mixer *mixer, struct gen_flow *flow)
{
	make_room(mixer);
	flow_sort(flow);
	flow->number = mixer->added++;
	mixer->heap[mixer->heap_count] = flow;
	sift_up(mixer, mixer->heap_count++);
}

int mixer_write(struct gen_mixer *mixer, uint64_t until_ns)
{
	while (mixer->heap_count && next_time(mixer->heap[0]) < until_ns) {
		struct gen_flow *flow = mixer->heap[0];
		const struct gen_record *record = &flow->records[flow->next++];
		int err = capture_writer_packet(mixer->writer, mixer->interface, record->ts_ns,
						flow->frames.bytes + record->offset, record->len,
						record->len, NULL);

		if (err)
			return err;
		mixer->counts->packets++;
		mixer->counts->bytes += record->len;
		if (flow->next == flow->record_count) {
			mixer->idle[mixer->idle_count++] = flow;
			mixer->heap[0] = mixer->heap[--mixer->heap_count];
		}
		if (mixer->heap_count)
			sift_down(mixer);
	}
	return 0;
}

static void free_flows(struct gen_flow **flows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		flow_free(flows[i]);
		free(flows[i]);
	}
	free(flows);
}

void mixer_free(struct gen_mixer *mixer)
{
	free_flows(mixer->heap, mixer->heap_count);
	free_flows(mixer->idle, mixer->idle_count);
}
