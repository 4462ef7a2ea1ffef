/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flow in the making: its packets in memory, each with its time. Text and
 * payloads are built in buffers that grow; running out of memory ends the
 * program (postern-gen is a tool of one run).
 */
#ifndef POSTERN_GEN_FLOW_H
#define POSTERN_GEN_FLOW_H

#include <stddef.h>
#include <stdint.h>

struct gen_buffer {
	uint8_t *bytes;
	size_t len;
	size_t room;
};

/* Room for len more bytes at the end; the bytes are the caller's to fill. */
uint8_t *buffer_extend(struct gen_buffer *buffer, size_t len);
void buffer_put(struct gen_buffer *buffer, const void *data, size_t len);
void buffer_puts(struct gen_buffer *buffer, const char *text);
__attribute__((format(printf, 2, 3))) void buffer_printf(struct gen_buffer *buffer,
							 const char *format, ...);
void buffer_free(struct gen_buffer *buffer);

struct gen_record {
	uint64_t ts_ns;
	size_t offset; /* of its bytes in the flow's */
	uint32_t len;
	uint32_t order; /* as it was made: ties keep it */
};

struct gen_flow {
	struct gen_buffer frames;
	struct gen_record *records;
	size_t record_count;
	size_t record_room;
	size_t next;     /* of the records, to be written */
	uint64_t number; /* the mixer's: who began first */
};

/* A packet at this time: the frame's bytes, to be filled before anything else is added. */
uint8_t *flow_add(struct gen_flow *flow, uint64_t ts_ns, uint32_t len);
/* The records in the order of their times. */
void flow_sort(struct gen_flow *flow);
void flow_clear(struct gen_flow *flow);
void flow_free(struct gen_flow *flow);

#endif
