/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file and its next packet. */
struct merge_input {
	struct capture_reader *reader;
	struct capture_packet head;
	size_t file;
};

struct capture_merge {
	struct merge_input *inputs; /* as the files were named */
	size_t input_count;
	struct merge_input **heap; /* those with a head, the earliest first */
	size_t heap_count;
	/* Read the next time: a head's data must outlive the call that handed it out. */
	struct merge_input *pending;
	size_t started; /* inputs whose first packet was asked for */
	uint64_t number;
	char error[CAPTURE_ERRBUF];
};

static bool comes_before(const struct merge_input *a, const struct merge_input *b)
{
	if (a->head.ts_ns != b->head.ts_ns)
		return a->head.ts_ns < b->head.ts_ns;
	return a->file < b->file;
}

static void heap_push(struct capture_merge *merge, struct merge_input *input)
{
	struct merge_input **heap = merge->heap;
	size_t at = merge->heap_count++;

	while (at > 0 && comes_before(input, heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = input;
}

static struct merge_input *heap_pop(struct capture_merge *merge)
{
	struct merge_input **heap = merge->heap;
	struct merge_input *first = heap[0];
	struct merge_input *last = heap[--merge->heap_count];
	size_t count = merge->heap_count;
	size_t at = 0, child;

	while ((child = 2 * at + 1) < count) {
		if (child + 1 < count && comes_before(heap[child + 1], heap[child]))
			child++;
		if (!comes_before(heap[child], last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return first;
}

/* Brings an input's next packet into the heap; -1 when its file is damaged there. */
static int input_advance(struct capture_merge *merge, struct merge_input *input)
{
	int more = capture_next(input->reader, &input->head);

	if (more > 0)
		heap_push(merge, input);
	if (more < 0)
		snprintf(merge->error, sizeof(merge->error), "%s", capture_error(input->reader));
	return more < 0 ? -1 : 0;
}

int capture_merge_open(const char *const *paths, size_t count, struct capture_merge **out,
		       char errbuf[CAPTURE_ERRBUF])
{
	struct capture_merge *merge = calloc(1, sizeof(*merge));
	int err = -ENOMEM;

	if (!merge)
		goto no_memory;
	merge->inputs = calloc(count, sizeof(*merge->inputs));
	merge->heap = calloc(count, sizeof(*merge->heap));
	if (!merge->inputs || !merge->heap)
		goto no_memory;
	for (size_t i = 0; i < count; i++) {
		merge->inputs[i].file = i;
		err = capture_open(paths[i], &merge->inputs[i].reader, errbuf);
		if (err)
			goto fail;
		merge->input_count++;
	}
	*out = merge;
	return 0;
no_memory:
	snprintf(errbuf, CAPTURE_ERRBUF, "%zu captures: %s", count, strerror(ENOMEM));
fail:
	capture_merge_close(merge);
	return err;
}

void capture_merge_close(struct capture_merge *merge)
{
	if (!merge)
		return;
	for (size_t i = 0; i < merge->input_count; i++)
		capture_close(merge->inputs[i].reader);
	free(merge->inputs);
	free(merge->heap);
	free(merge);
}

int capture_merge_next(struct capture_merge *merge, struct merged_packet *packet)
{
	struct merge_input *input = merge->pending;

	merge->pending = NULL;
	if (input && input_advance(merge, input) < 0)
		return -1;
	while (merge->started < merge->input_count) {
		if (input_advance(merge, &merge->inputs[merge->started++]) < 0)
			return -1;
	}
	if (merge->heap_count == 0)
		return 0;
	input = heap_pop(merge);
	merge->pending = input;
	packet->packet = input->head;
	packet->number = ++merge->number;
	packet->file = input->file;
	return 1;
}

const char *capture_merge_error(const struct capture_merge *merge)
{
	return merge->error;
}
