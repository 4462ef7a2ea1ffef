/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program outlives the dataplane: without it the wire between the ports is dark, with it
 * the failure policy holds. DPDK's AF_XDP driver knows nothing of that: it attaches its copy only
 * where there is none, and detaches it when the port is closed. The linker gives its two calls
 * to the functions below (--wrap): a program of ours that is there already, whoever put it
 * there, is replaced at once without a moment between, and the last one stays.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/maps.h"

int __real_bpf_xdp_attach(int ifindex, int program, __u32 flags,
			  const struct bpf_xdp_attach_opts *opts);
int __wrap_bpf_xdp_attach(int ifindex, int program, __u32 flags,
			  const struct bpf_xdp_attach_opts *opts);
int __wrap_bpf_xdp_detach(int ifindex, __u32 flags, const struct bpf_xdp_attach_opts *opts);

struct pins {
	char now[64], next[64];
};

static struct pins pins_of(int ifindex)
{
	struct pins pins;

	snprintf(pins.now, sizeof(pins.now), GATE_PROGRAM_PIN, ifindex);
	snprintf(pins.next, sizeof(pins.next), GATE_PROGRAM_PIN_NEXT, ifindex);
	return pins;
}

/* Takes the descriptor. */
static bool is_program(int fd, __u32 id, const char *name)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	bool is;

	if (fd < 0)
		return false;
	is = bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.id == id &&
	     strncmp(info.name, name, sizeof(info.name)) == 0;
	close(fd);
	return is;
}

/*
 * It is pinned, or bears the gate's name (which only CAP_SYS_ADMIN may look at). Afterwards its pin
 * is not the next one's.
 */
static bool is_ours(const struct pins *pins, __u32 id)
{
	if (is_program(bpf_obj_get(pins->now), id, GATE_PROGRAM))
		return true;
	if (is_program(bpf_obj_get(pins->next), id, GATE_PROGRAM)) {
		rename(pins->next, pins->now);
		return true;
	}
	return is_program(bpf_prog_get_fd_by_id(id), id, GATE_PROGRAM);
}

int __wrap_bpf_xdp_attach(int ifindex, int program, __u32 flags,
			  const struct bpf_xdp_attach_opts *opts)
{
	const struct pins pins = pins_of(ifindex);
	__u32 there = 0;
	int rc;

	if (bpf_xdp_query_id(ifindex, 0, &there) == 0 && there && is_ours(&pins, there))
		flags &= ~(__u32)XDP_FLAGS_UPDATE_IF_NOEXIST;
	/* Without a pin it works as well, but who comes next needs CAP_SYS_ADMIN. */
	unlink(pins.next);
	bpf_obj_pin(program, pins.next);
	rc = __real_bpf_xdp_attach(ifindex, program, flags, opts);
	if (rc == 0)
		rename(pins.next, pins.now);
	else
		unlink(pins.next);
	return rc;
}

int __wrap_bpf_xdp_detach(int ifindex, __u32 flags, const struct bpf_xdp_attach_opts *opts)
{
	return 0;
}
