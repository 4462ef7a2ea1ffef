/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-3-Clause) */
/*
 * The channel from control to the dataplane: a SOCK_SEQPACKET unix socket on which
 * postern-dataplane listens. One request, one reply, in turn; each is one packet of the
 * fixed size below, a request's file descriptor in its ancillary data (SCM_RIGHTS), at most one.
 * Peers are of the dataplane's user, or root (SO_PEERCRED); one at a time: while there is one,
 * the next is told -EBUSY and closed. When the client goes away nothing changes: the dataplane
 * enforces what it has, and waits for the next.
 *
 * A reply with `error` 0 to POLICY, RULESET, SLOTS and LISTS comes when every worker uses what was
 * sent; with another, nothing has changed and `words` say why. -ETIMEDOUT is the exception: a
 * worker hangs, and what the others do is unknown until STATUS says it.
 */
#ifndef POSTERN_CHANNEL_H
#define POSTERN_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#define CHANNEL_MAGIC   0x31435450u /* "PTC1" */
#define CHANNEL_VERSION 2
#define CHANNEL_WORDS   256

enum channel_type {
	/* Answered with struct channel_status and, as file descriptor, the object of bpf/shm.h. */
	CHANNEL_HELLO = 1,
	/* fd, size, generation: an image of bpf/policy_image.h. Its slots' count must not be
	 * beyond the array's. */
	CHANNEL_POLICY,
	/* fd, size, generation: an image of bpf/ruleset.h; no fd and size 0: no rules. */
	CHANNEL_RULESET,
	/* fd, size in bytes, count: the tenants' array of struct tenant_slot: a memfd, or a
	 * BPF_F_MMAPABLE array's fd. Mapped read and write, and kept. */
	CHANNEL_SLOTS,
	CHANNEL_STATUS, /* answered with struct channel_status */
	CHANNEL_STOP,   /* answered, then the dataplane ends as it does by SIGTERM */
	/* Answered with the descriptor that the last SLOTS brought, for a client that starts
	 * again; without any if there was none. */
	CHANNEL_ARRAY,
	/* fd, size, key, generation (list_sets.settled), count 0: the base of bpf/list_set.h; 1:
	 * the delta; no fd and size 0: there is none. A base comes before its delta. Copied: a
	 * worker never waits for a disk. */
	CHANNEL_LISTS,
};

struct channel_request {
	uint32_t magic;
	uint16_t version;
	uint16_t type; /* enum channel_type */
	uint64_t id;   /* comes back in the reply */
	uint64_t size; /* of what is behind the fd */
	uint64_t generation;
	uint32_t count;
	uint32_t slot_size; /* SLOTS: sizeof(struct tenant_slot) */
	uint64_t key[2];    /* LISTS: that of their hashes */
};

struct channel_status {
	uint32_t shm_abi;
	uint32_t tenant_abi;
	uint32_t policy_version; /* POLICY_IMAGE_VERSION */
	uint32_t ruleset_version;
	uint32_t pid;
	uint32_t workers;
	uint32_t slots; /* tenant slots there is room for, slot 0 included */
	uint32_t xdp;   /* 1: stage one runs in the kernel */
	uint64_t shm_size;
	uint64_t started; /* ns since 1970 */
	uint64_t policy_generation;
	uint64_t ruleset_generation; /* 0: none */
	uint64_t list_entries;       /* of the base and the delta over it */
	uint32_t own_slots;          /* 1: no SLOTS came: the array is the dataplane's own */
	uint32_t old_rulesets;       /* still in use by sessions that began with them */
};

struct channel_reply {
	uint32_t magic;
	uint16_t version;
	uint16_t type; /* of the request */
	uint64_t id;
	int32_t error; /* 0 or -errno */
	uint32_t pad;
	struct channel_status status; /* always filled */
	char words[CHANNEL_WORDS];    /* why not; "" */
};

/*
 * Sends one packet of the channel, and with it a descriptor (-1: none), which stays the caller's.
 * `flags`: of sendmsg(); a peer that is gone is no signal. 0 or -errno.
 */
int channel_packet_send(int to, const void *packet, size_t size, int fd, int flags);

#endif
