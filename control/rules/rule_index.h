/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of a ruleset as posternd lists and compares them, those that are switched off included:
 * rows in a file that the compiler's child writes and posternd maps. Nothing in it changes.
 */
#ifndef POSTERN_CONTROL_RULE_INDEX_H
#define POSTERN_CONTROL_RULE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "control/rules/rule.h"
#include "control/rules/rule_override.h"

/* As the file has it: also what is padding is written, as zero. */
struct rule_row {
	uint64_t digest; /* of its text */
	uint32_t sid, rev, line;
	uint32_t msg, file; /* in `strings` */
	uint8_t action;     /* enum verdict */
	uint8_t own_shadow; /* its text says so */
	uint8_t shadow;     /* it only counts: by its text, by command or by how it was pushed */
	uint8_t disabled;   /* by command: not compiled */
	uint8_t pushed;     /* in shadow by how it was pushed */
	uint8_t risk;       /* points of its metadata */
	uint16_t keep;      /* bytes of a body */
	uint8_t pad[4];
};

struct rule_index {
	const struct rule_row *row; /* ascending by sid */
	size_t count;
	const char *strings;
	void *map; /* NULL: empty */
	size_t size;
};

/*
 * Rows of the list with the overrides in force, into an empty file. The list's rules get their
 * shadow; *off says of each whether it is switched off. 0 or -errno.
 */
int rule_index_write(int fd, struct rule_list *list, const struct rule_overrides *overrides,
		     bool *off);

/* Maps it; the descriptor may be closed. `fd` -1: empty. 0, -EBADMSG, -errno. */
int rule_index_map(int fd, size_t size, struct rule_index *index);
void rule_index_unmap(struct rule_index *index);

/* NULL: there is none. */
const struct rule_row *rule_index_find(const struct rule_index *index, uint32_t sid);

static inline const char *rule_index_text(const struct rule_index *index, uint32_t offset)
{
	return index->strings + offset;
}

enum rule_change { RULE_ADDED, RULE_REMOVED, RULE_CHANGED, RULE_CHANGES };

/*
 * What is different from `old`, in the order of sids. Changed: another text, or another state by
 * override.
 */
void rule_index_compare(const struct rule_index *old, const struct rule_index *next,
			void (*each)(void *ctx, enum rule_change change, uint32_t sid), void *ctx);

#endif
