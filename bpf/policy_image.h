/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * A policy snapshot (bpf/policy.h) without pointers: what control/policy/policy_image.h writes and
 * dataplane/policy/policy_load.h maps, read-only. Host byte order, one machine, one version.
 *
 * `policy` is the snapshot itself; its pointers mean nothing and are zero. What they would point
 * to is in the sections: offsets from the image's start, counts of elements, aligned to 64.
 *
 * Lists of prefixes are control's only: they are left out, but for how many are blocked.
 *
 * Tenants' slots are not the image's: they are in an array that outlives it. What is in it of them
 * (section `slots`) is how the configuration would have them; only a dataplane that was started
 * with an image and without an array takes its own array from there.
 */
#ifndef POSTERN_POLICY_IMAGE_H
#define POSTERN_POLICY_IMAGE_H

#include "bpf/policy.h"

#define POLICY_IMAGE_MAGIC   0x31504e54u /* "TNP1" */
#define POLICY_IMAGE_VERSION 12          /* of struct policy and all that it is made of */
#define POLICY_IMAGE_ALIGN   64

struct policy_span {
	uint64_t offset, count;
};

struct policy_image {
	uint32_t magic, version;
	uint64_t size;     /* bytes, this head included */
	uint64_t checksum; /* XXH3 of what follows `checksum`, for damage, not for malice */
	uint64_t generation;
	uint32_t policy_size, slot_size, node_size, reasons;
	struct policy_span slots;         /* struct tenant_slot: policy.slot_count */
	struct policy_span names;         /* uint32_t, by slot: offsets into `text` */
	struct policy_span tiers;         /* the same, of their tiers */
	struct policy_span tags;          /* and of the fields that their mails must have */
	struct policy_span text;          /* NUL-terminated strings */
	struct policy_span nodes;         /* struct prefix_node: of policy.prefixes, */
	struct policy_span leaves;        /* uint32_t */
	struct policy_span blocked_nodes; /* and of policy.blocked */
	struct policy_span blocked_leaves;
	struct policy_span hashes;    /* uint64_t */
	struct policy_span emergency; /* uint64_t */
	struct policy policy;
};

#endif
