/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules as text: files by name, as somebody pushed them or as they lie where gate.rules says. What
 * they compile to is kept nowhere; the text is, by its digest. One thread; allocates.
 */
#ifndef POSTERN_CONTROL_RULES_TEXT_H
#define POSTERN_CONTROL_RULES_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "control/rules/rule.h"

#define RULES_TEXT_MAX    (64u << 20) /* bytes of all files */
#define RULES_FILES_MAX   4096
#define RULES_DIGEST_SIZE 33 /* 32 hexadecimal digits and a NUL */

struct rules_file {
	char *name; /* for messages; a path, mostly */
	bool data;  /* no rules: what rules load */
	char *text;
	size_t len, room;
};

/* A zeroed one is empty. */
struct rules_text {
	struct rules_file *files;
	size_t count, room;
	size_t bytes;
};

void rules_text_fini(struct rules_text *text);

/*
 * Adds to the end of the file of that name and kind, the last one of those that there are, or to a
 * new one. 0, -EFBIG: more than RULES_TEXT_MAX or RULES_FILES_MAX; -ENOMEM.
 */
int rules_text_add(struct rules_text *text, const char *name, bool data, const char *bytes,
		   size_t len);

/* What rules load by that name; NULL: there is none. */
const struct rules_file *rules_text_data(const struct rules_text *text, const char *name);

/* A file, or a directory's *.rules. 0 or -errno, said in `diags`. */
int rules_text_load(struct rules_text *text, struct rule_diags *diags, const char *path);

/* rules_parse() of each file of rules. */
void rules_text_parse(const struct rules_text *text, struct rule_list *list,
		      struct rule_diags *diags);

/* Of names and texts: the same files in the same order. */
void rules_text_digest(const struct rules_text *text, char digest[RULES_DIGEST_SIZE]);

/*
 * The texts that were pushed, in a directory: a file by its digest. Writing makes the directory if
 * there is none, and is all or nothing; what is there already is left alone. Reading finds out
 * what is damaged. 0; -ENOENT: there is none; -EBADMSG: damaged; -errno.
 */
int rules_text_store(const struct rules_text *text, const char *dir,
		     const char digest[RULES_DIGEST_SIZE]);
int rules_text_read(struct rules_text *text, const char *dir, const char *digest);

bool rules_text_is_kept(const char *dir, const char *digest);

/* Removes the texts that `wanted` does not want, of the newest up to `limit` bytes. */
void rules_text_trim(const char *dir, const char *const *wanted, size_t count, uint64_t limit);

#endif
