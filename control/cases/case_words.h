/* SPDX-License-Identifier: BSD-3-Clause */
/* A case and an alarm in words: a mail's subject and text, a webhook's object. Pure; allocates. */
#ifndef POSTERN_CONTROL_CASE_WORDS_H
#define POSTERN_CONTROL_CASE_WORDS_H

#include "control/cases/case_book.h"

struct case_words {
	char subject[160]; /* one line of ASCII */
	char *text;
};

/*
 * `tenant`: its name, NULL: of none. `event`: "case_opened", "case_overdue", …; `fields`: what came
 * of it just now. `answer`: the time that the tenant has, ns, where these words are for its people;
 * 0: they are for the desk. 0 or -ENOMEM.
 */
int case_words(struct case_words *words, const struct case_one *one, const char *tenant,
	       const char *event, const json_t *fields, uint64_t answer);
int alarm_words(struct case_words *words, const char *event, const char *tenant,
		const json_t *fields);
void case_words_free(struct case_words *words);

/* NULL: no memory. */
json_t *case_words_json(const struct case_one *one, const char *tenant, const char *event,
			const json_t *fields);
json_t *alarm_words_json(const char *event, const char *tenant, const json_t *fields, uint64_t now);

#endif
