/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stage one must say of which packet: a table for the host's build and the kernel's. Every
 * case begins with full buckets, no counts, the dataplane well.
 */
#ifndef POSTERN_TESTS_STAGE_CASES_H
#define POSTERN_TESTS_STAGE_CASES_H

#include "bpf/maps.h"
#include "bpf/policy.h"
#include "tests/bpf/frames.h"

/* The port that cases come in by: the loopback's, which TEST_RUN takes by default. */
#define CASE_IFINDEX 1
#define CASE_PEER    2
#define CASE_PLACE   2 /* of GATE_PORTS: not the first */

/* Of its flow; 7 stands there. */
#define CASE_EPOCH 4711

/* What the dataplane does. */
enum case_dataplane { WELL, AWAY, STUCK, STUCK_UNMINDED };

/* What is known of the packet's flow. */
enum case_flow { NEVER_SEEN, KNOWN_DROP, KNOWN_PASS, EXPIRED_DROP, EXPIRED_PASS };

/* What is known of an emergency call's media: the packet's addresses and ports, but for … */
enum case_media {
	MEDIA_NONE,
	MEDIA_ITS,         /* nothing */
	MEDIA_RTCP,        /* they are the second ones */
	MEDIA_TRANSLATED,  /* the tenant's port isn't known */
	MEDIA_SENDER,      /* the sender said another port */
	MEDIA_RECEIVER,    /* the receiver did */
	MEDIA_HOST,        /* the outside's address is another */
	MEDIA_INSIDE,      /* the tenant's address is */
	MEDIA_EXPIRED,     /* nothing came for long */
	MEDIA_AT_THE_END,  /* the call may last no longer */
	MEDIA_ANOTHERS,    /* it is another tenant's */
	MEDIA_LAST_OF_TWO, /* another is looked at first */
};

struct stage_case {
	const char *name;
	struct frame_spec frame;
	uint8_t from;       /* enum stage_from */
	uint8_t dataplane;  /* enum case_dataplane */
	uint8_t failure;    /* enum gate_failure */
	uint8_t flow;       /* enum case_flow */
	uint8_t media;      /* enum case_media */
	uint8_t flags;      /* enum gate_port_flag */
	uint8_t shadow;     /* the policy's */
	uint8_t before;     /* how many of the same come first */
	uint8_t alien;      /* the buckets were last spent of by time since 1970 */
	uint8_t renewed;    /* another connection between the same ports began since `flow` */
	uint8_t action;     /* enum wire_action, of the last */
	enum reason reason; /* the same */
	uint32_t tenant;    /* the same */
	uint8_t outbound;   /* the same */
	uint8_t shadowed;   /* the same: bits */
	uint8_t dropped;    /* of all */
	uint32_t blamed;    /* the slot that a spoofed one counts for, too */
};

extern const struct stage_case stage_cases[];
extern const unsigned stage_case_count;

/* Packets one after the other, of which the earlier ones bear on the later. */
struct stage_step {
	struct frame_spec frame; /* its `src` NULL: the end */
	uint8_t from;            /* enum stage_from */
	uint8_t times;           /* 0: once */
	uint8_t action;          /* enum wire_action, of the last */
	enum reason reason;      /* the same */
};

#define STAGE_STEPS 16

struct stage_talk {
	const char *name;
	struct stage_step step[STAGE_STEPS];
	/* With so many addresses within a minute that are not too many; 0: any. The kernel's alone.
	 */
	uint32_t reach;
	uint8_t reach_drop;
	uint8_t told;     /* how often there were too many, of `scanner` */
	uint32_t scanner; /* slot */
	uint8_t shadowed; /* and how many packets were let go in shadow */
};

extern const struct stage_talk stage_talks[];
extern const unsigned stage_talk_count;

/* Of a configuration's text; ends the test that can't have it. policy_free() when done. */
struct policy *stage_policy(const char *config_text);

/* The policy that they hold for. */
struct policy *stage_case_policy(void);
extern const char stage_case_text[]; /* its configuration */

/* One under which the addresses of captures are tenants'. */
struct policy *stage_capture_policy(void);

/* What time since 1970 left in a bucket. */
#define CASE_ALIEN UINT64_C(1764000000000000000)

/* The port as the case has it. */
struct gate_port stage_case_port(const struct stage_case *c);
/* Of the queue, at `now`. */
uint64_t stage_case_heartbeat(const struct stage_case *c, uint64_t now);
/* False: nothing is known. */
bool stage_case_verdict(const struct stage_case *c, uint64_t now, struct flow_verdict *verdict);
#define CASE_MEDIA 2
/* The places of media, *first the case's tenant's; false: there are none. */
bool stage_case_media(const struct stage_case *c, const struct stage_packet *p, uint64_t now,
		      struct media places[CASE_MEDIA], uint32_t *first);

#endif
