/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines of Postfix's log: what became of each recipient, with the Message-ID, sender and client
 * that earlier lines have of the same queue file. A provider's own logs tell what TLS hides from
 * the gate.
 *
 * Lines are those of syslog ("Nov 26 02:34:13 host postfix/smtp[7]: …", with or without a
 * fraction), of RFC 5424 and of RFC 3339 times, as journalctl, rsyslog and postlogd write them.
 * Instances (postfix-out/smtp) and hosts have queues of their own.
 *
 * Bounded: 65,536 queue files are remembered (40 MiB when all are in use); of a few that share a
 * place, the one that was longest untouched makes room. One thread a reader.
 */
#ifndef POSTERN_CONTROL_FEEDBACK_LOG_H
#define POSTERN_CONTROL_FEEDBACK_LOG_H

#include "control/feedback/feedback.h"

#define FEEDBACK_LINE_MAX 16384 /* bytes of a line that are read */

struct feedback_log_stats {
	uint64_t lines, deliveries; /* deliveries: lines that became items */
	uint64_t inner;             /* deliveries to a filter or a mailbox of this host: no items */
	uint64_t own;               /* mail without a sender: the server's own reports */
	uint64_t foreign;           /* lines that are not Postfix's */
};

struct feedback_log;

/* `now`: s since 1970; syslog's times have no year, it is the latest that makes them no future. */
struct feedback_log *feedback_log_new(int64_t now);
void feedback_log_free(struct feedback_log *log);

/* A line without its end. */
void feedback_log_line(struct feedback_log *log, struct bytes line,
		       const struct feedback_sink *sink);
struct feedback_log_stats feedback_log_stats(const struct feedback_log *log);

#endif
