/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers ask makes no system call: lists of millions, limits, sketches. */
#include "tests/unit/quiet.h"

#include "bpf/limit.h"
#include "control/lists/list_store.h"
#include "control/policy/policy_build.h"
#include "dataplane/policy/count_min.h"
#include "dataplane/policy/known_set.h"
#include "dataplane/policy/limit.h"
#include "dataplane/policy/lists.h"
#include "tests/text_file.h"
#include "tests/unit/scratch.h"

#define NOW    UINT64_C(1800000000)
#define DAY    UINT64_C(86400)
#define SECOND UINT64_C(1000000000)
#define ACME   1
#define OTHER  2
#define MANY   20000

static struct list_store store;
static struct policy *policy;
static char why[LIST_STORE_ERROR];
static struct count_min counts;
static struct known_set known;

/* Lists ------------------------------------------------------------------- */

static uint64_t hash_of(enum list_kind kind, uint32_t owner, const char *text)
{
	return list_hash(store.sets.key, kind, owner, (const uint8_t *)text, strlen(text));
}

/* "user7@example.org", "14155550007". Good until the next. */
static const char *nth(enum list_kind kind, unsigned n)
{
	static char text[64];
	static char digits[6];

	for (unsigned i = 5; i--; n /= 10)
		digits[i] = (char)('0' + n % 10);
	strcpy(text, kind == LIST_DNC ? "141555" : "user");
	strcat(text, digits);
	strcat(text, kind == LIST_DNC ? "" : "@example.org");
	return text;
}

static void put(enum list_kind kind, uint32_t owner, unsigned first, unsigned count, uint64_t from,
		bool patch)
{
	struct list_change change = {.list = {owner, kind}, .from = from};
	struct list_outcome outcome;

	for (unsigned i = first; i < first + count; i++)
		assert_int_equal(hash_list_add(&change.hashes, hash_of(kind, owner, nth(kind, i))),
				 0);
	assert_int_equal(patch ? list_store_patch(&store, &change, &outcome)
			       : list_store_merge(&store, &change, &outcome),
			 0);
	hash_list_fini(&change.hashes);
}

static void take_off(enum list_kind kind, uint32_t owner, unsigned n)
{
	struct list_change change = {.list = {owner, kind}, .removes = true};
	struct list_outcome outcome;

	assert_int_equal(hash_list_add(&change.hashes, hash_of(kind, owner, nth(kind, n))), 0);
	assert_int_equal(list_store_patch(&store, &change, &outcome), 0);
	hash_list_fini(&change.hashes);
}

static enum list_standing standing(enum list_kind kind, uint32_t owner, unsigned n)
{
	uint64_t from;

	return list_sets_find(&store.sets, owner, kind, hash_of(kind, owner, nth(kind, n)), &from);
}

/* Base and delta, from their files, as a dataplane maps them. */
static bool sets_answer(void)
{
	enum list_standing all[2];
	const uint64_t two[] = {hash_of(LIST_OPTOUT, ACME, "user00000@example.org"),
				hash_of(LIST_OPTOUT, ACME, "nobody@example.org")};
	bool well = true;

	for (unsigned i = 0; i < MANY; i++)
		well &= standing(LIST_OPTOUT, ACME, i) == LIST_LISTED;
	for (unsigned i = MANY; i < 2 * MANY; i++)
		well &= standing(LIST_OPTOUT, ACME, i) == LIST_ABSENT;
	/* In the delta; from a time to come on; taken off; of another; on a list that isn't. */
	well &= standing(LIST_OPTOUT, ACME, 60001) == LIST_LISTED;
	well &= standing(LIST_OPTOUT, ACME, 60002) == LIST_PENDING;
	well &= standing(LIST_DNC, 0, 7) == LIST_ABSENT && standing(LIST_DNC, 0, 8) == LIST_LISTED;
	well &= standing(LIST_OPTOUT, OTHER, 1) == LIST_ABSENT;
	well &= standing(LIST_TRAP_RECYCLED, 0, 1) == LIST_ABSENT;
	/* What bounced: lately, and so long ago that it has ended. */
	well &= standing(LIST_SUPPRESSED, ACME, 1) == LIST_LISTED;
	well &= standing(LIST_SUPPRESSED, ACME, 2) == LIST_ABSENT;
	list_sets_find_many(&store.sets, ACME, LIST_OPTOUT, two, 2, all);
	return well && all[0] == LIST_LISTED && all[1] == LIST_ABSENT;
}

