/* SPDX-License-Identifier: BSD-3-Clause */
/* posternd's small parts: its log, its words to the service manager, the tenants' slots. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control/base/log.h"
#include "control/daemon/child.h"
#include "control/daemon/dataplane_argv.h"
#include "control/daemon/notify.h"
#include "control/daemon/slots.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

/* The log */

static uint64_t clock_ns;

static uint64_t fake_clock(void)
{
	return clock_ns;
}

static char *log_of(void (*write)(void))
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	memset(text, 0, sizeof(text));
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init(out, LOG_INFO);
	write();
	fclose(out);
	unsetenv("JOURNAL_STREAM");
	log_init(stderr, LOG_INFO);
	return text;
}

static void write_odd(void)
{
	log_info("odd", "text=%s n=%d", log_text("a \"b\" \\ \n\x1b[31m \xc3\xa9"), 3);
	log_debug("not wanted", "n=%d", 1);
}

static void a_line_is_one_line_whatever_is_in_it(void **unused)
{
	assert_string_equal(log_of(write_odd), "<6>level=info msg=\"odd\" text=\"a \\\"b\\\" \\\\ "
					       "\\x0a\\x1b[31m \xc3\xa9\" n=3\n");
}

static void write_many(void)
{
	for (int i = 0; i < 100; i++)
		log_warning("many", "i=%d", i);
	log_warning("another", "i=%d", 0);
	clock_ns += UINT64_C(1000000000);
	log_warning("many", "i=%d", 100);
}

static void many_of_one_message_are_kept_back_and_counted(void **unused)
{
	char *text;
	unsigned lines = 0;

	clock_ns = 1;
	log_now = fake_clock;
	text = log_of(write_many);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, LOG_BURST + 2);
	assert_non_null(strstr(text, "msg=\"another\" i=0\n"));
	assert_non_null(strstr(text, "msg=\"many\" i=100 suppressed=80\n"));
	assert_int_equal(log_suppressed(), 80);
}

/* The service manager */

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	return fd;
}

static void check_notify(const char *path)
{
	int fd = listen_at(path);
	char text[256], pid[16];
	ssize_t len;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_init();
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_int_equal(notify_watchdog(), 3000000);
	assert_int_equal(notify_send("READY=1\nSTATUS=%d tenants", 3), 0);
	len = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(len > 0);
	text[len] = '\0';
	assert_string_equal(text, "READY=1\nSTATUS=3 tenants");
	assert_int_equal(notify_reloading(), 0);
	len = recv(fd, text, sizeof(text) - 1, 0);
	assert_true(len > 0);
	text[len] = '\0';
	assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	close(fd);
	assert_true(notify_send("STOPPING=1") < 0);
	notify_fini();
	assert_int_equal(notify_send("STOPPING=1"), 0);
}

static void the_service_manager_is_told_in_datagrams(void **unused)
{
	char name[64];

	check_notify(scratch_path("notify"));
	snprintf(name, sizeof(name), "@postern-test-%d", (int)getpid());
	check_notify(name);
}

