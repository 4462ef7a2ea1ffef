/* SPDX-License-Identifier: BSD-3-Clause */
/* What the program has counted: by CPU in the maps, summed here. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/kernel/gate_maps_internal.h"

/* Counters are nothing but words. Returns where the next element's begin. */
static const uint64_t *sum_cpus(const uint64_t *from, uint64_t *into, size_t size)
{
	int cpus = libbpf_num_possible_cpus();

	memset(into, 0, size);
	for (int cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < size / sizeof(*into); i++)
			into[i] += *from++;
	return from;
}

static int sum(struct gate_maps *maps, int fd, uint32_t key, uint64_t *into, size_t size)
{
	memset(into, 0, size);
	if (bpf_map_lookup_elem(fd, &key, maps->per_cpu) < 0)
		return -errno;
	sum_cpus(maps->per_cpu, into, size);
	return 0;
}

int gate_maps_port_counters(struct gate_maps *maps, uint32_t place,
			    struct gate_port_counters *counters)
{
	return sum(maps, maps->counters, place, (uint64_t *)counters, sizeof(*counters));
}

int gate_maps_tenant_counters(struct gate_maps *maps, uint32_t slot,
			      struct gate_tenant_counters *counters)
{
	return sum(maps, maps->per_tenant, slot, (uint64_t *)counters, sizeof(*counters));
}

/* The kernel wants room for every CPU of each. */
#define TENANTS_AT_ONCE 64U

int gate_maps_tenants_counters(struct gate_maps *maps, uint32_t count,
			       struct gate_tenant_counters *counters)
{
	const size_t size = sizeof(*counters) * (size_t)libbpf_num_possible_cpus();
	uint64_t *values = malloc(size * TENANTS_AT_ONCE);
	uint32_t keys[TENANTS_AT_ONCE], at, done = 0;
	int rc = values ? 0 : -ENOMEM;

	while (!rc && done < count) {
		uint32_t n = count - done < TENANTS_AT_ONCE ? count - done : TENANTS_AT_ONCE;
		const uint64_t *from = values;

		if (bpf_map_lookup_batch(maps->per_tenant, done ? &at : NULL, &at, keys, values, &n,
					 NULL) < 0 &&
		    errno != ENOENT)
			rc = -errno;
		else if (!n)
			rc = -EIO;
		for (uint32_t i = 0; !rc && i < n; i++)
			from = sum_cpus(from, (uint64_t *)&counters[done++], sizeof(*counters));
	}
	free(values);
	return rc;
}

int gate_maps_tenant_forget(struct gate_maps *maps, uint32_t slot)
{
	const size_t size = sizeof(struct gate_tenant_counters) *
			    (size_t)libbpf_num_possible_cpus();

	memset(&maps->view.reach[slot], 0, sizeof(maps->view.reach[slot]));
	memset(maps->per_cpu, 0, size);
	return bpf_map_update_elem(maps->per_tenant, &slot, maps->per_cpu, BPF_ANY) < 0 ? -errno
											: 0;
}
