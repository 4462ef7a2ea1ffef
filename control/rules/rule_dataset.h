/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of values that rules ask for: Suricata's. A line is a value: base64 of its bytes (string),
 * or a hash in hex; empty lines and comments (#) are passed over. Control's thread; reads a file.
 */
#ifndef POSTERN_CONTROL_RULE_DATASET_H
#define POSTERN_CONTROL_RULE_DATASET_H

#include "bpf/policy.h"
#include "control/rules/rule.h"
#include "control/rules/rule_lex.h"

enum rule_dataset_type { DATASET_STRING, DATASET_MD5, DATASET_SHA256, DATASET_TYPES };

/* DATASET_TYPES: there is none of that name. */
enum rule_dataset_type rule_dataset_type_find(struct rule_word name);

/* `file` beside the file of rules, or NULL where it would be elsewhere. */
char *rule_dataset_path(struct arena *arena, const char *rules, struct rule_word file);

/* A file of values from the disk: 0 and its text, the caller's to free(); -errno. */
int rule_dataset_read(const char *path, char **textp, size_t *sizep);

/*
 * The values' hashes, by siphash() with a key that is the file's own (the same file gives the same
 * set). `files` NULL: from the disk. 0 or -errno with words; the caller gives the set back
 * (hashset_fini()).
 */
int rule_dataset_load(const struct rule_files *files, const char *path, enum rule_dataset_type type,
		      struct hashset *set, char *error, size_t error_size);

#endif
