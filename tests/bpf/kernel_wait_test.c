/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nobody reads what is written: who replaces the table of prefixes waits for packets that have it
 * before them (control/kernel/gate_table.c). argv: gate.bpf.o, dwell.bpf.o.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/policy/policy_build.h"
#include "tests/bpf/dwell.h"
#include "tests/bpf/kernel_gate.h"
#include "tests/bpf/stage_cases.h"
#include "tests/unit/test.h"

static const char *object;

struct reader {
	struct bpf_object *program;
	struct dwell *dwell;
	pthread_t thread;
	_Atomic int rc; /* 1: it runs yet */
};

static void reader_open(struct reader *r, const char *dir)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = dir);
	int fd;

	r->program = bpf_object__open_file(object, &options);
	assert_non_null(r->program);
	if (bpf_object__load(r->program) != 0)
		fail_msg("%s: %s", object, strerror(errno));
	fd = bpf_object__find_map_fd_by_name(r->program, DWELL_MAP);
	r->dwell = mmap(NULL, sizeof(*r->dwell), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(r->dwell != MAP_FAILED);
}

static void reader_close(struct reader *r)
{
	munmap(r->dwell, sizeof(*r->dwell));
	bpf_object__close(r->program);
}

static uint32_t load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void *reader_run(void *arg)
{
	static const uint8_t frame[64];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = 1);
	struct reader *r = arg;

	r->rc = bpf_prog_test_run_opts(bpf_program__fd(bpf_object__next_program(r->program, NULL)),
				       &options);
	return NULL;
}

/* It has the table before it when this returns. */
static void reader_start(struct reader *r)
{
	*r->dwell = (struct dwell){0};
	r->rc = 1;
	assert_int_equal(pthread_create(&r->thread, NULL, reader_run, r), 0);
	while (!load(&r->dwell->runs) && r->rc == 1)
		sched_yield();
}

static void a_packet_that_takes_its_time_is_waited_for(void **state)
{
	const char *dir = kernel_gate_new_dir("wait");
	struct gate_maps *maps = kernel_gate_open(dir);
	struct policy *policies[] = {
		stage_policy(
			"tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.1.0.0/16\" ]; } );"),
		stage_policy("tenants: ( { id = 1; name = \"a\"; prefixes = [ \"10.2.0.0/16\", "
			     "\"10.4.0.0/16\" ]; } );"),
	};
	struct reader r;

	assert_int_equal(gate_maps_apply(maps, policies[0], NULL), 0);
	reader_open(&r, dir);
	for (unsigned i = 1; i <= 2; i++) {
		struct gate_changes changes;
		uint32_t ended;
		int rc;

		reader_start(&r);
		__atomic_store_n(&r.dwell->replaced, 1, __ATOMIC_SEQ_CST);
		rc = gate_maps_apply(maps, policies[i % 2], &changes);
		ended = load(&r.dwell->ended);
		pthread_join(r.thread, NULL);
		assert_int_equal(rc, 0);
		assert_int_equal(r.rc, 0);
		assert_true(changes.prefixes);
		if (!ended)
			fail_msg("the table was replaced while a packet was on its way");
		if (r.dwell->changed)
			fail_msg("a packet saw how the table was replaced");
	}
	reader_close(&r);
	gate_maps_close(maps);
	policy_free(policies[0]);
	policy_free(policies[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_that_takes_its_time_is_waited_for),
	};
	const char *why = argc < 3 ? "no objects" : kernel_gate_enter(argv[1]);
	int failed;

	if (why) {
		printf("skipped: %s\n", why);
		kernel_gate_leave();
		return 77;
	}
	object = argv[2];
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	kernel_gate_leave();
	return failed != 0;
}
