/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Samples: what a rule must match and what it must leave alone, in files beside
 * the rules (docs/samples.md has the form). This reads them; tools/samples/samples_run.h
 * sends them through a gate. All memory is the arena's of the list. One thread.
 */
#ifndef POSTERN_CONTROL_SAMPLES_H
#define POSTERN_CONTROL_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/rule_buffer.h"
#include "control/rules/rule.h"

enum sample_want { SAMPLE_MATCH, SAMPLE_MISS };

enum sample_item_kind {
	SAMPLE_VALUE, /* of a buffer: put where it belongs in an ordinary mail or SIP message */
	SAMPLE_MAIL,  /* a whole message, in an ordinary envelope */
	SAMPLE_SIP,   /* a whole SIP message of the client */
	SAMPLE_SIP_ANSWER, /* of the server */
	SAMPLE_CLIENT,     /* lines of an SMTP session */
	SAMPLE_SERVER,
};

struct sample_item {
	enum sample_item_kind kind;
	enum rule_buffer buffer; /* SAMPLE_VALUE */
	struct rule_place place;
	char *text; /* escapes undone; lines end in CRLF */
	size_t len, capacity;
	size_t *cuts; /* where a packet ends in it, if the sample says so: offsets, ascending */
	size_t cut_count, cut_capacity;
};

/* One end of the conversation, where the sample names it. */
struct sample_end {
	uint8_t family; /* 4, 6; 0: any address will do */
	uint8_t addr[16];
	uint16_t port; /* 0: the protocol's own, or any */
};

struct sample {
	struct rule_place place;
	uint32_t sid;
	enum sample_want want;
	const char *title; /* "" */
	enum rule_buffer_family family;
	uint8_t over; /* IPPROTO_TCP, IPPROTO_UDP; 0: SIP goes over both */
	struct sample_end client, server;
	const char *tenant, *tier; /* whose traffic it is; NULL: any tenant's */
	uint32_t times;            /* that it happens, between the same ends */
	uint32_t every_ms;         /* from one to the next */
	uint32_t nth;              /* who runs it: which of them, from 0 */
	struct sample_item *items; /* at least one */
	size_t count, capacity;
};

#define SAMPLE_TIMES_MAX 1000
#define SAMPLE_EVERY_MAX 3600000 /* ms */

struct sample_list {
	struct arena arena;
	struct sample *samples; /* as they stand in the files */
	size_t count, capacity;
};

/* A zeroed struct sample_list is an empty one. */
void sample_list_fini(struct sample_list *list);

/*
 * Reads one file's text (`file` is its name for messages, copied). Every mistake goes to `diags`
 * with its place; a sample with one is left out, the others are appended.
 */
void samples_parse(struct sample_list *list, struct rule_diags *diags, const char *file,
		   const char *text, size_t len);

/*
 * The samples of the rules at `path`: of NAME.rules those in NAME.samples beside it, of a directory
 * all its *.samples. None is no mistake. 0 or -errno when something can't be read (said in `diags`
 * too).
 */
int samples_load_path(struct sample_list *list, struct rule_diags *diags, const char *path);

/* How many samples a rule has of each kind, by enum sample_want. */
struct sample_counts {
	size_t of[2];
};

struct sample_counts samples_count(const struct sample_list *list, uint32_t sid);

/*
 * Samples of rules that are not in the list are mistakes; rules without one that matches or without
 * one that must not are warned of, at the rule.
 */
void samples_check(const struct sample_list *list, const struct rule_list *rules,
		   struct rule_diags *diags);

#endif
