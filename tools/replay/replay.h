/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `postern replay`: the gate with captures for ports. One thread owns all of
 * this; with one worker it is the worker too.
 */
#ifndef POSTERN_TOOLS_REPLAY_H
#define POSTERN_TOOLS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "dataplane/port_capture.h"

enum checksum_choice { CHECKSUMS_AUTO, CHECKSUMS_CHECK, CHECKSUMS_IGNORE };

struct replay_options {
	const char *config; /* NULL: none */
	const char *lists;  /* a state directory; NULL: none */
	const char **rules;
	size_t rule_count;
	const char *json, *events, *write, *evidence; /* NULL: not wanted; "-": standard output */
	const char **files;
	size_t file_count;
	unsigned workers;
	unsigned loops;
	enum checksum_choice checksums;
	bool bench, no_inspect, untouched, digests, quiet;
};

/* Exit status: 0; 1: something could not be read or written; 2: the command line. */
int replay_main(int argc, char **argv);

/* 0, or the exit status that the command line calls for (after saying why). */
int replay_options_parse(struct replay_options *o, int argc, char **argv, bool *done);
void replay_options_fini(struct replay_options *o);

/* Packets of the files in the order of their times, or of a benchmark's loops. */
struct replay_feed {
	/* 1: a packet; 0: the end; -1: a file ended badly (said on stderr), go on. */
	int (*next)(struct replay_feed *feed, struct capture_frame *frame);
	/*
	 * Changes the copy of the packet with this number, once it is in its buffer; they come in
	 * order. NULL: as it is.
	 */
	void (*change)(struct replay_feed *feed, uint64_t number, uint8_t *packet);
	void (*close)(struct replay_feed *feed);
};

struct checksum_survey;

/* Reads all files once: whose checksums are a NIC's work? NULL on no memory. */
struct checksum_survey *checksum_survey_new(struct gate *gate, const char **files, size_t count);
/* Does the packet's sender, by and large, send bad checksums? */
bool checksum_survey_trusts(const struct checksum_survey *s, const struct capture_frame *frame);
void checksum_survey_free(struct checksum_survey *s);

struct replay_feed *feed_files_open(const struct replay_options *o,
				    const struct checksum_survey *survey);
/* All packets in memory; each loop's flows are new. */
struct replay_feed *feed_bench_open(struct gate *gate, const struct replay_options *o,
				    const struct checksum_survey *survey);

/*
 * The gate that the options ask for, with a capture for a wire; DPDK is started with the first. 0,
 * or 1 after saying why. The caller ends both, and DPDK at last with gate_environment_end().
 */
int replay_gate_open(const struct replay_options *o, const struct policy *policy,
		     const struct ruleset *ruleset, struct gate **gatep, struct port_capture *port);

/* Where events and packets that left the gate go. */
struct replay_sinks {
	int (*event)(void *ctx, const struct event_head *e, size_t len);
	void (*packet)(void *ctx, struct rte_mbuf *m); /* takes it; NULL: not wanted */
	void *ctx;
	/* Before the first packet, whose time it is; NULL: nobody cares. */
	void (*begin)(void *ctx, uint64_t time);
	void *begin_ctx;
};

struct replay_stats {
	uint64_t packets, first, last; /* ns since 1970 */
	bool failed;                   /* a file ended badly */
	double wall, cpu;              /* seconds; of all threads */
	uint64_t no_buffer;            /* packets lost for want of buffers: never in a sound run */
};

/* Runs the whole feed through the gate. */
void replay_run(struct gate *gate, struct port_capture *port, struct replay_feed *feed,
		const struct replay_sinks *sinks, struct replay_stats *stats);

#endif
