/* SPDX-License-Identifier: BSD-3-Clause */
/* From rules to the image that workers load. Control thread; may take seconds. */
#ifndef POSTERN_CONTROL_RULESET_BUILD_H
#define POSTERN_CONTROL_RULESET_BUILD_H

#include "control/rules/rule.h"

struct db_cache;

struct ruleset_build_options {
	uint32_t generation;
	unsigned threads;       /* that compile databases; 0: one for each CPU there is to use */
	struct db_cache *cache; /* of databases (control/rules/db_cache.h); NULL: none */
};

struct ruleset_build_stats {
	size_t rules, parts, chains;
	size_t literals; /* distinct, over all buffers */
	size_t regexes;  /* that Hyperscan looks for itself */
	size_t image_bytes;
	size_t db_bytes[RULESET_DBS]; /* serialized */
	size_t db_patterns[RULESET_DBS];
	size_t stream_bytes[RULESET_DBS];  /* Hyperscan's state of one stream */
	size_t databases, databases_found; /* in the cache, of all */
	uint64_t build_ns, compile_ns;     /* compile: databases alone */
};

/*
 * 0 and an image (64-aligned, the caller's to free()) with the given generation;
 * -EINVAL with mistakes added to `diags`, -ENOMEM. Costly or limited rules get a
 * warning. `stats` may be NULL.
 */
int ruleset_build(const struct rule_list *list, uint32_t generation, struct rule_diags *diags,
		  void **imagep, size_t *sizep, struct ruleset_build_stats *stats);

/* The same with options: with a cache, only databases with other patterns than before are compiled.
 */
int ruleset_build_with(const struct rule_list *list, const struct ruleset_build_options *options,
		       struct rule_diags *diags, void **imagep, size_t *sizep,
		       struct ruleset_build_stats *stats);

/*
 * Reads files, and of directories the files whose names end in .rules, sorted
 * by name. Appends to list and diags; 0 or -errno when something can't be read
 * (said in `diags` too).
 */
int rules_load_path(struct rule_list *list, struct rule_diags *diags, const struct rule_vars *vars,
		    const char *path);

/* The same, but for what becomes of the text, which is good until `file` returns. */
int rules_each_file(struct rule_diags *diags, const char *path,
		    void (*file)(void *ctx, const char *path, const char *text, size_t len),
		    void *ctx);

#endif
