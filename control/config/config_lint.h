/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is legal in a configuration and odd all the same: `postern policy lint`. One thread;
 * allocates.
 */
#ifndef POSTERN_CONTROL_CONFIG_LINT_H
#define POSTERN_CONTROL_CONFIG_LINT_H

#include "control/config/config.h"

/* clang-format off */
#define LINTS(X)                                                                                   \
	X(NO_LIMITS, "no-limits", "a tenant, or a tier, without a limit of mails or of calls")     \
	X(UNLIMITED, "unlimited", "a limit that is written as \"unlimited\"")                      \
	X(LOOSER, "looser", "a tenant's own limit that allows more than its tier's")               \
	X(TOO_LARGE, "too-large", "a mail may have more recipients than the limit of recipients has at once") \
	X(ANSWER, "answer", "an answer that says try again to what is forbidden, or never again to what is too fast") \
	X(SIP_CODE, "sip-code", "a SIP code that says something else than it should")              \
	X(UNREACHABLE, "unreachable", "a threshold that nothing can reach, points that nothing gives") \
	X(SHADOW, "shadow", "what is only counted: shadow left on")                                \
	X(CHECK_OFF, "check-off", "a check that is turned off (`policy.actions`)")                 \
	X(LIST_TWICE, "list-twice", "a list that is named twice")                                  \
	X(NESTED, "nested", "a prefix inside another tenant's")                                    \
	X(UNUSED_TIER, "unused-tier", "a tier without tenants")                                    \
	X(CONSENT, "consent", "`domain_consent` without `domains`, or `domains` without it")       \
	X(RETENTION, "retention", "what is kept for ever, or is gone before it is needed (`gate.retention`, `feedback.keep`, `policy.mail.new_recipients`)") \
	X(COUNTRY, "country", "emergency calls are refused, and nobody says of which country")     \
	X(SHARE, "share", "one tenant may fill a table (`budgets`)")
/* clang-format on */

enum lint_kind {
#define X(id, name, text) LINT_##id,
	LINTS(X)
#undef X
		LINT_COUNT,
};

struct lint_note {
	enum lint_kind kind;
	char *file;            /* "" : of the configuration as a whole */
	unsigned line, column; /* from 1; 0: unknown */
	char *path;            /* "tenants[2].limits" */
	char *text;
};

/* All-zero is empty. */
struct lint {
	struct lint_note *notes; /* by file, line and column */
	size_t count, room;
	int error; /* -ENOMEM: some are missing */
};

const char *lint_name(enum lint_kind kind);
const char *lint_text(enum lint_kind kind);

/* Of a configuration without errors. 0 or -ENOMEM. */
int config_lint(const struct config *config, struct lint *lint);
void lint_fini(struct lint *lint);

#endif