static bool suppressed(const char *address, uint64_t now)
{
	struct list_form form;

	list_form_of(bytes_of(address, strlen(address)), &form);
	return list_suppressed(policy, ACME,
			       list_suppressed_hash(policy, ACME, store.sets.key, &form), now);
}

static bool opted_out(uint32_t slot, const char *address)
{
	return list_opted_out(policy, slot, bytes_of(address, strlen(address)));
}

/* As a worker asks: by address, domain and number, of the configuration's lists and imported ones.
 */
static bool policy_answers(void)
{
	struct list_form form;
	bool bad, well = true;

	well &= opted_out(ACME, "<User00001@Example.ORG>") && opted_out(ACME, "left@example.net");
	well &= !opted_out(ACME, "<user99999@example.org>") &&
		!opted_out(OTHER, "left@example.net");
	well &= !opted_out(ACME, "user60002@example.org") && !opted_out(ACME, "\"@");
	well &= list_do_not_call(policy, ACME, BYTES("+1 (415) 550-0008"));
	well &= !list_do_not_call(policy, ACME, BYTES("+14155500007"));
	list_form_of(BYTES("user00003@example.org"), &form);
	well &= list_trap(policy, &form) == LIST_TRAP_PRISTINE;
	well &= suppressed("user00001@example.org", NOW * SECOND);
	well &= !suppressed("user00002@example.org", NOW * SECOND);
	well &= list_may_send_from(policy, ACME, BYTES("news@a.b.acme.example")) &&
		!list_may_send_from(policy, ACME, BYTES("news@other.example"));
	well &= list_is_anothers(policy, OTHER, BYTES("mx.acme.example"));
	well &= !list_is_no_domain(policy, BYTES("example.org"));
	well &= list_domain_of(BYTES("x@M\xc3\xbcnchen.DE"), form.text, &bad) && !bad;
	well &= list_owns_number(policy, ACME, BYTES("+12025550100")) &&
		!list_owns_number(policy, OTHER, BYTES("+12025550100"));
	well &= !list_wants_no_texts(policy, ACME, BYTES("+12025550100")) &&
		!list_said_stop(policy, ACME, BYTES("+12025550100"));
	return well && list_is_emergency(policy, ACME, BYTES("911"));
}

static void a_look_up_in_lists_makes_no_system_call(void **state)
{
	assert_int_equal(quiet_run(sets_answer), QUIET_WELL);
	assert_int_equal(quiet_run(policy_answers), QUIET_WELL);
}

/* Limits and sketches ----------------------------------------------------- */

static bool limits_hold(void)
{
	uint64_t now = NOW * SECOND;
	bool well = true;

	for (unsigned i = 0; i < 3; i++)
		well &= limit_take(policy, ACME, LIMIT_MESSAGES, now, 1) == LIMIT_WITHIN;
	well &= limit_take(policy, ACME, LIMIT_MESSAGES, now, 1) == LIMIT_OVER;
	well &= limit_take(policy, OTHER, LIMIT_MESSAGES, now, 1000) == LIMIT_WITHIN;
	return well && limit_spend_read(&policy->slots[ACME], 7, now);
}

static struct sketch_key key_of(uint64_t thing)
{
	return (struct sketch_key){mix64(thing + 1), mix64(thing * 104729 + 2)};
}

