/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text that reads like mail: words by rank (the first ones are drawn far more
 * often), sentences, wrapped paragraphs, subjects, names.
 */
#ifndef POSTERN_GEN_TEXT_H
#define POSTERN_GEN_TEXT_H

#include "tools/gen/gen_flow.h"
#include "tools/gen/gen_random.h"

const char *text_word(struct gen_random *random);
const char *text_first_name(struct gen_random *random);
const char *text_last_name(struct gen_random *random);

/* Words in sentences, CRLF at about 72 columns, at least len bytes, ending in CRLF. */
void text_paragraphs(struct gen_buffer *out, struct gen_random *random, size_t len);
/* The same as paragraphs of HTML. */
void text_html(struct gen_buffer *out, struct gen_random *random, size_t len);
/* len random bytes (after the magic of a file of this suffix) as base64 lines. */
void text_base64(struct gen_buffer *out, struct gen_random *random, size_t len, const char *magic);

/* Into out, NUL-terminated, at most size bytes. A spam subject has one of the phrases that
 * postern-gen --help lists. */
void text_subject(struct gen_random *random, int spam, char *out, size_t size);
extern const char *const text_spam_phrases[];
enum { TEXT_SPAM_PHRASES = 6 };

#endif
