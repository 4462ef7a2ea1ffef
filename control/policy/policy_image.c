/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/policy/policy_image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

/*
 * Whatever struct policy points to needs a section and a check (dataplane/policy/policy_load.c), or
 * the dataplane would follow a pointer of another process. Who changes it looks here, and then at
 * this.
 */
static_assert(offsetof(struct policy, on_loss) == 68584,
	      "a member of struct policy was added: does the image hold what it points to?");

static struct policy_span place(uint64_t *at, uint64_t count, uint64_t size)
{
	struct policy_span span = {.offset = *at, .count = count};

	*at += (count * size + POLICY_IMAGE_ALIGN - 1) / POLICY_IMAGE_ALIGN * POLICY_IMAGE_ALIGN;
	return span;
}

static uint32_t emergency_count(const struct policy_emergency *e)
{
	uint32_t count = 0;

	for (unsigned i = 0; i <= EMERGENCY_COUNTRIES; i++)
		if ((uint32_t)e->country[i].first + e->country[i].count > count)
			count = (uint32_t)e->country[i].first + e->country[i].count;
	return count;
}

static uint64_t text_size(const struct policy *policy)
{
	uint64_t size = 0;

	for (uint32_t i = 0; i < policy->slot_count; i++)
		size += strlen(policy->names[i]) + 1 + strlen(policy->tiers[i]) + 1 +
			strlen(policy->tags[i]) + 1;
	return size;
}

static struct policy_image head_of(const struct policy *policy)
{
	struct policy_image head = {
		.magic = POLICY_IMAGE_MAGIC,
		.version = POLICY_IMAGE_VERSION,
		.generation = policy->generation,
		.policy_size = sizeof(struct policy),
		.slot_size = sizeof(struct tenant_slot),
		.node_size = sizeof(struct prefix_node),
		.reasons = REASON_COUNT,
	};
	uint64_t at = 0;

	place(&at, 1, sizeof(head));
	head.slots = place(&at, policy->slot_count, sizeof(struct tenant_slot));
	head.names = place(&at, policy->slot_count, sizeof(uint32_t));
	head.tiers = place(&at, policy->slot_count, sizeof(uint32_t));
	head.tags = place(&at, policy->slot_count, sizeof(uint32_t));
	head.text = place(&at, text_size(policy), 1);
	head.nodes = place(&at, policy->prefixes.node_count, sizeof(struct prefix_node));
	head.leaves = place(&at, policy->prefixes.leaf_count, sizeof(uint32_t));
	head.blocked_nodes = place(&at, policy->blocked.node_count, sizeof(struct prefix_node));
	head.blocked_leaves = place(&at, policy->blocked.leaf_count, sizeof(uint32_t));
	head.hashes = place(&at, policy->lists.length, sizeof(uint64_t));
	head.emergency = place(&at, emergency_count(&policy->emergency), sizeof(uint64_t));
	head.size = at;
	return head;
}

static void put(uint8_t *image, struct policy_span span, const void *from, size_t size)
{
	if (span.count)
		memcpy(image + span.offset, from, span.count * size);
}

/* `at`: where in the text they begin; returns where they end. */
static uint32_t put_names(uint8_t *image, struct policy_span span, uint8_t *text, uint32_t at,
			  const char *const *names)
{
	for (uint64_t i = 0; i < span.count; i++) {
		size_t size = strlen(names[i]) + 1;

		memcpy(image + span.offset + i * sizeof(at), &at, sizeof(at));
		memcpy(text + at, names[i], size);
		at += (uint32_t)size;
	}
	return at;
}

/* The snapshot itself, without what means nothing elsewhere. */
static void put_policy(struct policy_image *to, const struct policy *policy)
{
	memcpy(&to->policy, policy, sizeof(*policy));
	to->policy.slots = NULL;
	to->policy.names = to->policy.tiers = to->policy.tags = NULL;
	to->policy.prefixes.nodes = NULL;
	to->policy.prefixes.leaves = NULL;
	to->policy.prefix_list = (struct prefix_list){0};
	to->policy.blocked.nodes = NULL;
	to->policy.blocked.leaves = NULL;
	to->policy.blocked_list.items = NULL;
	to->policy.lists.hashes = NULL;
	to->policy.sets = NULL;
	to->policy.emergency.numbers = NULL;
}

int policy_image_build(const struct policy *policy, void **imagep, size_t *sizep)
{
	struct policy_image head = head_of(policy);
	uint8_t *image = aligned_alloc(POLICY_IMAGE_ALIGN, head.size);
	struct policy_image *to = (void *)image;
	uint32_t text;

	if (!image)
		return -ENOMEM;
	memset(image, 0, head.size);
	memcpy(to, &head, offsetof(struct policy_image, policy));
	put_policy(to, policy);
	put(image, head.slots, policy->slots, sizeof(struct tenant_slot));
	text = put_names(image, head.names, image + head.text.offset, 0, policy->names);
	text = put_names(image, head.tiers, image + head.text.offset, text, policy->tiers);
	put_names(image, head.tags, image + head.text.offset, text, policy->tags);
	put(image, head.nodes, policy->prefixes.nodes, sizeof(struct prefix_node));
	put(image, head.leaves, policy->prefixes.leaves, sizeof(uint32_t));
	put(image, head.blocked_nodes, policy->blocked.nodes, sizeof(struct prefix_node));
	put(image, head.blocked_leaves, policy->blocked.leaves, sizeof(uint32_t));
	put(image, head.hashes, policy->lists.hashes, sizeof(uint64_t));
	put(image, head.emergency, policy->emergency.numbers, sizeof(uint64_t));
	to->checksum =
		XXH3_64bits(&to->generation, head.size - offsetof(struct policy_image, generation));
	*imagep = image;
	*sizep = head.size;
	return 0;
}

static int write_all(int fd, const uint8_t *from, size_t size)
{
	while (size) {
		ssize_t n = write(fd, from, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		from += n;
		size -= (size_t)n;
	}
	return 0;
}

int image_memfd(const char *name, const void *image, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, image, size);
	if (!err &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}
