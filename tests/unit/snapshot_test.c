/* SPDX-License-Identifier: BSD-3-Clause */
/* Policy and rules are replaced under a worker: what began with one ends with it. */
#include "dataplane/live/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/channel.h"
#include "control/lists/list_build.h"
#include "control/lists/list_kind.h"
#include "control/policy/policy_image.h"
#include "control/rules/rule_tally.h"
#include "dataplane/policy/lists.h"
#include "dataplane/tcp/tcp.h"
#include "tests/gate_fixture.h"
#include "tests/rules_fixture.h"
#include "tests/unit/test.h"

#define RULE(sid, options) \
	"alert smtp any any -> any any (msg:\"" #sid "\"; " options " sid:" #sid "; rev:1;)\n"

static const char config[] =
	"tenants: ( { id = 7; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; } "
	");\n"
	"policy: { actions: { header_missing = \"pass\"; }; };\n";

static struct gate_fixture g;
static struct snapshot s;
static struct shm_head *shm;
static size_t shm_bytes;
static char error[CHANNEL_WORDS];
static uint32_t at[2];
static uint64_t *hits, *own_hits; /* of the worker, by place; the fixture's */

static struct image copy_of(const void *data, size_t size)
{
	struct image image = {.data = aligned_alloc(64, (size + 63) / 64 * 64), .size = size};

	memcpy((void *)(uintptr_t)image.data, data, size);
	return image;
}

static struct image policy_image(void)
{
	struct image image;
	void *data;
	size_t size;

	assert_int_equal(policy_image_build(g.policy, &data, &size), 0);
	image = copy_of(data, size);
	free(data);
	return image;
}

static int rules(const char *text, uint64_t generation)
{
	struct rules_fixture f;
	struct image image;
	int rc;

	rules_fixture_init(&f, text);
	assert_non_null(f.matcher);
	image = copy_of(f.image, ((const struct ruleset_image *)f.image)->size);
	rules_fixture_fini(&f);
	rc = snapshot_rules_set(&s, &image, generation, error, sizeof(error));
	worker_take(g.w);
	return rc;
}

