/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A bad wire: of the TCP segments with data that an interface receives, over IPv4 or IPv6, some
 * are lost and some come with a wrong byte, which their checksum shows. The distances between them
 * are random, by a seed, and never more than twice the mean: a wire that is to lose one in nine has
 * lost one after seventeen. What XDP can't do, tools/lab.d/wire.py does: reorder (a packet can't be
 * held here; nor by nftables, and netem is not everywhere).
 *
 * Everything else is as before: whoever forwards between two such interfaces sees what is left.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "tests/net/wire.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define TCP            6

const volatile struct wire_options wire_options;

/* One interface's, which has one queue: nobody else is here at the same time. */
struct {
	uint32_t random;
	uint32_t to_lose, to_corrupt; /* segments until the next one */
} wire;

static __always_inline uint32_t be16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

/* Knuth's constants (TAOCP 3.3.4). */
static __always_inline uint32_t random_below(uint32_t n)
{
	if (!wire.random)
		wire.random = wire_options.seed | 1;
	wire.random = wire.random * 1664525 + 1013904223;
	return (wire.random >> 8) % n;
}

/* Whether this is the one; counts down to the next, on average `mean` further on. */
static __always_inline int is_due(uint32_t *left, uint32_t mean)
{
	if (!mean)
		return 0;
	if (!*left)
		*left = 1 + random_below(2 * mean - 1);
	return --*left == 0;
}

/*
 * `size` bytes at p + at, NULL beyond the frame's end. The verifier wants the very pointer checked
 * that is used: the compiler must not see where it comes from.
 */
static __always_inline uint8_t *reach(struct xdp_md *ctx, uint32_t at, uint32_t size)
{
	uint8_t *p = (uint8_t *)(long)ctx->data + at;

	asm volatile("" : "+r"(p));
	return p + size <= (uint8_t *)(long)ctx->data_end ? p : 0;
}

/* Where the data begins, and how much there is: 0 in everything but TCP segments. */
static __always_inline uint32_t data_find(struct xdp_md *ctx, uint32_t *at)
{
	const uint8_t *p = reach(ctx, 0, 14 + 20), *tcp;
	uint32_t l4 = 14, total;

	if (!p)
		return 0;
	if (be16(p + 12) == ETHERTYPE_IPV4 && p[23] == TCP) {
		l4 += (p[14] & 15) * 4;
		total = 14 + be16(p + 16);
	} else if (be16(p + 12) == ETHERTYPE_IPV6 && p[20] == TCP) {
		l4 += 40;
		total = l4 + be16(p + 18);
	} else {
		return 0;
	}
	tcp = reach(ctx, l4, 20);
	if (!tcp)
		return 0;
	*at = l4 + (tcp[12] >> 4) * 4;
	return total > *at ? total - *at : 0;
}

SEC("xdp")
int postern_wire(struct xdp_md *ctx)
{
	uint32_t at = 0;
	uint8_t *data;

	if (!data_find(ctx, &at))
		return XDP_PASS;
	if (is_due(&wire.to_lose, wire_options.lose))
		return XDP_DROP;
	data = reach(ctx, at & 255, 1);
	if (data && is_due(&wire.to_corrupt, wire_options.corrupt))
		*data ^= 0x20;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
