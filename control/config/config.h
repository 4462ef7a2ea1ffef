/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The configuration as it is written: a libconfig file read by the schema, with
 * the place of everything that can still turn out wrong. policy_build() makes
 * the workers' snapshot of it. One thread; allocates.
 */
#ifndef POSTERN_CONFIG_H
#define POSTERN_CONFIG_H

#include "bpf/policy.h"
#include "control/config/setting.h"
#include "control/risk/risk.h"

struct config_limits {
	struct rate rate[LIMIT_COUNT];
	struct rate recipients_per_message; /* only their counts */
	struct rate calls_at_once;
	struct rate distinct_recipients, distinct_domains; /* the same */
	struct rate same_body;                             /* the same */
	struct rate per_domain;
	/* Bit per enum tenant_limit, then per enum policy_check; SETTING_GIVEN. */
	uint64_t shadow;
};

/* Limits of tenants that are younger than so many days. */
struct config_warmup {
	const config_setting_t *where;
	uint32_t days;
	struct config_limits limits;
};

/* What a tenant sends; a tenant's own may be what its tier says. */
enum mail_class { MAIL_MIXED, MAIL_BULK, MAIL_TRANSACTIONAL, MAIL_AS_TIER };

struct config_tier {
	const config_setting_t *where; /* its name is the tier's */
	struct config_limits limits;
	int mail_class; /* enum mail_class */
	const char *required_tag;
	struct setting_groups warmup; /* of struct config_warmup */
};

struct config_tenant {
	const config_setting_t *where;
	uint32_t id;
	const char *name;
	struct setting_texts prefixes;
	uint32_t vlan;
	const char *tier;  /* NULL: none */
	const char *since; /* NULL: of old */
	int state;         /* enum tenant_state, or CONFIG_CLOSED */
	const char *country;
	int emergency; /* enum emergency_mode */
	bool domain_consent;
	struct setting_texts domains;
	struct setting_texts numbers;
	struct setting_texts optout;      /* files */
	struct setting_texts do_not_call; /* files */
	struct setting_texts contacts;    /* addresses */
	struct config_limits limits;      /* instead of the tier's */
	int mail_class;                   /* the same; enum mail_class */
	const char *required_tag;         /* the same; NULL: the tier's */
	int risk;                         /* enum config_risk_mode */
	const char *industry;             /* NULL: not said */
};

/* A tenant's own mode: the gate's, or one of enum risk_mode and 1. */
enum config_risk_mode { CONFIG_RISK_GATE };

/* Of one kind of event; what isn't written is the default's. */
struct config_risk_event {
	const config_setting_t *where; /* its name is the event's */
	double points, cap;
	uint64_t half_life, every; /* ns */
};

enum gate_mode { GATE_XDP, GATE_DPDK };

/* What the wire does while nobody inspects. */
enum failure_policy { FAILURE_OPEN, FAILURE_CLOSED };

/* How recipients are written into events. */
enum eve_addresses { EVE_HASH, EVE_PLAIN };

/* The one state of a tenant that is no enum tenant_state: suspended, and TENANT_CLOSED. */
#define CONFIG_CLOSED (TENANT_SUSPENDED + 1)

/* The live gate. Texts are the file's, "" where nothing was written. */
/* What becomes of rules that would cost more than gate.rules_budget. */
enum over_budget { OVER_BUDGET_WARN, OVER_BUDGET_REFUSE };