static int setup(void **state)
{
	const struct shm_layout layout = {
		.workers = 1, .slots = 16, .rules = 64, .ring_size = EVENT_RING_MINIMUM};
	struct image image;

	shm_bytes = shm_size(&layout);
	shm = mmap(NULL, shm_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shm_format(shm, &layout);
	memset(&s, 0, sizeof(s));
	assert_int_equal(snapshot_init(&s, shm, 1), 0);
	image = policy_image();
	assert_int_equal(snapshot_policy_set(&s, &image, 1, error, sizeof(error)), 0);
	own_hits = g.w->rule_hits;
	hits = g.w->rule_hits = shm_hits(shm, 0);
	assert_int_equal(snapshot_attach(&s, g.gate), 0);
	worker_take(g.w);
	at[0] = at[1] = 0;
	talk_handshake(&g, &talk_smtp);
	return 0;
}

static int teardown(void **state)
{
	gate_fixture_reset(&g);
	g.w->rule_hits = own_hits;
	g.w->matcher = g.w->newest = NULL;
	g.w->taken = NULL;
	g.w->policy = g.policy;
	atomic_store(&g.w->offered, NULL);
	g.policy->slots[1].id = 7;
	snapshot_fini(&s);
	munmap(shm, shm_bytes);
	return 0;
}

static int open_all(void **state)
{
	gate_fixture_environment();
	gate_fixture_open(&g, config);
	return 0;
}

static int close_all(void **state)
{
	gate_fixture_close(&g);
	return 0;
}

static void say(unsigned side, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	talk_put(&g, &talk_smtp, side, TCP_ACK, at[side], at[!side], text, len);
	at[side] += len;
	gate_fixture_run(&g);
}

static void mail_open(void)
{
	say(0, "MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n");
	say(1, "250 ok\r\n250 ok\r\n354 go\r\n");
}

static uint64_t hits_of(uint32_t sid)
{
	for (uint32_t i = 1; i < shm->rules; i++)
		if (atomic_load(&shm_rules(shm)[i].state) &&
		    atomic_load(&shm_rules(shm)[i].sid) == sid)
			return hits[i];
	return 0;
}

static const char first[] = RULE(1, "email.subject; content:\"alpha\";")
	RULE(2, "email.body; content:\"omega\";");
static const char second[] = RULE(3, "email.body; content:\"omega\";")
	RULE(4, "smtp.helo; content:\"client\"; email.subject; content:\"alpha\";")
		RULE(5, "smtp.helo; content:\"client\";");

static void a_mail_ends_with_the_rules_that_it_began_with(void **state)
{
	assert_int_equal(rules(first, 1), 0);
	say(1, "220 mx.example\r\n");
	say(0, "EHLO client.example\r\n");
	say(1, "250 ok\r\n");
	mail_open();
	say(0, "Subject: alpha\r\n\r\nsome text\r\n");
	assert_int_equal(rules(second, 2), 0);
	assert_int_equal(snapshot_tidy(&s), 1);
	say(0, "and omega\r\n.\r\n");
	assert_int_equal(hits_of(1), 1);
	assert_int_equal(hits_of(2), 1);
	assert_int_equal(hits_of(3), 0);
	/* Its reply is due: events of it name its rules. */
	assert_int_equal(snapshot_tidy(&s), 1);
	say(1, "250 taken\r\n");
	assert_int_equal(snapshot_tidy(&s), 0);

	/* The next one in the session has the new ones, which know what the session began with. */
	mail_open();
	say(0, "Subject: alpha\r\n\r\nomega\r\n.\r\n");
	say(1, "250 taken\r\n");
	assert_int_equal(hits_of(1), 1);
	assert_int_equal(hits_of(2), 1);
	assert_int_equal(hits_of(3), 1);
	assert_int_equal(hits_of(4), 1);
	/* But what the greeting alone hits was said long ago. */
	assert_int_equal(hits_of(5), 0);
	assert_int_equal(g.w->counters->smtp.messages_accepted, 2);
}

static void mails_in_one_segment_are_each_judged_by_their_own(void **state)
{
	assert_int_equal(rules(first, 1), 0);
	say(1, "220 mx.example\r\n");
	mail_open();
	say(0, "Subject: x\r\n\r\n");
	assert_int_equal(rules(second, 2), 0);
	/* The end of one and all of the next, pipelined. */
	say(0, "omega\r\n.\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n");
	say(1, "250 taken\r\n250 ok\r\n250 ok\r\n");
	say(0, "DATA\r\n");
	say(1, "354 go\r\n");
	say(0, "Subject: y\r\n\r\nomega\r\n.\r\n");
	assert_int_equal(hits_of(2), 1);
	assert_int_equal(hits_of(3), 1);
	say(1, "250 taken\r\n");
	assert_int_equal(snapshot_tidy(&s), 0);
}

static void rules_can_come_and_go_in_the_middle_of_a_mail(void **state)
{
	say(1, "220 mx.example\r\n");
	mail_open(); /* without any */
	assert_int_equal(rules(first, 1), 0);
	say(0, "Subject: alpha\r\n\r\nomega\r\n.\r\n");
	say(1, "250 taken\r\n");
	assert_int_equal(hits_of(1), 0);
	mail_open();
	assert_int_equal(snapshot_rules_set(&s, NULL, 0, error, sizeof(error)), 0);
	worker_take(g.w);
	assert_null(g.w->matcher);
	say(0, "Subject: alpha\r\n\r\n");
	for (uint64_t n = 2; n < 6; n++)
		assert_int_equal(rules(second, n), 0);
	assert_int_equal(snapshot_tidy(&s), 1);
	say(0, "omega\r\n.\r\n");
	say(1, "250 taken\r\n");
	assert_int_equal(hits_of(1), 1);
	assert_int_equal(hits_of(2), 1);
	assert_int_equal(hits_of(3), 0);
	assert_int_equal(snapshot_tidy(&s), 0);
	/* A flow that ends takes its mail's rules with it. */
	mail_open();
	say(0, "Subject: alpha\r\n\r\nomeg");
	assert_int_equal(rules(first, 7), 0);
	assert_int_equal(snapshot_tidy(&s), 1);
	gate_fixture_finish(&g);
	assert_int_equal(snapshot_tidy(&s), 0);
}

static uint64_t listed(struct rule_tally *h, uint32_t sid)
{
	struct rule_hit *list;
	uint64_t count = 0, other;
	size_t n;

	list = rule_tally_list(h, shm, &n, &other);
	assert_int_equal(other, 0);
	for (size_t i = 0; i < n; i++)
		if (list[i].sid == sid)
			count = list[i].count;
	free(list);
	return count;
}

/* 64 places, and 200 rulesets with a rule of their own each, a mail over every push. */
static void places_of_rules_that_are_gone_serve_others(void **state)
{
	struct rule_tally kept = {0};
	char text[512];

	say(1, "220 mx.example\r\n");
	for (unsigned n = 0; n < 200; n++) {
		snprintf(text, sizeof(text),
			 RULE(7,
			      "email.subject; content:\"alpha\";") "alert smtp any any -> any any "
								   "(msg:\"n\"; email.body; "
								   "content:\"omega\"; sid:%u; "
								   "rev:1;)\n",
			 1000 + n);
		assert_int_equal(rules(text, n + 1), 0);
		if (n) { /* the end of the mail that began with the ones before */
			say(0, "omega\r\n.\r\n");
			say(1, "250 taken\r\n");
		}
		/* As posternd does, now and then. */
		if (n % 3 == 0)
			rule_tally_take(&kept, shm);
		snapshot_tidy(&s);
		mail_open();
		say(0, "Subject: alpha\r\n\r\n");
	}
	say(0, "omega\r\n.\r\n");
	say(1, "250 taken\r\n");
	assert_int_equal(listed(&kept, 7), 200);
	for (unsigned n = 0; n < 200; n++)
		assert_int_equal(listed(&kept, 1000 + n), 1);
	/* One that comes back goes on. */
	assert_int_equal(rules(text, 300), 0);
	assert_int_equal(snapshot_tidy(&s), 0);
	mail_open();
	say(0, "Subject: alpha\r\n\r\nomega\r\n.\r\n");
	say(1, "250 taken\r\n");
	assert_int_equal(listed(&kept, 1199), 2);
	rule_tally_fini(&kept);
}

static void bad_images_change_nothing(void **state)
{
	static const char junk[4096];
	struct image image = copy_of(junk, sizeof(junk));

	assert_int_equal(rules(first, 1), 0);
	assert_int_equal(snapshot_rules_set(&s, &image, 2, error, sizeof(error)), -EINVAL);
	assert_string_not_equal(error, "");
	assert_int_equal(snapshot_rules_generation(&s), 1);
	image = copy_of(junk, sizeof(junk));
	assert_int_equal(snapshot_policy_set(&s, &image, 2, error, sizeof(error)), -EINVAL);
	assert_int_equal(snapshot_policy_generation(&s), 1);
	image = policy_image();
	((uint8_t *)(uintptr_t)image.data)[image.size - 100] ^= 1;
	assert_int_equal(snapshot_policy_set(&s, &image, 2, error, sizeof(error)), -EINVAL);
	assert_int_equal(snapshot_policy_generation(&s), 1);
}

/* A worker that comes by when it is told to. */
static _Atomic bool comes, may_go, ends;

static void *worker(void *unused)
{
	snapshot_online(&s, 0);
	atomic_store(&comes, true);
	while (!atomic_load(&ends))
		if (atomic_load(&may_go))
			snapshot_quiescent(&s, 0);
	snapshot_offline(&s, 0);
	return NULL;
}

static void a_worker_that_hangs_is_told_of_and_keeps_what_it_had(void **state)
{
	const struct policy *before = snapshot_policy(&s);
	uint16_t count = before->slot_count;
	struct image image = policy_image();
	pthread_t thread;

	atomic_store(&comes, false);
	atomic_store(&may_go, false);
	atomic_store(&ends, false);
	s.timeout = 1000000;
	pthread_create(&thread, NULL, worker, NULL);
	/* Registered is not yet online: until then nobody waits for it. */
	while (!atomic_load(&comes))
		sched_yield();
	assert_int_equal(snapshot_policy_set(&s, &image, 2, error, sizeof(error)), -ETIMEDOUT);
	assert_string_not_equal(error, "");
	/* Still there: a sanitizer would tell. */
	assert_int_equal(before->slot_count, count);
	atomic_store(&may_go, true);
	s.timeout = UINT64_C(60000000000);
	image = policy_image();
	assert_int_equal(snapshot_policy_set(&s, &image, 3, error, sizeof(error)), 0);
	atomic_store(&ends, true);
	pthread_join(thread, NULL);
	worker_take(g.w);
	assert_int_equal(g.w->policy->generation, 3);
}

static int slots_memfd(size_t size, bool seal)
{
	int fd = memfd_create("slots", MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seal)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return fd;
}

static void a_file_of_slots_is_its_owners_alone(void **state)
{
	const size_t size = 8 * sizeof(struct tenant_slot);
	char path[] = "/tmp/postern-slots-XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
	assert_int_equal(snapshot_slots_set(&s, fd, size, 8, error, sizeof(error)), -EINVAL);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fchmod(fd, 0660), 0);
	assert_int_equal(snapshot_slots_set(&s, fd, size, 8, error, sizeof(error)), -EINVAL);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(snapshot_slots_set(&s, fd, size, 8, error, sizeof(error)), 0);
	worker_take(g.w);
	close(fd);
	unlink(path);
}

