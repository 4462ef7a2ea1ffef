/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the queue of notices (notice.c) and those that send them (notice_wire.c). */
#ifndef POSTERN_CONTROL_NOTICE_INTERNAL_H
#define POSTERN_CONTROL_NOTICE_INTERNAL_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "control/cases/notice.h"

#define NOTICE_BUSY_MAX 4 /* that are sent at a time */

struct event;
struct notice_wire;

struct notice_one {
	TAILQ_ENTRY(notice_one) entry;
	uint64_t id, about, made, next;
	unsigned attempts;
	enum notice_channel channel;
	char *target, *subject, *text;
	bool tenant;
	struct notice_wire *wire; /* it is being sent */
};

TAILQ_HEAD(notice_queue, notice_one);

struct notices {
	struct event_base *base;
	struct store *store;
	struct notice_config config; /* its texts are the caller's */
	void (*done)(void *ctx, const struct notice *notice, const struct notice_outcome *outcome);
	void *ctx;
	struct notice_queue queue;
	uint64_t last; /* the highest id */
	struct notice_counts counts;
	CURLM *multi;
	struct event *timer;
	unsigned busy;
};

/* 0 or -ENOMEM. */
int notice_wire_open(struct notices *notices, struct event_base *base);
void notice_wire_close(struct notices *notices);
int notice_wire_begin(struct notices *notices, struct notice_one *one);

/* An attempt has ended; `code`: of the answer, 0: there was none. The notice may be gone after. */
void notice_attempted(struct notices *notices, struct notice_one *one, bool sent, long code,
		      const char *error, uint64_t now);

#endif
