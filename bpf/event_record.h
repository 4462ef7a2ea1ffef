/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * Writing and reading the records of bpf/event.h.
 *
 * The builder writes into the caller's bytes (8-aligned; a ring's slot or a
 * scratch buffer of the worker) and never past them. A field that does not fit
 * is left out whole, but counted in the head: a reader that finds fewer fields
 * than `count` knows that the record is not all there. The record is valid
 * after every call; there is no end to call. No allocation, memcpy only: the
 * packet path may use it. One builder belongs to one thread.
 *
 * The reader takes bytes that anyone may have written: lengths that lie end
 * the record early, nothing outside of it is read.
 */
#ifndef POSTERN_EVENT_RECORD_H
#define POSTERN_EVENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bpf/event.h"

_Static_assert(sizeof(struct event_head) % 8 == 0, "fields follow the head 8-aligned");

#define EVENT_FIELD_LEN_MAX UINT16_MAX

struct event_builder {
	struct event_head *head; /* NULL: not even the head had room, all is dropped */
	size_t room;             /* bytes left after the record */
};

/*
 * Starts a record of the given type in size bytes at buf: every other member of
 * the head is zero and the caller's to fill through the pointer returned. NULL
 * when the head has no room; the puts are then without effect.
 */
static inline struct event_head *event_begin(struct event_builder *b, void *buf, size_t size,
					     enum event_type type)
{
	if (size < sizeof(struct event_head)) {
		*b = (struct event_builder){NULL, 0};
		return NULL;
	}
	b->head = buf;
	b->room = size - sizeof(struct event_head);
	*b->head = (struct event_head){.size = sizeof(struct event_head), .type = (uint8_t)type};
	return b->head;
}

/* Bytes that the record takes so far; 0 when it could not begin. */
static inline uint32_t event_size(const struct event_builder *b)
{
	return b->head ? b->head->size : 0;
}

/* What a field of len bytes of value takes. */
static inline size_t event_field_size(size_t len)
{
	return (sizeof(struct event_field) + len + 7) & ~(size_t)7;
}

/* FIELD_STR and FIELD_LIST; false: left out. p may be NULL when len is 0. */
static inline bool event_put_str(struct event_builder *b, enum field_key key, const void *p,
				 size_t len)
{
	const size_t size = event_field_size(len);
	uint8_t *at;

	if (!b->head)
		return false;
	if (b->head->count < UINT16_MAX)
		b->head->count++;
	if (len > EVENT_FIELD_LEN_MAX || size > b->room)
		return false;
	at = (uint8_t *)b->head + b->head->size;
	memset(at + size - 8, 0, 8); /* the padding says nothing of what was here before */
	memcpy(at, &(struct event_field){(uint16_t)key, (uint16_t)len}, sizeof(struct event_field));
	if (len)
		memcpy(at + sizeof(struct event_field), p, len);
	b->head->size += (uint32_t)size;
	b->room -= size;
	return true;
}

static inline bool event_put_uint(struct event_builder *b, enum field_key key, uint64_t value)
{
	return event_put_str(b, key, &value, sizeof(value));
}

/* A duration in ns. */
static inline bool event_put_ns(struct event_builder *b, enum field_key key, uint64_t ns)
{
	return event_put_str(b, key, &ns, sizeof(ns));
}

static inline bool event_put_bool(struct event_builder *b, enum field_key key, bool value)
{
	const uint8_t byte = value;

	return event_put_str(b, key, &byte, sizeof(byte));
}

/* A NUL-terminated string. */
static inline bool event_put_text(struct event_builder *b, enum field_key key, const char *text)
{
	return event_put_str(b, key, text, strlen(text));
}

/* One field as read: p points into the record, len bytes, of no alignment. */
struct event_value {
	uint16_t key; /* may be none of enum field_key: written by a newer gate */
	uint16_t len;
	const uint8_t *p;
};

struct event_reader {
	const uint8_t *at, *end;
};

/*
 * The record that begins at buf (8-aligned, len bytes readable), or NULL if
 * there is none: its size is impossible or beyond len. The next record begins
 * head->size bytes later.
 */
static inline const struct event_head *event_open(struct event_reader *r, const void *buf,
						  size_t len)
{
	const struct event_head *head = buf;

	*r = (struct event_reader){NULL, NULL};
	if (len < sizeof(*head) || head->size < sizeof(*head) || head->size > len ||
	    head->size % 8 != 0)
		return NULL;
	r->at = (const uint8_t *)(head + 1);
	r->end = (const uint8_t *)head + head->size;
	return head;
}

/* The next field, in the order of writing; false, and a value of no bytes, at the end or where
 * a length lies. */
static inline bool event_next(struct event_reader *r, struct event_value *value)
{
	struct event_field field;

	*value = (struct event_value){UINT16_MAX, 0, NULL};
	if ((size_t)(r->end - r->at) < sizeof(field))
		return false;
	memcpy(&field, r->at, sizeof(field));
	if (event_field_size(field.len) > (size_t)(r->end - r->at)) {
		r->at = r->end;
		return false;
	}
	*value = (struct event_value){field.key, field.len, r->at + sizeof(field)};
	r->at += event_field_size(field.len);
	return true;
}

/* FIELD_UINT and FIELD_NS; 0 when the value is no 8 bytes. */
static inline uint64_t event_value_uint(const struct event_value *value)
{
	uint64_t u = 0;

	if (value->len == sizeof(u))
		memcpy(&u, value->p, sizeof(u));
	return u;
}

static inline bool event_value_bool(const struct event_value *value)
{
	return value->len == 1 && value->p[0] != 0;
}

/* The first field of that key; false, and a value of no bytes: it has none. */
static inline bool event_find(const struct event_head *head, enum field_key key,
			      struct event_value *value)
{
	struct event_reader r;

	*value = (struct event_value){UINT16_MAX, 0, NULL};
	if (!event_open(&r, head, head->size))
		return false;
	while (event_next(&r, value)) {
		if (value->key == key)
			return true;
	}
	return false;
}

#endif
