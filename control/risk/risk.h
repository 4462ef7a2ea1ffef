/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tenant's risk, from 0 to 100, and what follows from it. Pure: no I/O, no allocation, and the
 * clock is the caller's (ns since 1970; one that goes back stands still). One thread a tenant.
 *
 *   score = min(100, sum of the terms)
 *   ratio: points · (bound - warn) / (critical - warn), between 0 and points. The bound is Wilson's
 *          on the tenant's side; none without a sample. Counts decay.
 *   event: E, which every event raises by its points up to a cap, and which decays.
 *
 * docs/risk.md explains it to people.
 */
#ifndef POSTERN_CONTROL_RISK_H
#define POSTERN_CONTROL_RISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/risk/risk_kind.h"

#define RISK_SCORE_MAX 100.0

enum risk_mode {
	RISK_OFF,    /* nothing is counted */
	RISK_SHADOW, /* counted, told and shown; nothing follows */
	RISK_ON,
	RISK_MODE_COUNT,
};

struct risk_ratio_config {
	double warn, critical; /* shares, 0 to 1 */
	double points;         /* at `critical` and beyond */
	double minimum;        /* of the whole: below it there is no telling */
	double minimum_parts;
};

struct risk_event_config {
	double points, cap;
	uint64_t half_life; /* ns */
	uint64_t spacing;   /* ns: several in it count once; 0: each counts */
};

struct risk_config {
	int mode;           /* enum risk_mode: of tenants that have none of their own */
	double z;           /* of the bounds */
	uint64_t half_life; /* ns, of counts */
	double watch, throttle, suspend;
	double leave;              /* a level is left below this share of its threshold */
	double family_points;      /* that a family must give to be one of two */
	uint64_t notice;           /* ns: how long a breach must last after notice */
	uint64_t window;           /* ns: of calls that are looked at beside (risk_window.h); 0 */
	uint64_t pardon;           /* ns: how long nothing suspends a tenant that a person let go */
	double outage;             /* share of seizures that make it a carrier's fault */
	uint32_t callees, domains; /* distinct ones, at least */
	double factor;             /* of its limits, for a throttled tenant */
	struct risk_ratio_config ratio[RISK_RATIO_COUNT];
	struct risk_event_config event[RISK_EVENT_COUNT];
};

struct risk_count {
	double parts, whole; /* decayed to risk_tenant.counted */
};

struct risk_mark {
	float value;    /* decayed to `last` */
	uint32_t last;  /* seconds since 1970: the last that counted */
	uint32_t count; /* of events, those that did not count included; stays at its end */
};

/* Zeroed at first; it may be copied. */
struct risk_tenant {
	uint64_t counted; /* ns */
	struct risk_count ratio[RISK_RATIO_COUNT];
	double outage; /* seizures that ended so, decayed with the counts */
	struct risk_mark event[RISK_EVENT_COUNT];
	uint32_t callees, domains; /* distinct ones, lately */
	uint8_t level;             /* enum risk_level */
	bool asked;                /* a person was asked to suspend it */
	float score, slow;         /* the last one, and a mean of the last hours */
	uint64_t scored;           /* ns: when that was */
	uint64_t since;            /* ns: in this level */
	uint64_t breached;         /* ns: since when a ratio is in breach; 0: none is */
	uint64_t noticed;          /* ns: since when the tenant is beyond RISK_LEVEL_NONE; 0 */
	uint64_t pardoned;         /* ns: until when nothing suspends it */
};

/* What came since the last time; distinct ones as they are now. */
struct risk_sample {
	double seized, answered, shorts, outage;
	double recipients, bounced;
	double delivered, complaints;
	uint32_t callees, domains;
};

struct risk_term {
	bool is_ratio;
	uint8_t which; /* enum risk_ratio or risk_event */
	enum risk_family family;
	double points;
	/* Of ratios: */
	double parts, whole, bound;
	bool breach;
	enum risk_held held;
};

#define RISK_TERMS ((int)RISK_RATIO_COUNT + (int)RISK_EVENT_COUNT)

struct risk_change {
	enum risk_level from, to; /* the same: it stays */
	bool ask;                 /* only a person may suspend it, and none was asked yet */
};

/* What the policy says where nobody says otherwise. */
struct risk_config risk_config_default(void);

/* Nothing in it that time would not make nothing of. */
bool risk_is_empty(const struct risk_tenant *tenant);

void risk_count(struct risk_tenant *tenant, const struct risk_config *config, uint64_t now,
		const struct risk_sample *sample);

/* `weight` of an event's points: 1, a share of them, or a rule's own points. */
void risk_add(struct risk_tenant *tenant, const struct risk_config *config, uint64_t now,
	      enum risk_event event, double weight);

/*
 * Several tenants behind one egress address, and a bad event there that is one's: tenant i's share
 * of it, by its bad events among those of all. Without any: 0, for nobody can be blamed.
 */
double risk_share(const double *bad, size_t n, size_t i);

/*
 * The terms, into terms[RISK_TERMS]: all ratios, then those events that still have points. Returns
 * how many; *score (may be NULL) is their sum, 100 at the most.
 */
int risk_terms(const struct risk_tenant *tenant, const struct risk_config *config, uint64_t now,
	       struct risk_term *terms, double *score);

/* Whether the terms allow a suspension without a person, `score` aside. */
bool risk_may_suspend(const struct risk_tenant *tenant, const struct risk_config *config,
		      uint64_t now, const struct risk_term *terms, int n);

/* Scores the tenant, and moves it between levels. */
struct risk_change risk_evaluate(struct risk_tenant *tenant, const struct risk_config *config,
				 uint64_t now);

/* A person lets a suspended tenant go: back to throttled, and left alone for a while. */
void risk_pardon(struct risk_tenant *tenant, const struct risk_config *config, uint64_t now);

/* The score against its mean of the last hours: above 0 it rises. */
static inline double risk_trend(const struct risk_tenant *tenant)
{
	return tenant->score - tenant->slow;
}

/* 2^(-elapsed/half_life); 1 when the clock went back. */
double risk_decay(uint64_t from, uint64_t now, uint64_t half_life);

#endif
