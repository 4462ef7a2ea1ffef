/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of control/kernel/gate_maps.h. */
#ifndef POSTERN_GATE_MAPS_INTERNAL_H
#define POSTERN_GATE_MAPS_INTERNAL_H

#include <bpf/libbpf.h>

#include "control/kernel/gate_blocked.h"
#include "control/kernel/gate_maps.h"
#include "control/kernel/gate_table.h"

struct gate_maps {
	struct bpf_object *object;
	struct gate_view view;
	struct gate_table table;
	struct gate_blocked blocked;
	int flows, counters, per_tenant; /* file descriptors, the object's */
	void *per_cpu;                   /* room for one element of every CPU */
	char error[GATE_ERROR_SIZE];
};

/* Keeps the words; returns err. */
int gate_maps_fail(struct gate_maps *maps, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
