/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change to the rules: what is asked for while it is on its way, and what is remembered of it
 * when it is in force. The event loop's thread.
 */
#ifndef POSTERN_CONTROL_RULES_CHANGE_H
#define POSTERN_CONTROL_RULES_CHANGE_H

#include <sys/types.h>

#include "control/daemon/compile.h"
#include "control/daemon/roster.h"
#include "control/rules/rules_state.h"

struct daemon;
struct request;

/* X(id, name) */
#define RULES_HOWS(X)           \
	X(START, "start")       \
	X(RELOAD, "reload")     \
	X(PUSH, "push")         \
	X(ROLLBACK, "rollback") \
	X(SHADOW, "shadow")     \
	X(DISABLE, "disable")   \
	X(ENABLE, "enable")

enum rules_how {
#define X(id, name) RULES_##id,
	RULES_HOWS(X)
#undef X
};

struct rules_change {
	enum rules_how how;
	bool only;                       /* rules alone: the configuration is not read */
	bool pushed;                     /* where the rules come from, afterwards */
	bool shadow;                     /* a push whose new and changed rules only count */
	uint64_t of;                     /* the generation that a rollback is to, 0: none */
	uint32_t sid;                    /* of what is about one rule, 0: none */
	char stored[RULES_DIGEST_SIZE];  /* text to take from the disk, "": none */
	struct rule_overrides overrides; /* that hold with it */
	char by[OVERRIDE_NAME], reason[OVERRIDE_REASON];
	uid_t uid;
	pid_t pid;
};

/*
 * A change that leaves everything as it is, by whoever asks (NULL: nobody). 0, or -ENOMEM: there
 * is nothing to end then.
 */
int rules_change_init(struct rules_change *change, const struct daemon *daemon, enum rules_how how,
		      const struct request *request);
void rules_change_fini(struct rules_change *change);

/* The compiler's part of it; points into the change and the daemon. */
struct compile_rules rules_change_job(const struct rules_change *change, struct daemon *daemon,
				      const struct rules_text *text);

/*
 * It is in force: takes it into the state, the history and the log of events, and says in `result`
 * (of the command) what came of it. `old` (NULL: none) was in force before. The disk has it then,
 * or the result warns.
 */
void rules_change_adopt(struct rules_change *change, struct daemon *daemon,
			const struct roster *old, double took_s, json_t *result);

/* An event: it was refused, and what was in force stays. */
void rules_change_refused(const struct rules_change *change, struct daemon *daemon,
			  const char *code, const char *why);

const char *rules_how_name(enum rules_how how);

#endif