static void tenants_live_in_the_array_that_was_sent(void **state)
{
	const size_t size = 8 * sizeof(struct tenant_slot);
	int fd = slots_memfd(size, true), loose = slots_memfd(size, false);
	struct tenant_slot *mine = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_int_equal(snapshot_slots_set(&s, -1, size, 8, error, sizeof(error)), -EINVAL);
	assert_int_equal(snapshot_slots_set(&s, loose, size, 8, error, sizeof(error)), -EINVAL);
	assert_int_equal(snapshot_slots_set(&s, fd, size + 4096, 8, error, sizeof(error)), -EINVAL);
	assert_int_equal(snapshot_slots_set(&s, fd, size, 9, error, sizeof(error)), -EINVAL);
	assert_int_equal(snapshot_slots_set(&s, fd, size, 1, error, sizeof(error)), -E2BIG);
	assert_int_equal(snapshot_slots_set(&s, fd, size, 8, error, sizeof(error)), 0);
	worker_take(g.w);
	mine[1].state = TENANT_SUSPENDED;
	assert_int_equal(g.w->policy->slots[1].state, TENANT_SUSPENDED);
	assert_int_equal(g.w->policy->slots[1].id, 0);
	/* The next policy stays in it, and does not write to it. */
	{
		struct image image = policy_image();

		assert_int_equal(snapshot_policy_set(&s, &image, 2, error, sizeof(error)), 0);
	}
	worker_take(g.w);
	assert_int_equal(g.w->policy->slots[1].state, TENANT_SUSPENDED);
	assert_int_equal(mine[1].id, 0);
	munmap(mine, size);
	close(fd);
	close(loose);
}

