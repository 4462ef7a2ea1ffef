/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
#include "bpf/reason.h"

static const struct {
	const char *name;
	const char *text;
} reasons[REASON_COUNT] = {
#define X(id, name, text) [REASON_##id] = {name, text},
	REASONS(X)
#undef X
};

static const char *const verdicts[VERDICT_COUNT] = {
	[VERDICT_PASS] = "pass",
	[VERDICT_ALERT] = "alert",
	[VERDICT_DROP] = "drop",
	[VERDICT_REJECT] = "reject",
};

const char *reason_name(enum reason reason)
{
	return reason < REASON_COUNT ? reasons[reason].name : "?";
}

const char *reason_text(enum reason reason)
{
	return reason < REASON_COUNT ? reasons[reason].text : "?";
}

const char *verdict_name(enum verdict verdict)
{
	return verdict < VERDICT_COUNT ? verdicts[verdict] : "?";
}
