/* SPDX-License-Identifier: BSD-3-Clause */
/* A snapshot goes to another process and back; what was damaged on the way is refused. */
#include "control/policy/policy_image.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "control/policy/policy_build.h"
#include "dataplane/policy/lists.h"
#include "dataplane/policy/policy_load.h"
#include "dataplane/policy/prefix.h"
#include "tests/text_file.h"
#include "tests/unit/test.h"

static const char text[] =
	"tiers: { basic: { messages = \"10/s\"; }; };\n"
	"tenants: (\n"
	"  { id = 7; name = \"acme\"; prefixes = [ \"10.1.0.0/16\", \"2001:db8:1::/48\" ];\n"
	"    tier = \"basic\"; domains = [ \"acme.example\" ]; domain_consent = true;\n"
	"    numbers = [ \"+14155550100\" ]; country = \"US\"; },\n"
	"  { id = 9; name = \"bulk\"; prefixes = [ \"10.1.2.0/24\", \"10.2.0.0/15\" ]; vlan = 12; "
	"},\n"
	"  { id = 4; name = \"last\"; prefixes = [ \"192.0.2.0/25\" ]; state = \"suspended\"; }\n"
	");\n"
	"lists: { blocked = [ \"203.0.113.0/24\" ]; };\n";

static struct policy *built;
static void *image;
static size_t image_size;

static struct policy *build(const uint32_t *slot_of, uint32_t slots)
{
	struct diag diag = {0};
	struct config *config = text_config(text, &diag);
	struct policy *policy;

	diag_print(&diag, stdout);
	assert_non_null(config);
	policy = slot_of ? policy_build_at(config, slot_of, slots, &diag)
			 : policy_build(config, &diag);
	assert_non_null(policy);
	config_free(config);
	diag_fini(&diag);
	return policy;
}

static int setup(void **state)
{
	built = build(NULL, 0);
	return policy_image_build(built, &image, &image_size);
}

static int teardown(void **state)
{
	free(image);
	policy_free(built);
	return 0;
}

static void checksum(void *copy, size_t size)
{
	struct policy_image *i = copy;

	i->checksum = XXH3_64bits(&i->generation, size - offsetof(struct policy_image, generation));
}

static struct policy *load(const void *from, size_t size, struct tenant_slot *slots, uint32_t n)
{
	struct policy *p = NULL;
	char error[256] = "";

	if (policy_load(from, size, slots, n, &p, error, sizeof(error)) != 0)
		assert_string_not_equal(error, "");
	return p;
}

/* Asks everything that workers ask; a sanitizer sees to it that nothing outside is read. */
static void ask(const struct policy *p)
{
	uint64_t state = 1;
	uint8_t addr[16];

	for (unsigned i = 0; i < 200; i++) {
		for (unsigned k = 0; k < sizeof(addr); k++)
			addr[k] = (uint8_t)((state = state * 6364136223846793005u + 1) >> 56);
		if (i % 2)
			memcpy(addr, (uint8_t[]){10, 1, 2}, 3);
		assert_in_range(prefix_lookup(&p->prefixes, i % 3 ? 12 : 0, 4, addr), 0,
				p->slot_count - 1);
		assert_in_range(prefix_lookup(&p->prefixes, 0, 6, addr), 0, p->slot_count - 1);
		if (p->blocked_list.count)
			assert_in_range(prefix_lookup(&p->blocked, 0, 4, addr), 0, 1);
	}
	for (uint32_t slot = 0; slot < p->slot_count; slot++) {
		list_opted_out(p, slot, BYTES("a@b.example"));
		list_may_send_from(p, slot, BYTES("me@acme.example"));
		list_is_emergency(p, slot, BYTES("911"));
		list_owns_number(p, slot, BYTES("14155550100"));
		assert_true(strlen(p->names[slot]) < 1000);
	}
	for (unsigned r = 0; r < REASON_COUNT; r++)
		assert_true(strlen(p->answers[r].smtp) < sizeof(p->answers[r].smtp));
}

