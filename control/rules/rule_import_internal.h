/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of the import: what a rule is about, and what is taken of it. */
#ifndef POSTERN_CONTROL_RULE_IMPORT_INTERNAL_H
#define POSTERN_CONTROL_RULE_IMPORT_INTERNAL_H

#include "control/rules/rule_import.h"
#include "control/rules/rule_parse.h"

#define IMPORT_HEADER_WORDS 7
#define IMPORT_INSERTS_MAX  16

/* A rule as it stands in a file. */
struct import_candidate {
	struct rule_place place;
	struct rule_word header[IMPORT_HEADER_WORDS];
	const char *text, *options; /* its line; what follows the '(' */
	bool smtp, sip;             /* what it is about, by protocol, ports, addresses or buffers */
	bool buffers;               /* it names some */
	bool to_client;
	uint32_t sid;
};

/* A buffer's name, and where in the text it is put. */
struct import_insert {
	const char *at, *word;
};

struct import_inserts {
	struct import_insert list[IMPORT_INSERTS_MAX];
	size_t count;
};

/* What the rule of a line is about; false: it can't be cut into options. */
bool import_look_at(struct import_candidate *c, const struct rule_line *line);
/*
 * Of a rule that names no buffer: those that hold what it looks for. NULL, or why there is no
 * buffer that holds the same.
 */
const char *import_map_payload(const struct import_candidate *c, struct import_inserts *inserts);

#endif
