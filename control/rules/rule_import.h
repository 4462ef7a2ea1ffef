/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Suricata's rule files, of which a gate takes what is about SMTP and SIP. Each rule is taken as it
 * stands, taken with a buffer put before what it looks for, or left with a reason.
 *
 * What a rule without a buffer looks for is Suricata's raw payload. Over SIP that is sip.message;
 * of SMTP it is a buffer where it can be nothing else (one line of a reply, or header fields by
 * name); all other raw bytes of SMTP are left: the gate's buffers hold what is said, decoded.
 *
 * $NAMES that only a site's configuration of Suricata knows are written out: as the caller says, or
 * as Suricata's own configuration has them. Control's thread; allocates from the arena.
 */
#ifndef POSTERN_CONTROL_RULE_IMPORT_H
#define POSTERN_CONTROL_RULE_IMPORT_H

#include "control/rules/rule.h"

enum rule_import_what {
	IMPORT_TAKEN,
	IMPORT_MAPPED,  /* with a buffer */
	IMPORT_AGAIN,   /* the same rule came before */
	IMPORT_REFUSED, /* it is about SMTP or SIP */
	IMPORT_OTHER,   /* it is not: `why` is its protocol */
	IMPORT_KINDS,
};

struct rule_imported {
	enum rule_import_what what;
	struct rule_place place;
	uint32_t sid; /* 0: not known */
	const char *text, *why;
};

struct rule_import {
	struct rule_list list; /* what was taken: holds sids against each other */
	struct arena arena;
	const struct rule_vars *vars; /* the caller's; NULL: none */
	uint32_t renumber;            /* the next sid for one that is taken; 0: it is refused */
	struct rule_imported *rules;
	size_t count, capacity;
	size_t counts[IMPORT_KINDS];
};

/* All zero, but for `vars` and `renumber`, is a new one. */
void rule_import_text(struct rule_import *import, const char *file, const char *text, size_t len);
void rule_import_fini(struct rule_import *import);

#endif
