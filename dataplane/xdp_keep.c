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
#include <string.h>
#include <unistd.h>

#include "bpf/maps.h"

int __real_bpf_xdp_attach(int ifindex, int program, __u32 flags,
			  const struct bpf_xdp_attach_opts *opts);
int __wrap_bpf_xdp_attach(int ifindex, int program, __u32 flags,
			  const struct bpf_xdp_attach_opts *opts);
int __wrap_bpf_xdp_detach(int ifindex, __u32 flags, const struct bpf_xdp_attach_opts *opts);

/* Its name is what it is known by: copies that others loaded have ids of their own. */
static bool is_ours(__u32 id)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool ours;

	if (fd < 0)
		return false;
	ours = bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
	       strncmp(info.name, GATE_PROGRAM, sizeof(info.name)) == 0;
	close(fd);
	return ours;
}

int __wrap_bpf_xdp_attach(int ifindex, int program, __u32 flags,
			  const struct bpf_xdp_attach_opts *opts)
{
	__u32 there = 0;

	if (bpf_xdp_query_id(ifindex, 0, &there) == 0 && there && is_ours(there))
		flags &= ~(__u32)XDP_FLAGS_UPDATE_IF_NOEXIST;
	return __real_bpf_xdp_attach(ifindex, program, flags, opts);
}

int __wrap_bpf_xdp_detach(int ifindex, __u32 flags, const struct bpf_xdp_attach_opts *opts)
{
	return 0;
}
