/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a sample's two ends say to each other: an ordinary mail or SIP message
 * with the sample's values in it, or the sample's own words. One thread; running
 * out of memory ends the program.
 */
#ifndef POSTERN_TOOLS_SAMPLES_SCRIPT_H
#define POSTERN_TOOLS_SAMPLES_SCRIPT_H

#include "control/rules/samples.h"
#include "tools/gen/gen_flow.h"

/* What one end says at once. */
struct script_turn {
	bool server;
	size_t start, len; /* in the script's bytes */
};

#define SCRIPT_TURNS 256
#define SCRIPT_CUTS  256

struct script {
	struct gen_buffer bytes;
	struct script_turn turns[SCRIPT_TURNS]; /* what has no room is left out: `full` */
	size_t turn_count;
	size_t cuts[SCRIPT_CUTS]; /* where the sample wants packets to end: offsets, ascending */
	size_t cut_count;
	bool full;
};

/* Into an empty script, or one that was used before. */
void script_write(struct script *script, const struct sample *sample);
void script_fini(struct script *script);

/* Between its parts: begins a turn, though that end has the word. */
void script_begin(struct script *script, bool server);
/* Says something in one end's name; goes on with its turn if it has the word. */
void script_say(struct script *script, bool server, const void *text, size_t len);
void script_says(struct script *script, bool server, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* An item's text with its cuts. */
void script_say_item(struct script *script, bool server, const struct sample_item *item);

/* The sample's nth value of a buffer, from 0, or NULL. */
const struct sample_item *sample_value(const struct sample *sample, enum rule_buffer buffer,
				       unsigned nth);
/* Whether one of the sample's values of `buffer`, each "Name: value", is of this name. */
bool sample_names_header(const struct sample *sample, enum rule_buffer buffer, const char *name);

void script_write_mail(struct script *script, const struct sample *sample);
void script_write_sip(struct script *script, const struct sample *sample);

#endif
