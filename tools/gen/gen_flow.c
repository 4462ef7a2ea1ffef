/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/gen/gen_flow.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *old, size_t size)
{
	void *grown = realloc(old, size);

	if (!grown)
		err(1, "%zu bytes", size);
	return grown;
}

uint8_t *buffer_extend(struct gen_buffer *buffer, size_t len)
{
	if (buffer->room - buffer->len < len) {
		buffer->room = 2 * buffer->room + len + 1024;
		buffer->bytes = grow(buffer->bytes, buffer->room);
	}
	buffer->len += len;
	return buffer->bytes + buffer->len - len;
}

void buffer_put(struct gen_buffer *buffer, const void *data, size_t len)
{
	if (len)
		memcpy(buffer_extend(buffer, len), data, len);
}

void buffer_puts(struct gen_buffer *buffer, const char *text)
{
	buffer_put(buffer, text, strlen(text));
}

void buffer_printf(struct gen_buffer *buffer, const char *format, ...)
{
	char line[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		errx(1, "a line of %d bytes", len);
	buffer_put(buffer, line, (size_t)len);
}

void buffer_free(struct gen_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct gen_buffer){0};
}

uint8_t *flow_add(struct gen_flow *flow, uint64_t ts_ns, uint32_t len)
{
	if (flow->record_count == flow->record_room) {
		flow->record_room = flow->record_room ? 2 * flow->record_room : 16;
		flow->records = grow(flow->records, flow->record_room * sizeof(*flow->records));
	}
	flow->records[flow->record_count] = (struct gen_record){
		.ts_ns = ts_ns,
		.offset = flow->frames.len,
		.len = len,
		.order = (uint32_t)flow->record_count,
	};
	flow->record_count++;
	return buffer_extend(&flow->frames, len);
}

static int record_compare(const void *a, const void *b)
{
	const struct gen_record *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void flow_sort(struct gen_flow *flow)
{
	if (flow->record_count)
		qsort(flow->records, flow->record_count, sizeof(*flow->records), record_compare);
}

void flow_clear(struct gen_flow *flow)
{
	flow->frames.len = 0;
	flow->record_count = 0;
	flow->next = 0;
}

void flow_free(struct gen_flow *flow)
{
	buffer_free(&flow->frames);
	free(flow->records);
	*flow = (struct gen_flow){0};
}