static void what_comes_out_is_what_went_in(void **state)
{
	struct tenant_slot slots[4] = {0};
	struct policy *p = load(image, image_size, slots, 4);
	const uint8_t inner[4] = {10, 1, 2, 3}, outer[4] = {10, 1, 3, 3};
	const uint8_t blocked[4] = {203, 0, 113, 9};

	assert_non_null(p);
	assert_int_equal(p->blocked_list.count, 1);
	assert_int_equal(prefix_lookup(&p->blocked, 0, 4, blocked), 1);
	assert_int_equal(prefix_lookup(&p->blocked, 0, 4, inner), 0);
	assert_ptr_equal(p->slots, slots);
	assert_int_equal(p->slot_count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(p->names[i], built->names[i]);
	assert_memory_equal(policy_image_slots(image), built->slots, 4 * sizeof(*slots));
	memcpy(slots, policy_image_slots(image), sizeof(slots));
	assert_int_equal(prefix_lookup(&p->prefixes, 12, 4, inner), 2);
	assert_int_equal(prefix_lookup(&p->prefixes, 0, 4, inner), 1);
	assert_int_equal(prefix_lookup(&p->prefixes, 12, 4, outer), 1);
	assert_true(list_may_send_from(p, 1, BYTES("me@acme.example")));
	assert_false(list_may_send_from(p, 1, BYTES("me@other.example")));
	assert_true(list_owns_number(p, 1, BYTES("14155550100")));
	assert_true(list_is_emergency(p, 1, BYTES("911")));
	assert_memory_equal(&p->budgets, &built->budgets, sizeof(p->budgets));
	assert_memory_equal(&p->timeouts, &built->timeouts, sizeof(p->timeouts));
	assert_memory_equal(p->answers, built->answers, sizeof(p->answers));
	assert_memory_equal(&p->ports, &built->ports, sizeof(p->ports));
	ask(p);
	policy_unload(p);
}

static void an_empty_policy_goes_through_too(void **state)
{
	struct diag diag = {0};
	struct config *config = config_default();
	struct policy *empty = policy_build(config, &diag), *p;
	struct tenant_slot slots[1] = {0};
	void *small;
	size_t size;

	assert_int_equal(policy_image_build(empty, &small, &size), 0);
	p = load(small, size, slots, 1);
	assert_non_null(p);
	ask(p);
	policy_unload(p);
	free(small);
	policy_free(empty);
	config_free(config);
}

static void tenants_keep_the_places_that_they_are_given(void **state)
{
	const uint32_t slot_of[3] = {5, 2, 9};
	struct policy *p = build(slot_of, 12);
	const uint8_t addr[4] = {192, 0, 2, 1}, acme[4] = {10, 1, 0, 1};

	assert_int_equal(p->slot_count, 12);
	assert_int_equal(p->slots[9].id, 4);
	assert_int_equal(p->slots[9].state, TENANT_SUSPENDED);
	assert_int_equal(p->slots[3].id, 0);
	assert_string_equal(p->names[5], "acme");
	assert_string_equal(p->names[3], "");
	assert_int_equal(prefix_lookup(&p->prefixes, 0, 4, addr), 9);
	assert_int_equal(prefix_lookup(&p->prefixes, 0, 4, acme), 5);
	policy_free(p);
}

static void over_another_array_it_is_the_same_snapshot(void **state)
{
	struct tenant_slot slots[4] = {0}, others[8] = {0};
	struct policy *p = load(image, image_size, slots, 4), *q = policy_over(p, others);

	policy_unload(p);
	assert_ptr_equal(q->slots, others);
	assert_string_equal(q->names[1], "acme");
	ask(q);
	policy_unload(q);
}

static void more_tenants_than_slots_are_refused(void **state)
{
	struct tenant_slot slots[3] = {0};
	struct policy *p = NULL;
	char error[256];

	assert_int_equal(policy_load(image, image_size, slots, 3, &p, error, sizeof(error)),
			 -E2BIG);
	assert_null(p);
	assert_non_null(strstr(error, "4 tenant slots"));
}

static void an_image_that_was_cut_is_refused_wherever(void **state)
{
	struct tenant_slot slots[4] = {0};

	for (size_t size = 0; size < image_size;
	     size += size < 512 || size > image_size - 512 ? 1 : 1021) {
		void *copy = aligned_alloc(64, (size + 64) / 64 * 64);

		memcpy(copy, image, size);
		assert_null(load(copy, size, slots, 4));
		free(copy);
	}
}

static void another_version_is_told_from_damage(void **state)
{
	struct tenant_slot slots[4] = {0};
	struct policy_image *copy = aligned_alloc(64, image_size);
	struct policy *p = NULL;
	char error[256];

	memcpy(copy, image, image_size);
	copy->version++;
	assert_int_equal(policy_load(copy, image_size, slots, 4, &p, error, sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, "version"));
	memcpy(copy, image, image_size);
	copy->policy_size -= 8;
	policy_load(copy, image_size, slots, 4, &p, error, sizeof(error));
	assert_non_null(strstr(error, "version"));
	memcpy(copy, image, image_size);
	((uint8_t *)copy)[image_size - 70] ^= 1;
	policy_load(copy, image_size, slots, 4, &p, error, sizeof(error));
	assert_non_null(strstr(error, "damaged"));
	assert_null(p);
	free(copy);
}

/* With a checksum that is right all the same: refused, or good to ask. */
static void change_and_ask(uint8_t *copy, size_t at, const void *bytes, size_t n)
{
	struct tenant_slot slots[4] = {0};
	uint8_t before[8];
	struct policy *p;

	memcpy(before, copy + at, n);
	memcpy(copy + at, bytes, n);
	checksum(copy, image_size);
	p = load(copy, image_size, slots, 4);
	if (p)
		ask(p);
	policy_unload(p);
	memcpy(copy + at, before, n);
}

static void what_contradicts_itself_is_refused_or_harmless(void **state)
{
	static const uint64_t values[] = {0, 1, 0x7fffffff, 0x80000000, UINT64_MAX};
	const struct policy_image *i = image;
	uint8_t *copy = aligned_alloc(64, image_size);
	uint64_t random = 42;
	size_t from;

	memcpy(copy, image, image_size);
	/* Every word of the head, and of what the head points to. */
	for (size_t at = 24; at + 8 <= offsetof(struct policy_image, policy) + 64; at += 4)
		for (unsigned v = 0; v < 5; v++)
			change_and_ask(copy, at, &values[v], 8);
	from = i->nodes.offset;
	for (size_t at = from; at < from + i->nodes.count * sizeof(struct prefix_node); at += 4)
		change_and_ask(copy, at, &values[at / 4 % 5], 4);
	/* And anywhere. */
	for (unsigned n = 0; n < 1500; n++) {
		uint64_t value;
		size_t at;

		random = random * 6364136223846793005u + 1442695040888963407u;
		at = (random >> 20) % (image_size - 8);
		value = random >> 7;
		change_and_ask(copy, at, &value, 1 + n % 8);
	}
	free(copy);
}

static void places_outside_of_the_image_are_refused(void **state)
{
	struct tenant_slot slots[4] = {0};
	struct policy_image *copy = aligned_alloc(64, image_size);
	struct prefix_node *node;

	memcpy(copy, image, image_size);
	copy->leaves.offset = image_size;
	checksum(copy, image_size);
	assert_null(load(copy, image_size, slots, 4));
	memcpy(copy, image, image_size);
	copy->policy.prefixes.roots.root4[12] = copy->policy.prefixes.node_count;
	checksum(copy, image_size);
	assert_null(load(copy, image_size, slots, 4));
	/* A node that leads back to itself would be followed for ever. */
	memcpy(copy, image, image_size);
	node = (struct prefix_node *)((uint8_t *)copy + copy->nodes.offset) +
	       copy->policy.prefixes.roots.root4[0];
	node->children = 1;
	node->child_base = copy->policy.prefixes.roots.root4[0];
	checksum(copy, image_size);
	assert_null(load(copy, image_size, slots, 4));
	/* So would an owner that there is not. */
	memcpy(copy, image, image_size);
	node->leaf_runs = 0;
	node->leaf_base = copy->policy.slot_count;
	checksum(copy, image_size);
	assert_null(load(copy, image_size, slots, 4));
	memcpy(copy, image, image_size);
	copy->policy.on_loss[1] = VERDICT_COUNT;
	checksum(copy, image_size);
	assert_null(load(copy, image_size, slots, 4));
	memcpy(copy, image, image_size);
	memset(copy->policy.answers[REASON_RULE].smtp, 'x', 128);
	checksum(copy, image_size);
	assert_null(load(copy, image_size, slots, 4));
	free(copy);
}

static void a_sealed_memfd_holds_it(void **state)
{
	int fd = image_memfd("test", image, image_size);
	struct stat st;
	void *map;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, image_size);
	assert_int_equal(ftruncate(fd, 0), -1);
	map = mmap(NULL, image_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_memory_equal(map, image, image_size);
	munmap(map, image_size);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_out_is_what_went_in),
		cmocka_unit_test(an_empty_policy_goes_through_too),
		cmocka_unit_test(tenants_keep_the_places_that_they_are_given),
		cmocka_unit_test(over_another_array_it_is_the_same_snapshot),
		cmocka_unit_test(more_tenants_than_slots_are_refused),
		cmocka_unit_test(an_image_that_was_cut_is_refused_wherever),
		cmocka_unit_test(another_version_is_told_from_damage),
		cmocka_unit_test(what_contradicts_itself_is_refused_or_harmless),
		cmocka_unit_test(places_outside_of_the_image_are_refused),
		cmocka_unit_test(a_sealed_memfd_holds_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
