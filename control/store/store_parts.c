/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose tables state.db has. */
#include "control/cases/case_book.h"
#include "control/cases/evidence.h"
#include "control/cases/notice.h"
#include "control/daemon/state.h"
#include "control/dns/domain_run.h"
#include "control/dns/egress.h"
#include "control/feedback/feedback_run.h"
#include "control/risk/risk_state.h"
#include "control/store/audit.h"

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
