/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane as a whole: DPDK's environment, memory, workers. Set up and
 * torn down by one thread, before and after the workers run.
 */
#ifndef POSTERN_GATE_H
#define POSTERN_GATE_H

#include "dataplane/match/match.h"
#include "dataplane/worker.h"

#define GATE_WORKERS_MAX 32
#define GATE_ERROR       256

struct gate_config {
	const struct policy *policy;   /* outlives the gate */
	const struct ruleset *ruleset; /* NULL: no rules; outlives the gate */
	unsigned workers;              /* 1: the calling thread is the worker */
	struct worker_options options;
	bool events; /* each worker has a ring */
	/* A live gate's: */
	uint32_t slots;        /* tenants there is room for, slot 0 included; 0: the policy's */
	struct shm_head *shm;  /* where counters and events are; NULL: memory of the gate's own */
	uint32_t port_packets; /* buffers that ports hold, beyond the workers' own */
	bool devices;          /* real devices read and write packets: they must find the memory */
	const uint8_t
		*key; /* SIPHASH_KEY_SIZE bytes nobody else knows; NULL: the same in every run */
};

struct gate {
	unsigned workers;
	uint32_t streams; /* of each streaming buffer that a worker's matcher can have open */
	struct worker *worker[GATE_WORKERS_MAX];
	struct worker *front;      /* several workers: reassembly and stage one before them */
	struct rte_mempool *small; /* packets up to GATE_SMALL bytes */
	struct rte_mempool *large; /* others, and reassembled ones */
	struct calls *calls;
	struct match_memory *memory; /* what rules remember */
	struct mail_watch *watch;    /* what tenants' mail did lately */
	struct peer_table peers;     /* who answered them */
	struct order order;
};

#define GATE_SMALL 2048

/*
 * DPDK without hugepages, devices or files of its own, for any user. lcores: 0 to `workers`, free
 * to run on any CPU. Nothing of it stays in the file system, however the process ends. Once per
 * process. 0 or -errno with words.
 */
int gate_environment(unsigned workers, size_t megabytes, char error[GATE_ERROR]);
void gate_environment_end(void);

/* A live gate's may have more. */
struct environment {
	unsigned workers;
	size_t megabytes;
	const char *cpus;      /* "0,2,3": lcore 0's, 1's and so on; NULL: any */
	bool huge;             /* hugepages, for real devices and speed; else small pages */
	const char *device[2]; /* PCI addresses that are used; NULL: no PCI at all */
};

int gate_environment_start(const struct environment *e, char error[GATE_ERROR]);

/* Megabytes that gate_environment() needs for this configuration; tables have their own. */
size_t gate_memory(const struct gate_config *config);

/* 0 or -errno with words. */
int gate_new(const struct gate_config *config, struct gate **gatep, char error[GATE_ERROR]);
void gate_free(struct gate *gate);

/* A packet's buffer from whichever pool suits; NULL when that is empty. */
struct rte_mbuf *gate_packet(struct gate *gate, uint32_t size);

/* A matcher that this worker will use: gives it the gate's memory, the worker's clock and policy.
 */
void gate_matcher_attach(const struct gate *gate, struct worker *w, struct matcher *m);

/* What an idle SMTP flow costs: flow, session, its share of the index. Bytes. */
size_t gate_flow_bytes(void);

#endif
