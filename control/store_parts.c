/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose tables state.db has. */
#include "control/audit.h"
#include "control/case_book.h"
#include "control/domain_run.h"
#include "control/egress.h"
#include "control/evidence.h"
#include "control/feedback_run.h"
#include "control/notice.h"
#include "control/risk_state.h"
#include "control/state.h"

/* clang-format off */
const struct store_part *const store_parts[] = {
	&state_part,
	&audit_part,
	&feedback_part,
	&egress_part,
	&domain_part,
	&case_part,
	&evidence_part,
	&notice_part,
	&risk_part,
	NULL,
};
/* clang-format on */
