/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Of a ruleset, those rules that judge a server's reply by itself: what posternd asks of replies
 * that come by another way than the wire (control/rules/reply_judge.h). Compiled with the whole, so
 * that both are one text; control's compiler.
 */
#ifndef POSTERN_CONTROL_REPLY_RULES_H
#define POSTERN_CONTROL_REPLY_RULES_H

#include "control/rules/rule.h"

struct db_cache;

#define REPLY_RULES_ROW "AUP-BLACKLIST"

/*
 * Is it one of them? Its buffers are the reply's code and text alone, it asks nothing of the flow,
 * of what was before or of a set (flowbits, counts, a tenant's name, dataset), and it says that a
 * block list has the address (aup AUP-BLACKLIST), or that the reply is nothing to speak of (pass).
 * One in shadow or with noalert gives no points, and is none.
 */
bool reply_rule_is(const struct rule *rule);

/*
 * An image of them, the caller's to free(); NULL: there are none that say anything. 0, -EINVAL,
 * -ENOMEM. `cache` may be NULL.
 */
int reply_rules_build(const struct rule_list *list, uint32_t generation, struct db_cache *cache,
		      void **imagep, size_t *sizep);

#endif
