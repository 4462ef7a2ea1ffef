/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of calls against a plain list that says the same. */
#include "dataplane/proto/call_table.h"
#include "tests/unit/test.h"

#define CALLS   48
#define TENANTS 3
#define SHARE   30
#define IDS     40 /* Call-IDs, each of which any tenant may use: more than there is room for */

/* The model: calls in the order in which they were touched, the oldest first. */
static struct {
	struct {
		uint32_t tenant;
		unsigned id;
		enum call_state state;
	} call[CALLS];
	unsigned count;
} model;

static struct call_table *table;
static uint64_t seed = 1;

static unsigned dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* Half of them so long that they are cut, and differ behind the cut alone. */
static struct bytes name(unsigned id)
{
	static char text[128];
	int n = snprintf(text, sizeof(text), "%0*u@host",
			 id % 2 ? CALL_ID_COPY + 10 : 1 + (int)(id % 7), id);

	return bytes_of(text, (size_t)n);
}

static struct call *find(uint32_t tenant, unsigned id)
{
	struct bytes call_id = name(id);

	return call_find(table, call_hash_of(table, call_id, BYTES("tag")), tenant, call_id);
}

static int model_find(uint32_t tenant, unsigned id)
{
	for (unsigned i = 0; i < model.count; i++)
		if (model.call[i].tenant == tenant && model.call[i].id == id)
			return (int)i;
	return -1;
}

static unsigned model_share(uint32_t tenant)
{
	unsigned n = 0;

	for (unsigned i = 0; i < model.count; i++)
		n += model.call[i].tenant == tenant;
	return n;
}

static void model_remove(unsigned at)
{
	memmove(&model.call[at], &model.call[at + 1], (--model.count - at) * sizeof(model.call[0]));
}

/* Of the tenant's eight oldest the first that is over, or the oldest. */
static int model_victim(uint32_t tenant)
{
	int oldest = -1;
	unsigned looked_at = 0;

	for (unsigned i = 0; i < model.count && looked_at < 8; i++) {
		if (model.call[i].tenant != tenant)
			continue;
		if (model.call[i].state == CALL_UNANSWERED)
			return (int)i;
		if (looked_at++ == 0)
			oldest = (int)i;
	}
	return oldest;
}

static void insert(uint32_t tenant, unsigned id)
{
	struct bytes call_id = name(id);
	bool room = model.count < CALLS && model_share(tenant) < SHARE;
	struct call *call =
		call_insert(table, call_hash_of(table, call_id, BYTES("tag")), tenant, call_id);

	assert_int_equal(call != NULL, room);
	if (!room)
		return;
	assert_int_equal(call->state, CALL_TRYING);
	assert_int_equal(call->answered + call->ended + call->rang + call->to_len, 0);
	call->answered = call->ended = call->rang = call->to_len = 1;
	model.call[model.count].tenant = tenant;
	model.call[model.count].id = id;
	model.call[model.count++].state = CALL_TRYING;
}

static void touch(uint32_t tenant, unsigned id, enum call_state state)
{
	int at = model_find(tenant, id);
	struct call *call = find(tenant, id);

	call->state = (uint8_t)state;
	call_touch(table, call, seed);
	model_remove((unsigned)at);
	model.call[model.count].tenant = tenant;
	model.call[model.count].id = id;
	model.call[model.count++].state = state;
}

static void check(uint32_t tenant)
{
	int victim = model_victim(tenant);
	const struct call *call = call_victim(table, tenant);

	assert_int_equal(call_count(table), model.count);
	assert_int_equal(call != NULL, victim >= 0);
	if (call)
		assert_ptr_equal(call, find(tenant, model.call[victim].id));
	for (unsigned id = 0; id < IDS; id++)
		assert_int_equal(find(tenant, id) != NULL, model_find(tenant, id) >= 0);
}

static void it_holds_what_a_plain_list_would(void **state)
{
	struct call_config config;

	call_config_default(&config);
	config.calls = CALLS;
	config.tenants = TENANTS;
	config.tenant_max = SHARE;
	table = call_table_init(aligned_alloc(64, call_table_size(&config)), &config);
	for (int i = 0; i < 20000; i++) {
		uint32_t tenant = dice(TENANTS);
		unsigned id = dice(IDS);
		int at = model_find(tenant, id);

		call_prefetch(table, tenant, call_hash_of(table, name(id), BYTES("tag")));
		if (at < 0) {
			insert(tenant, id);
		} else if (dice(3)) {
			touch(tenant, id, dice(2) ? CALL_UNANSWERED : CALL_ANSWERED);
		} else {
			call_remove(table, find(tenant, id));
			model_remove((unsigned)at);
		}
		check(tenant);
	}
	free(table);
}

/* What keeps a hash in the message is the same to call_message(). */
static void a_hash_tells_call_id_from_tag(void **state)
{
	struct call_config config;
	struct sip_message a = {.call_id = BYTES("ab"), .from.tag = BYTES("c")};
	struct sip_message b = {.call_id = BYTES("a"), .from.tag = BYTES("bc")};

	call_config_default(&config);
	config.calls = config.tenants = 1;
	table = call_table_init(aligned_alloc(64, call_table_size(&config)), &config);
	assert_true(call_hash(table, &a) && call_hash(table, &b));
	assert_true(call_hash(table, &a) != call_hash(table, &b));
	assert_true(call_hash(table, &a) == call_hash_of(table, a.call_id, a.from.tag));
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_what_a_plain_list_would),
		cmocka_unit_test(a_hash_tells_call_id_from_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