static void without_an_array_buckets_and_suspensions_outlive_a_policy(void **state)
{
	struct image image = policy_image();
	struct tenant_slot *slot = &g.w->policy->slots[1];

	assert_int_equal(slot->id, 7);
	slot->bucket[LIMIT_MESSAGES] = 123;
	slot->state = TENANT_SUSPENDED;
	assert_int_equal(snapshot_policy_set(&s, &image, 2, error, sizeof(error)), 0);
	worker_take(g.w);
	assert_int_equal(g.w->policy->slots[1].bucket[LIMIT_MESSAGES], 123);
	assert_int_equal(g.w->policy->slots[1].state, TENANT_SUSPENDED);
	/* Another tenant's is its own. */
	g.policy->slots[1].id = 8;
	image = policy_image();
	assert_int_equal(snapshot_policy_set(&s, &image, 3, error, sizeof(error)), 0);
	worker_take(g.w);
	assert_int_equal(g.w->policy->slots[1].bucket[LIMIT_MESSAGES], 0);
	assert_int_equal(g.w->policy->slots[1].state, TENANT_ACTIVE);
}

static void files_are_copied_and_what_is_sealed_is_mapped(void **state)
{
	char path[] = "/tmp/postern-image-XXXXXX";
	int file = mkstemp(path), sealed = image_memfd("x", "abcdef", 6);
	struct image image;

	unlink(path);
	assert_int_equal(write(file, "abcdef", 6), 6);
	assert_int_equal(image_open(&image, file, 6, error, sizeof(error)), 0);
	assert_false(image.mapped);
	assert_int_equal(ftruncate(file, 0), 0);
	assert_memory_equal(image.data, "abcdef", 6);
	image_close(&image);
	assert_int_equal(image_open(&image, sealed, 6, error, sizeof(error)), 0);
	assert_true(image.mapped);
	assert_memory_equal(image.data, "abcdef", 6);
	image_close(&image);
	assert_int_equal(image_open(&image, sealed, 7, error, sizeof(error)), -EINVAL);
	assert_int_equal(image_open(&image, file, 0, error, sizeof(error)), -EINVAL);
	assert_int_equal(image_open(&image, -1, 6, error, sizeof(error)), -EBADF);
	close(file);
	close(sealed);
}

