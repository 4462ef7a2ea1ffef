/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The policy snapshot: everything that the configuration says, in the shape
 * that workers read it. control/policy/policy_build.h makes it, the dataplane reads
 * it, any number of threads at once: nothing in it changes once it is built,
 * but for `slots`, whose buckets and states are shared on purpose.
 *
 * Times are ns, sizes bytes, ports host order. Addresses are as on the wire.
 */
#ifndef POSTERN_POLICY_H
#define POSTERN_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/hashset.h"
#include "bpf/prefix_table.h"
#include "bpf/reason.h"
#include "bpf/tenant.h"

struct prefix {
	uint8_t addr[16]; /* network order, IPv4 in the first four; bits past `length` are 0 */
	uint8_t length;   /* bits */
	uint8_t family;   /* 4 or 6 */
	uint16_t vlan;    /* 0: any */
	uint32_t slot;    /* of the owner, > 0 */
	uint32_t origin;  /* the maker's, to say where it comes from */
};

/* What a table was made of, for control: by prefix_compare(), no two the same. */
struct prefix_list {
	struct prefix *items;
	size_t count;
};

struct list_sets;

/* What a port is expected to carry. TLS is recognised by its first bytes on any of them. */
enum port_app {
	APP_NONE,
	APP_SMTP,
	APP_SMTPS, /* TLS from the first byte */
	APP_SIP,
	APP_SIPS, /* usually TLS; read as SIP where it is in the clear */
};

struct policy_ports {
	uint8_t tcp[65536]; /* enum port_app */
	uint8_t udp[65536];
};

/* Emergency numbers: up to eight digits, as ASCII, first in the low byte, zero-padded. */
#define EMERGENCY_COUNTRIES (26 * 26)

struct policy_emergency {
	uint64_t *numbers; /* by country, ascending within each */
	struct {
		uint16_t first, count;
	} country[EMERGENCY_COUNTRIES + 1]; /* the last: countries not listed */
};

struct policy_timeouts {
	uint64_t tcp_syn;         /* not yet established */
	uint64_t tcp_established; /* idle */
	uint64_t tcp_closing;     /* FIN or RST seen */
	uint64_t udp;             /* idle */
	uint64_t sip_transaction; /* remembered after its final response */
	uint64_t call;            /* without any message of its dialog */
	uint64_t fragment;        /* the rest of a fragmented packet */
	uint64_t emergency_media; /* an emergency call of which nothing comes */
};

/* Each worker's. A tenant may hold at most its share (in percent) of a table. */
struct policy_budgets {
	uint32_t flows;
	uint32_t flows_share;
	uint32_t sessions; /* flows that carry a parser's state */
	uint32_t sessions_share;
	uint32_t messages; /* mails in flight: MIME and matcher state */
	uint32_t messages_share;
	uint32_t calls; /* calls and SIP transactions remembered */
	uint32_t calls_share;
	uint32_t fragments;        /* unfinished fragmented packets */
	uint32_t reorder_segments; /* beyond a gap, per direction of a flow */
	uint64_t reorder_bytes;    /* the same */
	/* Of all workers together: */
	uint32_t recipient_counts; /* cells of a row of counts of mails by recipient */
	uint32_t known_recipients; /* cells of a row of what is known of recipients */
	uint32_t suppressed;       /* recipients that bounced */
	uint32_t emergency_media;  /* media of emergency calls */
	uint32_t emergency_media_share;
};

/* How calls without any final response enter the answer-seizure ratio. */
enum asr_mode {
	ASR_WITH_PROGRESS, /* count as seized if a 1xx was seen (POLICY.md's reading) */
	ASR_FINAL_ONLY,    /* never count */
	ASR_ALL,           /* always count */
};

/* What a tenant's mail may do in a while. Windows are ns; counts of 0: it isn't looked at. */
struct policy_mail {
	uint32_t mailbomb;                         /* mails to one recipient */
	uint32_t harvest, harvest_share;           /* recipients that are tried out, and percent */
	uint32_t new_recipients, recipients_share; /* recipients never seen, and percent */
	uint32_t recipients_days;                  /* that one is known */
	uint32_t relay_hosts;                      /* servers that relay nothing */
	uint64_t mailbomb_window, same_body_window, harvest_window, recipients_window, relay_window;
	uint64_t recipients_learn; /* from the start: nobody is new yet */
	uint64_t suppress;         /* that a recipient that bounced is refused; 0: it isn't */
};

/* Of calls, beside what limits say; 0: not looked at. */
struct policy_calls {
	uint32_t destinations;  /* different ones within a minute that are probing */
	uint32_t auth_failures; /* log-ins that fail within ten minutes */
	bool learn_unwanted;    /* who answers 607 is called by the tenant no more */
};

/* What the client is told. Only reasons of policy have one. */
struct policy_answer {
	char smtp[128];       /* "550 5.7.1 Text", no CRLF; "" if the reason has no SMTP side */
	uint16_t sip_code;    /* 0 if the reason has no SIP side */
	uint16_t retry_after; /* seconds, for a 503; 0: no such header */
	char sip_phrase[44];
};

/* Words of the configuration's, each with a NUL behind it, in lower case; an empty one ends them.
 */
#define POLICY_WORDS 1024

struct policy_words {
	char text[POLICY_WORDS];
};

struct policy {
	uint64_t generation;
	struct tenant_slot *slots; /* slot 0: no tenant; written to by workers and control */
	uint32_t slot_count;
	const char *const *names; /* by slot, for events and rules; names[0] is "" */
	const char *const *tiers; /* the same: tenants' tiers, "": none */
	/* The same: the field that each mail must have: "Name", "Name: value", "Name: begin*"; "":
	 * none */
	const char *const *tags;
	struct prefix_table prefixes;
	struct prefix_list prefix_list;
	struct prefix_table
		blocked; /* destinations that no tenant may reach, in any VLAN; slot 1 */
	struct prefix_list blocked_list;
	struct hashset lists;
	uint64_t list_entries; /* as the files and settings have them: other than lists.count */
	const struct list_sets *sets; /* those of millions (bpf/list_set.h); NULL: none */
	struct policy_emergency emergency;
	struct policy_timeouts timeouts;
	struct policy_budgets budgets;
	/* What becomes of what a parser can't follow: enum verdict, by the reason it gave. */
	uint8_t on_loss[REASON_COUNT];
	/* What becomes of what a check found (bpf/check.h): the same, by its reason. */
	uint8_t actions[REASON_COUNT];
	uint64_t short_call; /* ns: an answered call no longer than this is short */
	enum asr_mode asr_mode;
	struct policy_mail mail;
	bool keep_headers;                  /* of mails that are refused, for control */
	bool tell_domains;                  /* those of senders, to control, which looks them up */
	bool flow_verdicts;                 /* the kernel is told what need not be read */
	struct policy_words marks;          /* the provider's, UTF-8 */
	struct policy_words provider_hosts; /* names; ".example.com": all below it */
	struct policy_words reserved_domains; /* that nobody can have, each with what is below it */
	bool shadow;                          /* every refusal is counted and none is made */
	struct policy_calls calls;
	struct policy_answer answers[REASON_COUNT];
	struct policy_ports ports;
	/* By VLAN: the slot of the one tenant that has it; 0: none, or several. */
	uint32_t vlan_owner[PREFIX_VLANS];
};

#endif
