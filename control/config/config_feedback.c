/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of mail that left, for what comes back of it. */
#include "control/config/config.h"

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)

#define AT(member) .offset = offsetof(struct config, feedback.member)

static const char *const sources[] = {
	[SUPPRESS_NOBODY] = "none", [SUPPRESS_BY_LOG] = "log", [SUPPRESS_BY_ALL] = "all", NULL};

/* clang-format off */
const struct setting config_feedback_settings[] = {
	{.name = "keep", .type = SETTING_DURATION, AT(keep), .fallback = "14d", .min = 3600 * SECOND, .max = 400 * DAY,
	 .help = "how long a mail that left is remembered, by a keyed hash of its Message-ID; older reports are nobody's"},
	{.name = "messages", .type = SETTING_COUNT, AT(messages), .fallback = "1048576", .min = 1024, .max = 1U << 31,
	 .help = "how many are: 16 bytes each in `gate.state_dir`; the oldest make room (read when posternd starts)"},
	{.name = "reports", .type = SETTING_COUNT, AT(reports), .fallback = "1048576", .min = 1024, .max = 1U << 31,
	 .help = "how many things that were counted are remembered, so that none counts twice; the same"},
	{.name = "seen", .type = SETTING_DURATION, AT(seen), .fallback = "5d", .min = 0, .max = 400 * DAY,
	 .help = "a recipient that the gate saw bounce is not counted again by a report within this time"},
	{.name = "incidents", .type = SETTING_COUNT, AT(incidents), .fallback = "10", .min = 1, .max = 1000000,
	 .help = "complaints that one report may stand for, whatever its `Incidents` says"},
	{.name = "by_address", .type = SETTING_BOOL, AT(by_address), .fallback = "false",
	 .help = "a report whose Message-ID nobody knows counts for whose address it names; anybody can write one"},
	{.name = "suppress", .type = SETTING_CHOICE, AT(suppress), .choices = sources, .fallback = "all",
	 .help = "a hard bounce that counts puts its recipient on the tenant's list `suppressed`: of logs alone, or of delivery reports too (read when posternd starts)"},
	{0},
};
/* clang-format on */
