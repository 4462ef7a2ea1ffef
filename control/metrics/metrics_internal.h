/* SPDX-License-Identifier: BSD-3-Clause */
/* How samples are written: part of control/metrics/metrics.c. */
#ifndef POSTERN_CONTROL_METRICS_INTERNAL_H
#define POSTERN_CONTROL_METRICS_INTERNAL_H

#include "control/daemon/daemon.h"
#include "control/metrics/metrics.h"

struct metrics_view {
	struct daemon *daemon;
	const struct shm_head *memory;         /* NULL: no dataplane */
	const struct counters *total;          /* zeroes without one */
	uint32_t last_tenant;                  /* the highest id that has series of its own */
	struct gate_port_counters *sides;      /* KERNEL_SIDES of them; NULL: mode dpdk */
	struct gate_tenant_counters *of_slots; /* by the roster's slots; NULL: the same */
	const char *name;                      /* of the metric in hand */
	struct evbuffer *out;
	int failed;
};

/* A format of nothing, which the compiler would warn about. */
#define NO_LABELS "%s", ""

/* `labels`: NO_LABELS or "kind=\"%s\"" and so on; values of others' making go through
 * sample_label(). */
void sample(struct metrics_view *v, double value, const char *labels, ...)
	__attribute__((format(printf, 3, 4)));
void sample_count(struct metrics_view *v, uint64_t value, const char *labels, ...)
	__attribute__((format(printf, 3, 4)));

/* The lowest ids have series of their own, whatever their slots. */
uint32_t metrics_last_tenant(const struct daemon *daemon);

/* A label's value with what must be escaped; good until the next call. */
const char *sample_label(const char *value);

/* Reads the kernel's counters, for metric_kernel_*(), where it has any; and forgets them. */
void metrics_kernel_read(struct metrics_view *v);
void metrics_kernel_free(struct metrics_view *v);
/* Tenants' bytes under TLS that the kernel passes by itself: of metric_tenant_wire(). */
void metrics_kernel_tls(struct metrics_view *v);

#define X(id, name, type, labels, help) void metric_##id(struct metrics_view *v);
METRICS(X)
#undef X

#endif
