/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts that read a file of samples. */
#ifndef POSTERN_CONTROL_SAMPLES_READER_H
#define POSTERN_CONTROL_SAMPLES_READER_H

#include "control/rules/samples.h"

struct sample_reader {
	struct sample_list *list;
	struct rule_diags *diags;
	const char *file;
	const char *line, *end; /* of the line in hand, without its end */
	uint32_t number;
	struct sample sample; /* being read; sid 0: none */
	bool failed;
	struct sample_item *item; /* that `|` lines and strings go on with; NULL: none */
};

struct rule_place sample_place(const struct sample_reader *r, const char *at);
/* A mistake at a place of the line in hand; false. */
bool sample_fail(struct sample_reader *r, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool sample_is_blank(char c);
const char *sample_skip_blanks(const struct sample_reader *r, const char *p);
const char *sample_word_end(const struct sample_reader *r, const char *p);
bool sample_word_is(const char *p, const char *end, const char *text);

/* Into the item in hand. The rest of the line, as it is but for escapes, and CRLF. */
bool sample_take_line(struct sample_reader *r, const char *p);
/* One or several strings in quotes, put together. */
bool sample_take_strings(struct sample_reader *r, const char *p);

/* What is said of a sample besides its items; a mistake is said. samples_said.c. */
bool sample_take_end(struct sample_reader *r, const char *p, struct sample_end *to);
void sample_take_over(struct sample_reader *r, const char *p);
void sample_take_name(struct sample_reader *r, const char *p, const char **name);
void sample_take_times(struct sample_reader *r, const char *p);

#endif
