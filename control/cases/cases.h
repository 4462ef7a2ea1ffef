/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cases in posternd: what of all that it tells (daemon_event()) a person has to look at, notices
 * of that, the clock of whoever was told, and what follows when it is over. The event loop's
 * thread.
 */
#ifndef POSTERN_CONTROL_CASES_H
#define POSTERN_CONTROL_CASES_H

#include "control/base/log.h"
#include "control/cases/case_book.h"
#include "control/cases/notice.h"
#include "control/daemon/command.h"

#define CASE_ALARMS 32 /* kinds of alarms whose last time is remembered */

struct daemon;

struct cases {
	struct case_book book;
	struct notices *notices; /* NULL: nothing can be sent */
	char secret[256];
	struct {
		const char *event;
		uint32_t slot; /* whose: two tenants' are two */
		uint64_t time; /* ns */
	} alarm[CASE_ALARMS];
	uint64_t opened, overdue;
	bool deaf; /* what is told now is the cases' own doing */
};

/* Where they can't be had, the gate goes on without, and says so in the log. */
void cases_open(struct daemon *daemon);
void cases_close(struct daemon *daemon);

/* Something was told: opens a case, adds to one, sends an alarm, or is nobody's business. */
void cases_hear(struct daemon *daemon, const char *event, enum log_level level, uint32_t slot,
		const json_t *fields);

/* Clocks and notices; about once a second. */
void cases_turn(struct daemon *daemon);

/* The functions of the table. */
enum command_outcome run_case_list(struct request *request, json_t **result);
enum command_outcome run_case_show(struct request *request, json_t **result);
enum command_outcome run_case_open(struct request *request, json_t **result);
enum command_outcome run_case_note(struct request *request, json_t **result);
enum command_outcome run_case_answer(struct request *request, json_t **result);
enum command_outcome run_case_close(struct request *request, json_t **result);

/* Between the two files: a case is in hand, and people are to hear of it. `unit`: stored with it.
 */
void cases_tell(struct daemon *daemon, struct store_unit *unit, struct case_one *one,
		const char *event, const json_t *fields);

#endif