/* Lists ------------------------------------------------------------------- */

static const uint64_t list_key[2] = {3, 4};
static const uint64_t now = 1800000000;

static uint64_t hash_of(const char *address)
{
	return list_kind_hash(list_kind_find("optout"), list_key, 7, address, strlen(address));
}

/* A base with the address or, over the one in force, a delta that adds or removes it. */
static struct image lists_image(const char *address, bool is_delta, bool removes)
{
	struct list_sets sets = {.clock = &now};
	struct list_change change = {.list = {7, LIST_OPTOUT}, .removes = removes};
	struct list_outcome outcome;
	struct list_image made;
	struct image image;

	memcpy(sets.key, list_key, sizeof(sets.key));
	if (s.base)
		sets.base = s.base->set;
	assert_int_equal(hash_list_add(&change.hashes, hash_of(address)), 0);
	assert_int_equal(is_delta ? list_patch(&sets, &change, now, &made, &outcome)
				  : list_merge(&sets, &change, now, &made, &outcome),
			 0);
	hash_list_fini(&change.hashes);
	image = copy_of(made.data, made.size);
	free(made.data);
	return image;
}

static int lists_take(const char *address, bool is_delta, bool removes)
{
	struct image image = lists_image(address, is_delta, removes);
	int rc = snapshot_lists_set(&s, is_delta, &image, list_key, error, sizeof(error));

	worker_take(g.w);
	return rc;
}

static bool refuses(const char *address)
{
	return list_opted_out(g.w->policy, 1, bytes_of(address, strlen(address)));
}

static void lists_are_replaced_under_a_policy_and_outlive_it(void **state)
{
	struct image image;

	assert_false(refuses("a@a.example"));
	assert_int_equal(lists_take("a@a.example", false, false), 0);
	assert_true(refuses("A@a.example"));
	assert_false(refuses("b@a.example"));
	assert_int_equal(lists_take("b@a.example", true, false), 0);
	assert_true(refuses("b@a.example"));
	assert_int_equal(snapshot_list_entries(&s), 2);
	image = policy_image();
	assert_int_equal(snapshot_policy_set(&s, &image, 2, error, sizeof(error)), 0);
	worker_take(g.w);
	assert_true(refuses("a@a.example"));
	assert_true(refuses("b@a.example"));
	assert_int_equal(lists_take("a@a.example", true, true), 0);
	assert_false(refuses("a@a.example"));
	/* Over another base, the delta is nothing. */
	assert_int_equal(lists_take("c@a.example", false, false), 0);
	assert_true(refuses("a@a.example"));
	assert_true(refuses("c@a.example"));
	assert_int_equal(snapshot_lists_set(&s, false, NULL, list_key, error, sizeof(error)), 0);
	worker_take(g.w);
	assert_false(refuses("c@a.example"));
}

static void bad_lists_change_nothing(void **state)
{
	static const uint64_t other[2] = {3, 5};
	struct image image = lists_image("a@a.example", false, false);

	assert_int_equal(snapshot_lists_set(&s, false, &image, other, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "the set of lists is of another key");
	assert_int_equal(lists_take("a@a.example", false, false), 0);
	image = lists_image("b@a.example", false, false);
	((uint8_t *)(uintptr_t)image.data)[image.size - 9] ^= 1;
	assert_int_equal(snapshot_lists_set(&s, false, &image, list_key, error, sizeof(error)),
			 -EINVAL);
	assert_string_equal(error, "the set of lists is damaged");
	worker_take(g.w);
	assert_true(refuses("a@a.example"));
	assert_false(refuses("b@a.example"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_mail_ends_with_the_rules_that_it_began_with),
		TEST(mails_in_one_segment_are_each_judged_by_their_own),
		TEST(rules_can_come_and_go_in_the_middle_of_a_mail),
		TEST(places_of_rules_that_are_gone_serve_others),
		TEST(bad_images_change_nothing),
		TEST(a_worker_that_hangs_is_told_of_and_keeps_what_it_had),
		TEST(a_file_of_slots_is_its_owners_alone),
		TEST(tenants_live_in_the_array_that_was_sent),
		TEST(without_an_array_buckets_and_suspensions_outlive_a_policy),
		TEST(files_are_copied_and_what_is_sealed_is_mapped),
		TEST(lists_are_replaced_under_a_policy_and_outlive_it),
		TEST(bad_lists_change_nothing),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
