/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running gate between two ports: postern-dataplane's parts, and who does what.
 *
 * Main thread: options, ports, the channel to control, the clock, what was replaced. Workers: one
 * lcore each, live_worker(). They share what is marked so, and nothing else.
 */
#ifndef POSTERN_LIVE_H
#define POSTERN_LIVE_H

#include <pthread.h>

#include "bpf/gate_view.h"
#include "dataplane/live/control_channel.h"
#include "dataplane/live/live_clock.h"
#include "dataplane/live/live_options.h"
#include "dataplane/live/port_live.h"
#include "dataplane/live/snapshot.h"

struct rte_ring;

/* live_keep.c: the thread that writes what is known of recipients. */
struct live_keep {
	pthread_t thread;
	pthread_mutex_t lock; /* of `stop` */
	pthread_cond_t wake;
	bool runs, stop;
	_Atomic int error; /* of the last time; 0 or -errno */
	int told;          /* the same, as far as the log has it */
};

struct live {
	struct live_options options;
	struct live_clock clock; /* shared */
	struct shm_head *shm;
	int shm_fd;
	struct snapshot snapshot;
	struct gate *gate; /* NULL: not started */
	struct port_live port[PORT_COUNT];
	struct gate_view view; /* mode xdp: the kernel's maps; heartbeats are the workers' */
	struct channel channel;
	struct live_keep keep;
	_Atomic bool stop;  /* shared: workers end */
	bool asked_to_stop; /* by the channel */
	uint64_t started;   /* ns since 1970 */
	/* Several workers: packets for this worker that others received. */
	struct rte_ring *handover[GATE_WORKERS_MAX];
};

/* The memory object: made, formatted, mapped. 0 or -errno. */
int live_shm_open(struct live *l);
void live_shm_close(struct live *l);

/* 0 or -errno with words. */
int live_handover_open(struct live *l, char error[GATE_ERROR]);
void live_handover_close(struct live *l);
int live_ports_open(struct live *l, char error[GATE_ERROR]);
void live_ports_close(struct live *l);

/* A worker's whole life; `live` is a struct live, the lcore's number the worker's + 1. */
int live_worker(void *live);

/* Answers control: for channel_open(). */
struct channel_handler live_handler(struct live *l);

/* One line on standard error, key=value: time, level, event, then what the format says. Main
 * thread only. */
void live_log(const char *level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
