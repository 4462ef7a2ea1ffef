/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A packet that takes its time: it looks at the table of prefixes from before somebody replaces it
 * until a while after, and says whether it saw anything of that.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/maps.h"
#include "tests/bpf/dwell.h"

#define AFTER 100000000  /* ns, since who replaces it has begun: he is done long before */
#define MOST  1000000000 /* ns in all */
#define LOOKS (1 << 18)  /* of one look at the clock */

/* The gate's own, by its pin. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gate_shared);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} postern_gate SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dwell);
} dwell SEC(".maps");

struct seen {
	uint32_t prefixes, root[GATE_HALVES];
	uint64_t until;
};

static uint32_t load(const uint32_t *word)
{
	return *(const volatile uint32_t *)word;
}

static long look(__u32 turn, struct seen *seen)
{
	const __u32 first = 0;
	const struct gate_shared *shared = bpf_map_lookup_elem(&postern_gate, &first);
	struct dwell *d = bpf_map_lookup_elem(&dwell, &first);
	uint64_t now = bpf_ktime_get_ns();

	if (!shared || !d)
		return 1;
	if (load(&shared->prefixes) != seen->prefixes ||
	    load(&shared->prefix_roots[0].root4[0]) != seen->root[0] ||
	    load(&shared->prefix_roots[1].root4[0]) != seen->root[1])
		d->changed = 1;
	if (load(&d->replaced) && seen->until > now + AFTER)
		seen->until = now + AFTER;
	return d->changed || now >= seen->until;
}

static long look_on(__u32 turn, struct seen *seen)
{
	bpf_loop(LOOKS, look, seen, 0);
	return bpf_ktime_get_ns() >= seen->until;
}

SEC("xdp") int dwell_xdp(struct xdp_md *ctx)
{
	const __u32 first = 0;
	const struct gate_shared *shared = bpf_map_lookup_elem(&postern_gate, &first);
	struct dwell *d = bpf_map_lookup_elem(&dwell, &first);
	struct seen seen = {.until = bpf_ktime_get_ns() + MOST};

	if (!shared || !d)
		return XDP_ABORTED;
	seen.prefixes = load(&shared->prefixes);
	seen.root[0] = load(&shared->prefix_roots[0].root4[0]);
	seen.root[1] = load(&shared->prefix_roots[1].root4[0]);
	*(volatile uint32_t *)&d->runs = 1;
	bpf_loop(LOOKS, look_on, &seen, 0);
	*(volatile uint32_t *)&d->ended = 1;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
