/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON written as it comes, for lines written by the million: several times as
 * fast as building jansson's objects and dumping them. The caller sees to the
 * grammar (commas, braces); values are complete and correct.
 *
 * The text begins in the caller's buffer and moves to the heap when that is
 * full. One thread at a time.
 */
#ifndef POSTERN_CONTROL_JSON_OUT_H
#define POSTERN_CONTROL_JSON_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json_out {
	char *text; /* len bytes, not NUL-terminated */
	size_t len, room;
	char *heap;  /* what to free, or NULL */
	bool failed; /* no memory: the text is not whole, and stays as it is */
};

void json_out_init(struct json_out *out, char *buf, size_t size);
void json_out_fini(struct json_out *out);

/* As it is. */
void json_out_raw(struct json_out *out, const char *text, size_t len);

/* A string in quotes; bytes of the wire, escaped as control/base/json_text.h says. Linear in len.
 */
void json_out_text(struct json_out *out, const void *bytes, size_t len);

/* At most INT64_MAX, which is what JSON's readers take for an integer. */
void json_out_uint(struct json_out *out, uint64_t n);

/* A duration as seconds, exact: 86400.000000001, 0.0. */
void json_out_seconds(struct json_out *out, uint64_t ns);

/* One character. */
static inline void json_out_char(struct json_out *out, char c)
{
	json_out_raw(out, &c, 1);
}

/* A string known to need no escape, without quotes. */
static inline void json_out_plain(struct json_out *out, const char *text)
{
	json_out_raw(out, text, strlen(text));
}

#endif
