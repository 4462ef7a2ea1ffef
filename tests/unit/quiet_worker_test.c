/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker makes no system call of its own, whatever passes: recorded mails and calls, with limits,
 * lists, rules and refusals in force. */
#include "tests/unit/quiet.h"

#include <dirent.h>

#include <rte_ring.h>

#include "control/policy/policy_build.h"
#include "dataplane/capture/capture_reader.h"
#include "dataplane/sip/calls.h"
#include "tests/gate_fixture.h"
#include "tests/rules_fixture.h"

#define CAPTURES POSTERN_ROOT "/tests/replay/captures"
#define FRAMES   8192

static struct policy *policy;
static struct rules_fixture rules;
static struct gate *gate;
static struct port_capture port;
static struct worker *worker;
static struct capture_frame frame[FRAMES];
static unsigned frames;

/* Before the child begins: reading files takes system calls. */
static void read_capture(const char *path)
{
	char error[CAPTURE_ERRBUF];
	struct capture_reader *reader;
	struct capture_packet p;

	assert_int_equal(capture_open(path, &reader, error), 0);
	while (capture_next(reader, &p) > 0) {
		uint8_t *copy = malloc(p.caplen + 1u);

		assert_true(copy && frames < FRAMES);
		memcpy(copy, p.data, p.caplen);
		frame[frames] = (struct capture_frame){
			.data = copy,
			.len = p.caplen,
			.wirelen = p.wirelen,
			.time = p.ts_ns,
			.number = frames + 1,
			.link = p.linktype,
		};
		frames++;
	}
	capture_close(reader);
}

static void read_captures(void)
{
	struct dirent **name;
	int n = scandir(CAPTURES, &name, NULL, alphasort);
	char path[512];

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		if (strstr(name[i]->d_name, ".pcapng")) {
			snprintf(path, sizeof(path), CAPTURES "/%s", name[i]->d_name);
			read_capture(path);
		}
		free(name[i]);
	}
	free(name);
}

static unsigned events;

static void count_event(void *ctx, const struct event_head *e)
{
	events++;
}

static void turns(void)
{
	struct rte_mbuf *m;

	do
		worker_turn(worker);
	while (worker->later_count || rte_ring_count(port.rx[0]));
	while (rte_ring_dequeue(port.tx[0], (void **)&m) == 0)
		rte_pktmbuf_free(m);
	event_ring_drain(worker->events, count_event, NULL);
}

/* What control and ports do with memory alone is done here too: the child has nobody else. */
static bool everything_passes(void)
{
	const uint64_t *reasons = worker->counters->reasons;

	for (unsigned i = 0; i < frames; i++) {
		struct rte_mbuf *m = port_capture_packet(gate, &frame[i]);

		if (!m || rte_ring_enqueue(port.rx[0], m) != 0)
			return false;
		if (i % BURST_RX == BURST_RX - 1)
			turns();
	}
	turns();
	worker_finish(worker);
	calls_flush(worker);
	turns();
	/* Of all kinds there was some. */
	return events > 500 && reasons[REASON_RULE] && reasons[REASON_LIMIT_MESSAGES] &&
	       reasons[REASON_LIMIT_CALLS] && reasons[REASON_OPT_OUT] &&
	       reasons[REASON_TENANT_SUSPENDED] && reasons[REASON_DO_NOT_CALL] &&
	       reasons[REASON_EMERGENCY_NUMBER] && reasons[REASON_SMTP_BARE_LF_END] &&
	       reasons[REASON_SMTP_ENCRYPTED];
}

static void a_worker_makes_no_system_call(void **state)
{
	assert_int_equal(quiet_run(everything_passes), QUIET_WELL);
}

static bool a_worker_that_asks_for_the_time(void)
{
	worker_turn(worker);
	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, NULL) != 0 && everything_passes();
}

static void one_would_be_seen(void **state)
{
	assert_int_equal(quiet_run(a_worker_that_asks_for_the_time), SYS_clock_gettime);
}

static const char rules_text[] =
	"reject smtp any any -> any any (msg:\"a test virus\"; file.data; "
	"content:\"EICAR-STANDARD-ANTIVIRUS-TEST-FILE\"; sid:1;)\n"
	"alert smtp any any -> any any (msg:\"a word\"; email.body_text; "
	"pcre:\"/[a-z]{4,}ing\\b/i\"; sid:2;)\n"
	"alert smtp any any -> any any (msg:\"many mails\"; smtp.command; content:\"MAIL\"; "
	"startswith; detection_filter:track by_src, count 5, seconds 60; sid:3;)\n"
	"alert sip any any -> any any (msg:\"a call\"; sip.method; content:\"INVITE\"; sid:4;)\n";

static int setup(void **state)
{
	struct gate_config gate_config = {
		.workers = 1,
		.options = {.inspect = true, .digests = true, .edits = true, .evidence = true},
		.events = true,
	};
	char error[GATE_ERROR];
	struct diag diag = {0};
	struct config *config = config_load(POSTERN_ROOT "/tests/replay/postern.conf", &diag);

	diag_print(&diag, stderr);
	policy = config ? policy_build(config, &diag) : NULL;
	config_free(config);
	diag_fini(&diag);
	assert_non_null(policy);
	rules_fixture_init(&rules, rules_text);
	assert_non_null(rules.ruleset);
	gate_config.policy = policy;
	gate_config.ruleset = rules.ruleset;
	gate_fixture_environment();
	assert_int_equal(gate_new(&gate_config, &gate, error), 0);
	assert_int_equal(port_capture_open(&port, gate, true, error), 0);
	worker = gate->worker[0];
	read_captures();
	return 0;
}

static int teardown(void **state)
{
	for (unsigned i = 0; i < frames; i++)
		free((void *)(uintptr_t)frame[i].data);
	port_capture_close(&port);
	gate_free(gate);
	rules_fixture_fini(&rules);
	policy_free(policy);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_makes_no_system_call),
		cmocka_unit_test(one_would_be_seen),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
