/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a tenant's risk is made of: ratios (of calls, of recipients) and events, each of a family.
 * The lists are the one place that names them; docs/risk.md has them as tables, and a test holds
 * it to these.
 */
#ifndef POSTERN_CONTROL_RISK_KIND_H
#define POSTERN_CONTROL_RISK_KIND_H

/* clang-format off */

/* A suspension without a person needs two of them. */
#define RISK_FAMILIES(X)                                                                           \
	X(CALLS, "calls", "how calls end")                                                         \
	X(DELIVERY, "delivery", "whether recipients exist")                                        \
	X(RECIPIENTS, "recipients", "what recipients say")                                         \
	X(REPUTATION, "reputation", "what other providers say")                                    \
	X(CONTENT, "content", "what mails and calls contain")                                      \
	X(IDENTITY, "identity", "who the sender claims to be")                                     \
	X(VOLUME, "volume", "how much, how fast")

/*
 * Name, family, row of the policy, parts and whole; then the defaults: warn and critical in %,
 * points, the least sample, the least parts.
 */
#define RISK_RATIOS(X)                                                                             \
	X(ASR, "asr", CALLS, "AUP-ASR", "answered", "seized", 60, 40, 55, 100, 0)                  \
	X(SHORT, "short_calls", CALLS, "AUP-SCR", "short", "answered", 15, 30, 55, 100, 0)         \
	X(BOUNCES, "bounces", DELIVERY, "AUP-BOUNCE", "hard-bounced", "recipients", 5, 10, 55, 200, 0) \
	X(COMPLAINTS, "complaints", RECIPIENTS, "AUP-COMPLAINT", "complaints", "delivered", 0.1, 0.3, 60, 1000, 5)

/*
 * Name, family, row of the policy; then the defaults: points of one, cap, half-life in hours,
 * seconds in which several count once; what it is.
 */
#define RISK_EVENTS(X)                                                                             \
	X(BULK, "bulk", VOLUME, "AUP-SPAM-BULK", 1, 10, 1, 60, "mails, recipients or connections beyond a limit") \
	X(FLOOD, "flood", VOLUME, "AUP-DOS", 5, 20, 1, 60, "packets, SYNs, calls or SIP requests beyond a limit") \
	X(MAILBOMB, "mailbomb", VOLUME, "AUP-MAILBOMB", 5, 20, 24, 0, "too many mails to one recipient") \
	X(SMS, "sms", VOLUME, "AUP-SMS", 1, 10, 1, 60, "too many SIP MESSAGEs")                    \
	X(TRAP, "trap", DELIVERY, "AUP-LIST", 25, 60, 168, 0, "mail to an address that never belonged to anybody") \
	X(TRAP_RECYCLED, "trap_recycled", DELIVERY, "AUP-LIST", 5, 20, 168, 0, "mail to an address that nobody has any more") \
	X(NEW_RECIPIENTS, "new_recipients", DELIVERY, "AUP-LIST", 5, 20, 24, 0, "a burst of recipients that were never seen before") \
	X(HARVEST, "harvest", DELIVERY, "AUP-HARVEST", 3, 20, 24, 0, "addresses are tried out")    \
	X(RELAY, "relay", DELIVERY, "AUP-RELAY", 2, 8, 24, 0, "servers say that they relay nothing") \
	X(OPT_OUT, "opt_out", RECIPIENTS, "AUP-OPTOUT", 3, 12, 24, 0, "mail to a recipient that opted out") \
	X(UNSUBSCRIBE, "unsubscribe", RECIPIENTS, "AUP-UNSUB", 2, 8, 24, 0, "bulk mail that can't be unsubscribed from") \
	X(UNWANTED, "unwanted", RECIPIENTS, "AUP-DNC", 4, 16, 24, 0, "a callee answered 607 Unwanted") \
	X(BLOCK_REPLY, "block_reply", REPUTATION, "AUP-BLACKLIST", 8, 40, 24, 0, "a reply that names a block list") \
	X(DNSBL, "dnsbl", REPUTATION, "AUP-BLACKLIST", 30, 60, 72, 0, "an egress address is on a block list") \
	X(MALWARE, "malware", CONTENT, "AUP-MALWARE", 60, 60, 24, 0, "malware")                    \
	X(RULE, "rule", CONTENT, "", 1, 60, 24, 0, "a rule with `risk` in its metadata, times its points") \
	X(HEADERS, "headers", CONTENT, "AUP-HDR-FORGED", 2, 20, 24, 0, "forged or invalid headers") \
	X(SUBJECT, "subject", CONTENT, "AUP-SUBJECT", 1, 4, 24, 0, "a subject that pretends to be a reply") \
	X(DOMAIN_CONSENT, "domain_consent", IDENTITY, "AUP-DOMAIN-CONSENT", 5, 30, 24, 0, "a sender's domain that is not the tenant's") \
	X(DOMAIN_INVALID, "domain_invalid", IDENTITY, "AUP-DOMAIN-INVALID", 2, 8, 24, 0, "a domain that doesn't exist") \
	X(ORIGIN, "origin", IDENTITY, "AUP-ORIGIN", 2, 8, 24, 0, "the origin is hidden")           \
	X(TAG, "tag", IDENTITY, "AUP-TAG", 2, 8, 24, 0, "an identifier was removed")               \
	X(TRADEMARK, "trademark", IDENTITY, "AUP-TRADEMARK", 1, 4, 24, 0, "the provider's marks")  \
	X(CALLER_ID, "caller_id", IDENTITY, "AUP-CALLERID", 5, 30, 24, 0, "a number that is not the tenant's") \
	X(SPOOF, "spoof", IDENTITY, "AUP-SPOOF", 1, 10, 24, 60, "a source address that is not the tenant's")

