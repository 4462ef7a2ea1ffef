/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * People, by a keyed hash: an address or number is stored and logged as this, so that what is known
 * of somebody can be found and forgotten by whoever has the address and the key, and by nobody
 * else. DIR/person.key is the key; without it what was stored says nothing of anybody. Any thread.
 */
#ifndef POSTERN_CONTROL_PERSON_H
#define POSTERN_CONTROL_PERSON_H

#include <stddef.h>
#include <stdint.h>

#define PERSON_TEXT  22 /* "hash:" and 16 digits, with its NUL */
#define PERSON_ERROR 256

struct person_key {
	uint64_t word[2];
};

/* `dir`: a descriptor. Makes the key where there is none. 0; -EBADMSG: it is cut short; -errno. */
int person_key_open(int dir, struct person_key *key, char error[PERSON_ERROR]);

/*
 * Of an address (in bpf/list.h's normal form), a number, or anything else as it is; never 0. An
 * address and its other spellings are one person.
 */
uint64_t person_hash(const struct person_key *key, const void *text, size_t len);

/* "hash:00c0ffee00c0ffee". */
const char *person_text(uint64_t hash, char text[PERSON_TEXT]);

/*
 * The text with "(forgotten)" for each place that has the words: an address in small letters, a
 * number's digits, or a hash, whole and by itself, not as a part of another's. The caller's to
 * free(), with a NUL behind it; NULL: it has none, or there is no memory.
 */
char *person_words_out(const char *text, size_t len, const char *words, size_t *out_len);

/* The other way: 0 where it is none. */
uint64_t person_parse(const char *text);

#endif
