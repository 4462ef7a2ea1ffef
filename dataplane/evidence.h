/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header of a mail that is refused, for whoever has to show why: kept while the mail goes by,
 * told to control when it is refused (policy.keep_headers; in a replay where it is asked for).
 * Nothing of a body but what the rule that refuses it is told to keep, redacted. Worker.
 */
#ifndef POSTERN_EVIDENCE_H
#define POSTERN_EVIDENCE_H

#include "dataplane/smtp/mail.h"

static inline bool evidence_is_kept(const struct worker *w)
{
	return w->policy->keep_headers && (w->shm || w->options.evidence);
}

/* More of the mail's own header, as it came. */
void evidence_keep(struct mail *mail, struct bytes header);

/* The mail is refused, and `reply` is what its sender is told. */
void evidence_tell(struct worker *w, const struct mail *mail, const struct refusal *r,
		   const char *reply);

#endif