static void without_a_service_manager_nothing_is_said(void **unused)
{
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	notify_init();
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(notify_watchdog(), 0);
	setenv("WATCHDOG_USEC", "1000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init();
	assert_int_equal(notify_watchdog(), 0); /* another process's */
}

/* Slots */

static void slots_are_found_again_with_their_buckets(void **unused)
{
	struct slots slots, other;

	assert_int_equal(slots_open(-1, NULL, 8, &slots), 0);
	assert_false(slots.adopted);
	assert_int_equal(slots.slot[7].id, 0);
	slots.slot[3].id = 42;
	slots.slot[3].bucket[LIMIT_CALLS] = 777;
	/* While one has it, another sees the same bytes. */
	assert_int_equal(slots_open(slots.fd, NULL, 8, &other), 0);
	assert_true(other.adopted);
	other.slot[3].state = TENANT_SUSPENDED;
	assert_int_equal(slots.slot[3].state, TENANT_SUSPENDED);
	slots_close(&slots);
	assert_int_equal(other.slot[3].id, 42);
	assert_int_equal(other.slot[3].bucket[LIMIT_CALLS], 777);
	assert_true(ftruncate(other.fd, 0) < 0);
	slots_close(&other);
}

static void slots_of_another_size_are_taken_over(void **unused)
{
	struct slots small, large, smaller;

	assert_int_equal(slots_open(-1, NULL, 4, &small), 0);
	small.slot[1].id = 41;
	small.slot[3].id = 42;
	assert_int_equal(slots_open(small.fd, NULL, 1000, &large), 0);
	assert_true(large.adopted);
	assert_int_equal(large.count, 1000);
	assert_int_equal(large.slot[3].id, 42);
	assert_int_equal(large.slot[999].id, 0);
	assert_int_equal(slots_open(large.fd, NULL, 2, &smaller), 0);
	assert_int_equal(smaller.count, 2);
	assert_int_equal(smaller.slot[1].id, 41);
	slots_close(&small);
	slots_close(&large);
	slots_close(&smaller);
}

static void slots_outlive_everybody_in_a_file(void **unused)
{
	struct slots slots, again, memory;
	const char *path = scratch_path("slots"), *next = scratch_path("slots.new");

	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	/* Of another size than wanted, as any that another version left. */
	assert_int_equal(slots_open(-1, path, 8, &slots), 0);
	slots.slot[3].id = 42;
	slots.slot[3].bucket[LIMIT_CALLS] = 777;
	slots_close(&slots);
	assert_int_equal(slots_open(-1, path, 8, &again), 0);
	assert_true(again.adopted);
	assert_int_equal(again.slot[3].bucket[LIMIT_CALLS], 777);
	/* Who has what is in the file goes on with it. */
	assert_int_equal(slots_open(again.fd, path, 8, &slots), 0);
	slots.slot[3].state = TENANT_SUSPENDED;
	assert_int_equal(again.slot[3].state, TENANT_SUSPENDED);
	slots_close(&again);
	slots_close(&slots);
	/* A running dataplane's is younger than the file. */
	assert_int_equal(slots_open(-1, NULL, 8, &memory), 0);
	memory.slot[3].id = 43;
	assert_int_equal(slots_open(memory.fd, path, 8, &slots), 0);
	assert_int_equal(slots.slot[3].id, 43);
	slots_close(&memory);
	slots_close(&slots);
	/* What others may write is not believed. */
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(slots_open(-1, path, 8, &slots), 0);
	assert_false(slots.adopted);
	assert_int_equal(slots.slot[3].id, 0);
	slots_close(&slots);
	assert_int_equal(access(next, F_OK), -1);
	assert_true(slots_open(-1, "/nowhere/at/all", 8, &slots) < 0);
}

static struct tenant_slot live, wanted;

static void apply(uint64_t had, uint64_t had_tolerance, uint64_t has, uint64_t has_tolerance)
{
	live = wanted = (struct tenant_slot){.id = 1};
	live.limit[LIMIT_CALLS] = (struct gcra){had, had_tolerance};
	live.bucket[LIMIT_CALLS] = 99;
	wanted.limit[LIMIT_CALLS] = (struct gcra){has, has_tolerance};
	slot_apply(&live, &wanted);
	/* Of a limit that is taken away the tolerance stays: gcra_write(). */
	assert_int_equal(live.limit[LIMIT_CALLS].interval, has);
	assert_int_equal(live.limit[LIMIT_CALLS].tolerance, has ? has_tolerance : had_tolerance);
}

static void a_wider_limit_forgives_and_a_tighter_one_does_not(void **unused)
{
	apply(100, 1000, 100, 1000);
	assert_int_equal(live.bucket[LIMIT_CALLS], 99);
	apply(100, 1000, 200, 1000);
	assert_int_equal(live.bucket[LIMIT_CALLS], 99);
	apply(100, 1000, 100, 500);
	assert_int_equal(live.bucket[LIMIT_CALLS], 99);
	apply(0, 0, 100, 500);
	assert_int_equal(live.bucket[LIMIT_CALLS], 99);
	apply(100, 1000, 50, 500);
	assert_int_equal(live.bucket[LIMIT_CALLS], 0);
	apply(100, 1000, 100, 2000);
	assert_int_equal(live.bucket[LIMIT_CALLS], 0);
	apply(100, 1000, 0, 0);
	assert_int_equal(live.bucket[LIMIT_CALLS], 0);
}

static void a_slots_next_tenant_begins_with_full_buckets(void **unused)
{
	live = (struct tenant_slot){
		.id = 1, .state = TENANT_SUSPENDED, .bucket = {9, 9, 9, 9, 9, 9}};
	wanted = (struct tenant_slot){.id = 2, .flags = 3, .shadow = 4, .country = 5};
	slot_apply(&live, &wanted);
	assert_memory_equal(&live, &wanted, sizeof(live));
}

/* The word behind an option of the dataplane's command line, NULL: it is not there. */
static const char *argument(const struct dataplane_argv *argv, const char *option)
{
	for (unsigned i = 1; argv->list[i]; i += 2)
		if (strcmp(argv->list[i], option) == 0)
			return argv->list[i + 1];
	return NULL;
}

static void the_dataplane_is_told_what_the_configuration_says(void **unused)
{
	struct config *config = config_default();
	struct dataplane_argv argv;

	config->gate.mode = GATE_XDP;
	config->gate.workers = 3;
	config->gate.first_queue = 12;
	dataplane_argv_make(config, "/run/x", &argv);
	assert_string_equal(argument(&argv, "--mode"), "xdp");
	assert_string_equal(argument(&argv, "--workers"), "3");
	assert_string_equal(argument(&argv, "--first-queue"), "12");
	assert_string_equal(argument(&argv, "--socket"), "/run/x");
	assert_string_equal(argument(&argv, "--known"), "/var/lib/postern/known.recipients");
	assert_null(argument(&argv, "--lcores"));
	config->gate.mode = GATE_DPDK;
	dataplane_argv_make(config, "/run/x", &argv);
	assert_string_equal(argument(&argv, "--mode"), "dpdk");
	assert_null(argument(&argv, "--first-queue"));
	assert_null(argument(&argv, "--xdp-program"));
	config_free(config);
}

/* A child */

/* A child of a process that waits for it, or that is gone before it runs: its word, 0 without. */
static char word_of_a_child(bool orphan)
{
	int ends[2], status;
	char word = 0;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		const pid_t parent = getpid(), child = fork();

		if (child == 0) {
			while (orphan && getppid() == parent)
				sched_yield();
			child_confine("test", parent, UINT64_C(1) << 30, UINT64_C(60000000000));
			_exit(write(ends[1], "x", 1) != 1);
		}
		_exit(orphan ? 0 : child_wait(child));
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ends[0], &word, 1), orphan ? 0 : 1);
	close(ends[0]);
	return word;
}

static void a_child_whose_parent_is_gone_does_nothing(void **unused)
{
	assert_int_equal(word_of_a_child(false), 'x');
	assert_int_equal(word_of_a_child(true), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_one_line_whatever_is_in_it),
		TEST(many_of_one_message_are_kept_back_and_counted),
		TEST(the_service_manager_is_told_in_datagrams),
		TEST(without_a_service_manager_nothing_is_said),
		TEST(slots_are_found_again_with_their_buckets),
		TEST(slots_of_another_size_are_taken_over),
		TEST(slots_outlive_everybody_in_a_file),
		TEST(the_dataplane_is_told_what_the_configuration_says),
		TEST(a_wider_limit_forgives_and_a_tighter_one_does_not),
		TEST(a_slots_next_tenant_begins_with_full_buckets),
		TEST(a_child_whose_parent_is_gone_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
