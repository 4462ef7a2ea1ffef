/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/kernel/gate_port.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The attached program; -1: none. `mode`: how it was attached, as XDP_FLAGS_*_MODE. */
static int program_open(uint32_t ifindex, int *fd, uint32_t *id, uint32_t *mode)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	char name[IF_NAMESIZE];
	int err;

	*fd = -1;
	/* The kernel has no answer for what isn't there, and libbpf takes that for "none". */
	if (!if_indextoname(ifindex, name))
		return -ENODEV;
	err = bpf_xdp_query((int)ifindex, 0, &query);
	if (err < 0)
		return err;
	*id = query.prog_id;
	*mode = query.attach_mode == XDP_ATTACHED_SKB   ? XDP_FLAGS_SKB_MODE
		: query.attach_mode == XDP_ATTACHED_DRV ? XDP_FLAGS_DRV_MODE
							: 0;
	if (!query.prog_id)
		return 0;
	*fd = bpf_prog_get_fd_by_id(query.prog_id);
	return *fd < 0 ? -errno : 0;
}

static int program_whose(int fd)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (fd < 0)
		return GATE_NOTHING;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	return strcmp(info.name, GATE_PROGRAM) == 0 ? GATE_OURS : GATE_OTHERS;
}

int gate_port_attached(uint32_t ifindex, uint32_t *id)
{
	uint32_t found = 0, mode;
	int fd, rc = program_open(ifindex, &fd, &found, &mode);

	if (rc < 0)
		return rc;
	rc = program_whose(fd);
	if (fd >= 0)
		close(fd);
	if (id)
		*id = found;
	return rc;
}

/* Where nobody changed it meanwhile. */
static int replace(uint32_t ifindex, int old, int new, uint32_t mode)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = old);

	return bpf_xdp_attach((int)ifindex, new, mode | XDP_FLAGS_REPLACE, &options);
}

int gate_port_attach(struct gate_maps *maps, uint32_t ifindex)
{
	uint32_t id, mode;
	int old, rc = program_open(ifindex, &old, &id, &mode);

	if (rc < 0)
		return rc;
	rc = program_whose(old);
	if (rc == GATE_OURS)
		rc = replace(ifindex, old, gate_maps_program(maps), mode);
	else if (rc == GATE_NOTHING)
		rc = bpf_xdp_attach((int)ifindex, gate_maps_program(maps),
				    XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	else if (rc == GATE_OTHERS)
		rc = -EBUSY;
	if (old >= 0)
		close(old);
	return rc;
}

int gate_port_first(struct gate_maps *maps, uint32_t ifindex)
{
	const int program = gate_maps_program(maps);
	char now[64], next[64];
	uint32_t there = 0;
	int rc = bpf_xdp_query_id((int)ifindex, 0, &there);

	if (rc < 0 || there)
		return rc;
	snprintf(now, sizeof(now), GATE_PROGRAM_PIN, (int)ifindex);
	snprintf(next, sizeof(next), GATE_PROGRAM_PIN_NEXT, (int)ifindex);
	unlink(next);
	bpf_obj_pin(program, next);
	rc = bpf_xdp_attach((int)ifindex, program, XDP_FLAGS_UPDATE_IF_NOEXIST, NULL);
	if (rc == 0)
		rename(next, now);
	else
		unlink(next);
	return rc == -EBUSY || rc == -EEXIST ? 0 : rc;
}

int gate_port_detach(uint32_t ifindex)
{
	uint32_t id, mode;
	int old, rc = program_open(ifindex, &old, &id, &mode);

	if (rc < 0)
		return rc;
	rc = program_whose(old);
	if (rc == GATE_OURS)
		rc = replace(ifindex, old, -1, mode);
	else if (rc == GATE_OTHERS)
		rc = -EBUSY;
	if (old >= 0)
		close(old);
	return rc;
}
