/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was decided about rules by command, over what their text says: to only count, or not to run
 * at all. It outlives posternd, reloads and pushes. One thread; allocates.
 */
#ifndef POSTERN_CONTROL_RULE_OVERRIDE_H
#define POSTERN_CONTROL_RULE_OVERRIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/daemon/override.h"

#define RULE_OVERRIDES_MAX 100000

enum rule_shadow {
	RULE_SHADOW_OWN, /* as the rule's text says */
	RULE_SHADOW_ON,
	RULE_SHADOW_OFF,
};

struct rule_override {
	uint32_t sid;
	enum rule_shadow shadow;
	bool disabled;
	/* Pushed with --shadow: the digest of the text that this was about, 0: none. */
	uint64_t pushed;
	char by[OVERRIDE_NAME]; /* who gave the last command about it */
	uint64_t since;         /* seconds since 1970 */
};

/* A zeroed one is empty. */
struct rule_overrides {
	struct rule_override *items; /* ascending by sid */
	size_t count, room;
};

void rule_overrides_fini(struct rule_overrides *list);
int rule_overrides_copy(const struct rule_overrides *list, struct rule_overrides *copy);

/* NULL: there is none; `list` may be NULL. */
const struct rule_override *rule_override_find(const struct rule_overrides *list, uint32_t sid);

/* Instead of what there was about the rule; one that says nothing is forgotten. 0, -ENOMEM, -E2BIG.
 */
int rule_override_put(struct rule_overrides *list, const struct rule_override *override);

/* Nobody is in shadow by how it was pushed any more. */
void rule_overrides_end_pushed(struct rule_overrides *list);

/* An array; NULL: no memory. */
json_t *rule_overrides_json(const struct rule_overrides *list);

/* 0, -ENOMEM, or -EINVAL: an item is none. */
int rule_overrides_parse(const json_t *array, struct rule_overrides *list);

/* "own", "on", "off". */
const char *rule_shadow_name(enum rule_shadow shadow);
/* -1: none of these. */
int rule_shadow_of(const char *name);

#endif
