/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's memory, seen from another process. */
#include "bpf/shm.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

#define RING (UINT64_C(8) * EVENT_RECORD_MAX)

static const struct shm_layout layout = {.workers = 2, .slots = 3, .rules = 5, .ring_size = RING};
static struct shm_head *head;
static size_t size;
static char error[SHM_ERROR];

static int setup(void **state)
{
	size = shm_size(&layout);
	head = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (head == MAP_FAILED)
		return -1;
	shm_format(head, &layout);
	return 0;
}

static int teardown(void **state)
{
	munmap(head, size);
	return 0;
}

static void what_was_formatted_passes_and_its_parts_do_not_touch(void **state)
{
	assert_null(shm_check(head, size, error));
	for (unsigned i = 0; i < 2; i++) {
		memset(shm_counters(head, i), 0xa0 + (int)i, sizeof(struct counters));
		memset(shm_tenants(head, i), 0xb0, 3 * sizeof(struct tenant_counters));
		memset(shm_peaks(head, i), 0xc0, 3 * sizeof(struct limit_peak));
		memset(shm_hits(head, i), 0xd0, 5 * sizeof(uint64_t));
		memset(shm_ring(head, i).bytes, 0xe0, RING);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(((uint8_t *)shm_counters(head, i))[0], 0xa0 + i);
		assert_int_equal(shm_hits(head, i)[4], 0xd0d0d0d0d0d0d0d0u);
		assert_int_equal(atomic_load(&shm_ring(head, i).state->written), 0);
	}
	assert_null(shm_check(head, size, error));
}

static void other_sizes_are_a_clear_error(void **state)
{
	head->sizes.counters += 8;
	assert_non_null(shm_check(head, size, error));
	assert_non_null(strstr(error, "other sizes"));
	head->sizes.counters -= 8;
	head->abi++;
	assert_non_null(strstr(shm_check(head, size, error), "ABI"));
	head->abi--;
	head->magic = 0;
	assert_non_null(shm_check(head, size, error));
}

static void memory_that_is_cut_or_points_outside_is_refused(void **state)
{
	assert_non_null(shm_check(head, size - 64, error));
	assert_non_null(shm_check(head, sizeof(*head) - 1, error));
	shm_worker(head, 1)->events += 64;
	assert_non_null(shm_check(head, size, error));
	shm_worker(head, 1)->events -= 64;
	head->workers = 1000;
	assert_non_null(shm_check(head, size, error));
	head->workers = 2;
	head->ring_size = RING - 1;
	assert_non_null(shm_check(head, size, error));
	head->ring_size = RING;
	assert_null(shm_check(head, size, error));
}

static bool put(struct event_ring *ring, uint64_t number, size_t extra)
{
	static const uint8_t filler[8192];
	void *room = event_ring_reserve(ring);
	struct event_builder b;

	if (!room)
		return false;
	event_begin(&b, room, EVENT_RECORD_MAX, EVENT_STATS);
	b.head->packet = number;
	event_put_str(&b, FIELD_KEY_EMAIL_URL, filler, extra);
	event_ring_commit(ring, event_size(&b));
	return true;
}

struct reader {
	uint64_t next, wrong;
};

static void take(void *ctx, const struct event_head *e)
{
	struct reader *r = ctx;

	r->wrong += e->packet != r->next++;
}

/* Another process writes without waiting for anybody; this one reads what it gets, in order. */
static void two_processes_share_a_ring(void **state)
{
	enum { RECORDS = 20000 };
	struct event_ring ring = shm_ring(head, 0);
	struct reader r = {0};
	pid_t child = fork();
	int status;

	if (!child) {
		for (uint64_t n = 0; n < RECORDS; n++)
			while (!put(&ring, n, n * 37 % 8000))
				sched_yield();
		_exit(0);
	}
	while (r.next < RECORDS)
		if (!event_ring_drain(&ring, take, &r))
			sched_yield();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(r.wrong, 0);
	assert_int_equal(r.next, RECORDS);
	assert_int_equal(atomic_load(&ring.state->records), RECORDS);
	assert_int_equal(atomic_load(&ring.state->damaged), 0);
}

static void a_reader_that_starts_again_goes_on(void **state)
{
	struct event_ring ring = shm_ring(head, 0);
	struct reader r = {0};

	for (uint64_t n = 0; n < 10; n++)
		assert_true(put(&ring, n, 100));
	for (unsigned i = 0; i < 3; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			struct event_ring own = shm_ring(head, 0);
			struct reader once = {.next = 3u * i};

			_exit(event_ring_read(&own, 3, take, &once) != 3 || once.wrong);
		}
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
	}
	r.next = 9;
	assert_int_equal(event_ring_drain(&ring, take, &r), 1);
	assert_int_equal(r.wrong, 0);
}

static void what_has_no_room_is_counted_and_the_writer_goes_on(void **state)
{
	struct event_ring ring = shm_ring(head, 0);
	struct reader r = {0};
	uint64_t n = 0;

	while (put(&ring, n, 8000))
		n++;
	assert_int_equal(atomic_load(&ring.state->lost), 1);
	assert_false(put(&ring, n, 8));
	assert_int_equal(atomic_load(&ring.state->lost), 2);
	assert_int_equal(event_ring_drain(&ring, take, &r), n);
	assert_true(put(&ring, n, 8));
	assert_int_equal(event_ring_drain(&ring, take, &r), 1);
	assert_int_equal(r.wrong, 0);
}

static void nonsense_in_the_ring_is_skipped_and_counted(void **state)
{
	static const uint32_t sizes[] = {1, 8, 0xfffffff8, EVENT_RECORD_MAX + 8, RING};
	struct event_ring ring = shm_ring(head, 0);
	struct reader r = {0};

	for (unsigned i = 0; i < 5; i++) {
		uint64_t at = atomic_load(&ring.state->written) & (RING - 1);

		assert_true(put(&ring, 5, 100));
		((struct event_head *)(void *)(ring.bytes + at))->size = sizes[i];
		assert_int_equal(event_ring_drain(&ring, take, &r), 0);
		assert_int_equal(atomic_load(&ring.state->damaged), i + 1);
	}
	/* Places that are none. */
	atomic_store(&ring.state->written, UINT64_MAX - 3);
	assert_int_equal(event_ring_drain(&ring, take, &r), 0);
	assert_int_equal(atomic_load(&ring.state->damaged), 6);
	/* A reader that claims to be ahead makes the writer lose records, not memory. */
	atomic_store(&ring.state->written, 64);
	atomic_store(&ring.state->read, 128);
	assert_null(event_ring_reserve(&ring));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_formatted_passes_and_its_parts_do_not_touch),
		TEST(other_sizes_are_a_clear_error),
		TEST(memory_that_is_cut_or_points_outside_is_refused),
		TEST(two_processes_share_a_ring),
		TEST(a_reader_that_starts_again_goes_on),
		TEST(what_has_no_room_is_counted_and_the_writer_goes_on),
		TEST(nonsense_in_the_ring_is_skipped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