struct config_gate {
	const char *inside, *outside; /* interfaces, or DPDK devices */
	int mode;                     /* enum gate_mode */
	uint32_t workers, first_queue;
	const char *cpus;
	uint32_t idle_us, mtu;
	int huge;
	int failure;          /* enum failure_policy */
	uint64_t heartbeat;   /* ns */
	uint64_t close_after; /* ns; 0: never */
	bool flow_verdicts;
	const char *dataplane, *xdp_program;
	bool supervise;
	uint32_t tenants;
	struct setting_texts rules;
	uint64_t compile_memory; /* bytes */
	uint64_t compile_time;   /* ns */
	uint32_t rules_budget;   /* ns per KiB of traffic; 0: none */
	int rules_over_budget;   /* enum over_budget */
	const char *user;
	const char *runtime_dir, *state_dir;
	const char *socket, *group, *read_group;
	uint32_t clients;
	uint64_t follow_buffer; /* bytes */
	const char *eve_path;
	uint64_t eve_rotate_size; /* bytes; 0: never */
	uint32_t eve_rotate_keep;
	uint64_t stats_interval;     /* ns */
	struct setting_texts egress; /* addresses */
	struct setting_groups dnsbl; /* of struct config_dnsbl */
	uint64_t dnsbl_interval;     /* ns */
	const char *resolver;        /* "": the system's */
	uint64_t resolver_timeout;   /* ns */
	uint32_t resolver_tries;
	int eve_addresses; /* enum eve_addresses */
	/* ns; 0: for ever */
	uint64_t retention_cases, retention_evidence, retention_reports, retention_scores;
	const char *metrics_listen;
	uint32_t metrics_tenants;
};

/* A block list that egress addresses are looked up in. */
struct config_dnsbl {
	const config_setting_t *where;
	const char *zone;
	struct setting_texts codes, blameless;
};

extern const char *const config_dnsbl_codes[]; /* where it has none of its own; NULL-terminated */
extern const char config_dnsbl_blameless[];

/* What comes back of mail that left. */
enum config_suppress { SUPPRESS_NOBODY, SUPPRESS_BY_LOG, SUPPRESS_BY_ALL };

struct config_feedback {
	uint64_t keep, seen; /* ns */
	uint32_t messages, reports, incidents;
	bool by_address;
	int suppress; /* enum config_suppress */
};

/* What people are to look at, and how they hear of it (control/cases/cases.h). */
struct config_cases {
	int open;                             /* enum risk_level: from which on */
	uint64_t answer;                      /* ns: the tenant's time to answer */
	int overdue;                          /* enum config_overdue */
	const char *webhook, *webhook_secret; /* "": none; a file of the secret */
	const char *relay, *from;
	struct setting_texts desk;
	uint64_t retry_first, retry_most, retry_until; /* ns */
	uint64_t alarm_every;                          /* ns */
	bool evidence;
};

/* What follows when a tenant does not answer. */
enum config_overdue { OVERDUE_ASK, OVERDUE_SUSPEND };

struct warmup;

/* How much mail, to whom. Rates' bursts aren't looked at, but for per_domain's. */
struct config_mail {
	struct rate mailbomb, per_domain, same_body;
	uint64_t suppress; /* ns */
	struct config_share {
		uint32_t count, share; /* share: percent */
		uint64_t window;       /* ns */
	} harvest, new_recipients;
	uint64_t learn, remember; /* ns */
	uint32_t relay_hosts;
	uint64_t relay_window; /* ns */
};

struct config {
	config_t file;
	char *path;                    /* NULL: no file */
	struct setting_groups tiers;   /* of struct config_tier */
	struct setting_groups tenants; /* of struct config_tenant */
	struct setting_ports smtp, smtps, sip, sips;
	struct setting_texts optout, do_not_call; /* files, for all tenants */
	uint64_t optout_grace;                    /* ns */
	struct setting_texts blocked;             /* networks */
	const char *emergency_file;               /* NULL: the built-in table */
	bool shadow;
	int bare_lf; /* enum verdict */
	uint64_t short_call;
	int asr_mode;
	int on_loss[REASON_COUNT]; /* enum verdict */
	int actions[REASON_COUNT]; /* the same; of checks (bpf/check.h) */
	struct config_mail mail;
	const char *smtp_answer[REASON_COUNT]; /* NULL: none */
	const char *sip_answer[REASON_COUNT];
	uint64_t retry_after;
	struct setting_texts marks, provider_hosts;
	const char *reserved_domains; /* blank-separated */
	bool tell_domains;
	struct policy_calls calls;
	struct setting_texts restricted; /* industries */
	struct policy_timeouts timeouts;
	struct policy_budgets budgets;
	struct config_gate gate;
	struct config_feedback feedback;
	struct config_cases cases;
	struct risk_config risk;           /* as it is written: shares in %, no events */
	struct setting_groups risk_events; /* of struct config_risk_event */
};

