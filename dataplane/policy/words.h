/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of words that the configuration has (bpf/policy.h), asked. Pure; any thread. */
#ifndef POSTERN_WORDS_H
#define POSTERN_WORDS_H

#include "bpf/policy.h"
#include "dataplane/proto/bytes.h"

/* The one behind `word`, the first for an empty one; empty: there are no more. */
struct bytes words_next(const struct policy_words *words, struct bytes word);

/*
 * The first of `text` that is one of the words, as a reader sees it: without regard to case (of
 * ASCII), not inside of a longer word, a blank of the word's being any run of blanks, and signs
 * that nobody sees (soft hyphens, zero-width blanks) left out. Empty: there is none. Points into
 * `text`; `word` is which one.
 */
struct bytes words_find(const struct policy_words *words, struct bytes text, struct bytes *word);

/* Is the host one of them, or below one that begins with a dot? `host` in any case. */
bool words_have_host(const struct policy_words *words, struct bytes host);

/* Is the domain, in its normal form, one of them or below one? */
bool words_have_domain(const struct policy_words *words, struct bytes domain);

#endif
