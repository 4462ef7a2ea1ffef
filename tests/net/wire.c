/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes an interface's end of a wire a bad one (wire.bpf.c), until the interface goes.
 *
 *     wire OBJECT INTERFACE LOSE CORRUPT SEED
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/net/wire.h"

static int wire_attach(struct bpf_object *object, const char *interface,
		       const struct wire_options *options)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	struct bpf_program *program = bpf_object__find_program_by_name(object, "postern_wire");
	int rc;

	if (!map || !program)
		return -ENOENT;
	rc = bpf_map__set_initial_value(map, options, sizeof(*options));
	if (!rc)
		rc = bpf_object__load(object);
	/* The driver's, not the generic one, which is later than packet sockets. */
	return rc ? rc
		  : bpf_xdp_attach((int)if_nametoindex(interface), bpf_program__fd(program),
				   XDP_FLAGS_DRV_MODE, NULL);
}

int main(int argc, char **argv)
{
	struct wire_options options;
	struct bpf_object *object;
	int rc;

	if (argc != 6)
		return 2;
	options = (struct wire_options){
		.lose = (uint32_t)strtoul(argv[3], NULL, 10),
		.corrupt = (uint32_t)strtoul(argv[4], NULL, 10),
		.seed = (uint32_t)strtoul(argv[5], NULL, 10),
	};
	object = bpf_object__open(argv[1]);
	rc = object ? wire_attach(object, argv[2], &options) : -errno;
	bpf_object__close(object);
	if (rc)
		fprintf(stderr, "wire: %s: %s\n", argv[2], strerror(-rc));
	return rc ? 1 : 0;
}