/* The schema: of the whole file, and of a part of it each. */
extern const struct setting config_settings[];
extern const struct setting config_limit_settings[]; /* a tenant's own */
extern const struct setting config_tier_settings[];
extern const struct setting config_tenant_settings[];
extern const struct setting config_inspect_settings[];
extern const struct setting config_list_settings[];
extern const struct setting config_policy_settings[];
extern const struct setting config_mail_settings[]; /* of struct config */
extern const struct setting config_timeout_settings[];
extern const struct setting config_budget_settings[];
extern const struct setting config_gate_settings[];
extern const struct setting config_risk_settings[];
extern const struct setting config_case_settings[];
extern const struct setting config_feedback_settings[];
extern const struct setting config_dnsbl_settings[];

/*
 * Reads the file at `path` (NULL: no file, all defaults). Every error found is in
 * `diag`. Returns NULL, errno set, only where nothing could be read at all; what
 * is returned with errors in `diag` is good for nothing but finding more of them.
 */
struct config *config_load(const char *path, struct diag *diag);
struct config *config_default(void);
void config_free(struct config *config);

static inline struct config_tier *config_tier_at(const struct config *config, size_t i)
{
	return (struct config_tier *)config->tiers.items + i;
}

static inline struct config_tenant *config_tenant_at(const struct config *config, size_t i)
{
	return (struct config_tenant *)config->tenants.items + i;
}

/* NULL: there is none of that name. */
const struct config_tier *config_tier_find(const struct config *config, const char *name);

/* The tenant's limits over its tier's. */
struct config_limits config_limits_of(const struct config *config,
				      const struct config_tenant *tenant);

/* Of the tenant's tier, the caller's to free(); NULL: none, or no memory. */
struct warmup *config_warmup(const struct config_tier *tier);
/* Since when the tenant is one, s since 1970; 0: of old. */
uint64_t config_since(const struct config_tenant *tenant);

/* What the schema can't say of one setting alone; errors into `diag`. */
void config_check_tiers(const struct config *config, struct diag *diag);
void config_check_warmup(const struct config_tier *tier, struct diag *diag);
void config_check_tenants(const struct config *config, struct diag *diag);
void config_check_ports(const struct config *config, struct diag *diag);
void config_check_gate(const struct config *config, struct diag *diag);
void config_check_mail(const struct config *config, struct diag *diag);
void config_check_dns(const struct config *config, struct diag *diag);
void config_check_actions(const struct config *config, struct diag *diag);
void config_check_risk(const struct config *config, struct diag *diag);
void config_check_cases(const struct config *config, struct diag *diag);

/* A setting's check: NULL, or that a mailbox was expected. */
const char *config_check_address(const char *text);

/* What the engine goes by. */
struct risk_config config_risk(const struct config *config);
/* What the dataplane counts by. */
struct policy_mail config_mail_policy(const struct config *config);
/* What the policy of mail leaves to tiers and tenants; the slot has its flags. */
void config_mail_limits(const struct config *config, const struct config_limits *limits,
			struct tenant_slot *slot);
/* enum risk_mode: the tenant's own, or the gate's. */
int config_risk_of(const struct config *config, const struct config_tenant *tenant);

/* "xdp", "dpdk"; "open", "closed". */
const char *config_gate_mode_name(enum gate_mode mode);
const char *config_failure_name(enum failure_policy policy);
const char *config_huge_name(int huge); /* "auto", "yes", "no" */

/* "127.0.0.1:9425" or "[::1]:9425" taken apart; false: it is neither, or not the loopback. */
#define CONFIG_HOST_SIZE 46
bool config_listen_parse(const char *text, char host[CONFIG_HOST_SIZE], uint16_t *port);

/* `name` as a path, relative to the directory of the file that `where` is in. -ENAMETOOLONG or 0.
 */
int config_path(const config_setting_t *where, const char *name, char *path, size_t size);

#endif