#define RISK_LEVELS(X)                                                                             \
	X(NONE, "none")                                                                            \
	X(WATCH, "watch")                                                                          \
	X(THROTTLE, "throttle")                                                                    \
	X(SUSPEND, "suspend")

/* Why a ratio gives no points, whatever it is. */
#define RISK_HELD(X)                                                                               \
	X(NOTHING, "", "")                                                                         \
	X(SAMPLE, "sample", "too few to say")                                                      \
	X(DISTINCT, "distinct", "of too few callees or domains")                                   \
	X(OUTAGE, "outage", "too many calls ended in 408, 500, 503 or 504: a carrier's fault")
/* clang-format on */

enum risk_family {
#define X(id, ...) RISK_FAMILY_##id,
	RISK_FAMILIES(X)
#undef X
		RISK_FAMILY_COUNT,
};

enum risk_ratio {
#define X(id, ...) RISK_RATIO_##id,
	RISK_RATIOS(X)
#undef X
		RISK_RATIO_COUNT,
};

enum risk_event {
#define X(id, ...) RISK_EVENT_##id,
	RISK_EVENTS(X)
#undef X
		RISK_EVENT_COUNT,
};

enum risk_level {
#define X(id, ...) RISK_LEVEL_##id,
	RISK_LEVELS(X)
#undef X
		RISK_LEVEL_COUNT,
};

enum risk_held {
#define X(id, ...) RISK_HELD_##id,
	RISK_HELD(X)
#undef X
		RISK_HELD_COUNT,
};

struct risk_ratio_text {
	const char *name, *row, *parts, *whole;
	enum risk_family family;
};

struct risk_event_text {
	const char *name, *row, *text;
	enum risk_family family;
};

extern const struct risk_ratio_text risk_ratio_text[RISK_RATIO_COUNT];
extern const struct risk_event_text risk_event_text[RISK_EVENT_COUNT];

const char *risk_family_name(enum risk_family family);
const char *risk_level_name(enum risk_level level);
const char *risk_held_name(enum risk_held held);
const char *risk_held_text(enum risk_held held);

/* RISK_EVENT_COUNT, RISK_LEVEL_COUNT: there is none of that name. */
enum risk_event risk_event_find(const char *name);
enum risk_level risk_level_find(const char *name);

#endif
