/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tenant's calls of the last hour (risk.window), beside those of days that make its score: they
 * say in minutes what a half-life of days says late. A breach there is told, once, and is no more
 * than that: it gives no points and asks nobody to suspend.
 *
 * The window is RISK_WINDOW_PARTS parts of equal length, the newest of them in hand: what is older
 * than the window is out of it, a part at a time. Pure, as control/risk/risk.h.
 */
#ifndef POSTERN_CONTROL_RISK_WINDOW_H
#define POSTERN_CONTROL_RISK_WINDOW_H

#include "control/risk/risk.h"

#define RISK_WINDOW_PARTS  6
#define RISK_WINDOW_RATIOS 2 /* of enum risk_ratio, those of calls: the first two */

struct risk_window_part {
	uint32_t seized, answered, shorts, outage;
};

/* Zeroed at first. */
struct risk_window {
	uint64_t length; /* ns: of a part; a window of another length begins anew */
	uint64_t newest; /* the number of the newest part: its time / its length */
	struct risk_window_part part[RISK_WINDOW_PARTS]; /* by their numbers */
	uint32_t breached[RISK_WINDOW_RATIOS]; /* s since 1970: last seen in breach; 0: told of none
						*/
};

void risk_window_count(struct risk_window *window, const struct risk_config *config, uint64_t now,
		       const struct risk_sample *sample);

/* What is in it. */
struct risk_window_part risk_window_sum(const struct risk_window *window,
					const struct risk_config *config, uint64_t now);

/*
 * The ratios of calls in it, into terms[RISK_WINDOW_RATIOS], by the numbers and guards of the
 * score's own. `tenant`: whose distinct callees count.
 */
void risk_window_terms(const struct risk_window *window, const struct risk_tenant *tenant,
		       const struct risk_config *config, uint64_t now, struct risk_term *terms);

/*
 * A bit for each ratio whose breach is to be told now: the first one, and again only when there
 * has been none for as long as the window is.
 */
unsigned risk_window_alarms(struct risk_window *window, const struct risk_tenant *tenant,
			    const struct risk_config *config, uint64_t now);

#endif
