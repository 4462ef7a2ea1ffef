/* SPDX-License-Identifier: BSD-3-Clause */
/* What the compiler's child has in hand; between its parts. */
#ifndef POSTERN_CONTROL_COMPILE_WORK_H
#define POSTERN_CONTROL_COMPILE_WORK_H

#include "control/config/config.h"
#include "control/daemon/compile.h"
#include "control/rules/rules_cost.h"
#include "control/rules/ruleset_build.h"

struct policy;

struct work {
	const struct compile_job *job;
	struct diag diag;
	struct rule_diags rule_diags;
	struct rules_text text;
	struct rule_files
		files; /* what rules load: the text's, or the disk's, which become the text's */
	struct rule_list list;
	bool pushed;   /* the text was */
	bool new_text; /* it is not from the disk's store */
	size_t shadow, disabled;
	char digest[RULES_DIGEST_SIZE];
	int unkept;            /* -errno: something that rules load is not in the text */
	int unstored;          /* -errno: the text is not on the disk */
	uint64_t parse_ns;     /* reading included */
	struct config *config; /* NULL: rules alone */
	struct policy *policy;
	uint32_t *slot_of;
	void *policy_image, *ruleset_image;
	size_t policy_size, ruleset_size;
	void *replies_image; /* NULL: no rule speaks of replies */
	size_t replies_size;
	struct ruleset_build_stats stats;
	struct rules_cost cost; /* bytes 0: not estimated */
	uint32_t budget;
	char refused[160]; /* "": not */
};

/* The job's rules, from their text to the image; their index into the file. 0 or -errno. */
int work_rules(struct work *work, int index);

#endif