static bool sketches_count(void)
{
	const struct gcra two = {.interval = SECOND, .tolerance = SECOND};
	bool well = true;

	for (unsigned i = 1; i <= 5; i++)
		well &= count_min_add(&counts, key_of(1), NOW * SECOND, DAY * SECOND, 0) == i;
	well &= count_min_ask(&counts, key_of(1), NOW * SECOND, DAY * SECOND) == 5;
	for (unsigned i = 0; i < 3; i++)
		well &= count_min_take(&counts, key_of(2), &two, NOW * SECOND) == (i < 2);
	for (unsigned i = 0; i < 1000; i++)
		known_set_meet(&known, key_of(i), NOW / DAY, 90);
	return well && known_set_has(&known, key_of(7), NOW / DAY, 90);
}

static void limits_and_sketches_make_no_system_call(void **state)
{
	assert_int_equal(quiet_run(limits_hold), QUIET_WELL);
	assert_int_equal(quiet_run(sketches_count), QUIET_WELL);
}

/* That it would be seen --------------------------------------------------- */

static bool ask_the_kernel(void)
{
	return getppid() != 0 && sets_answer();
}

static bool allocate_much(void)
{
	volatile char *p =
		mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = 1;
	return true;
}

static bool say_no(void)
{
	return false;
}

static void one_system_call_is_seen_and_a_wrong_answer_too(void **state)
{
	assert_int_equal(quiet_run(ask_the_kernel), SYS_getppid);
	assert_int_equal(quiet_run(allocate_much), SYS_mmap);
	assert_int_equal(quiet_run(say_no), QUIET_WRONG);
}

static const char configuration[] =
	"policy: { mail: { suppress = \"14d\"; }; };\n"
	"tenants: (\n"
	" { id = 1; name = \"acme\"; prefixes = [ \"10.1.0.0/16\" ]; country = \"US\";\n"
	"   domain_consent = true; domains = [ \".acme.example\" ];\n"
	"   numbers = [ \"+12025550100\" ]; optout = [ \"%s\" ];\n"
	"   limits: { messages = \"3/min\"; }; },\n"
	" { id = 2; name = \"other\"; prefixes = [ \"10.2.0.0/16\" ]; } );\n";

static int setup(void **state)
{
	const struct text_file optout = text_file_make("left@example.net\n");
	char text[1024];
	struct diag diag = {0};
	struct config *config;

	snprintf(text, sizeof(text), configuration, optout.path);
	config = text_config(text, &diag);
	diag_print(&diag, stdout);
	policy = config ? policy_build(config, &diag) : NULL;
	config_free(config);
	diag_fini(&diag);
	unlink(optout.path);
	if (!policy || scratch_setup(state) != 0 ||
	    list_store_open(scratch_dir, true, &store, why) != 0 ||
	    count_min_init(&counts, 4096) != 0 || known_set_init(&known, 65536) != 0)
		return -1;
	store.now = NOW;
	store.sets.period = policy->mail.suppress;
	policy->sets = &store.sets;
	put(LIST_OPTOUT, ACME, 0, MANY, 0, false);
	put(LIST_DNC, 0, 7, 2, 0, false);
	put(LIST_TRAP, 0, 3, 1, 0, false);
	put(LIST_SUPPRESSED, ACME, 1, 1, NOW - DAY, false);
	/* Not a merge: that one would drop what has ended. */
	put(LIST_SUPPRESSED, ACME, 2, 1, NOW - 30 * DAY, true);
	put(LIST_OPTOUT, ACME, 60001, 1, 0, true);
	put(LIST_OPTOUT, ACME, 60002, 1, NOW + DAY, true);
	take_off(LIST_DNC, 0, 7);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	list_store_close(&store);
	count_min_fini(&counts);
	known_set_fini(&known);
	policy_free(policy);
	snprintf(command, sizeof(command), "rm -rf %s", scratch_dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_up_in_lists_makes_no_system_call),
		cmocka_unit_test(limits_and_sketches_make_no_system_call),
		cmocka_unit_test(one_system_call_is_seen_and_a_wrong_answer_too),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
