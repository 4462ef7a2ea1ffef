/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * postern-dataplane: the packet path between two ports. What is set up, in order, and taken down
 * the other way round: signals, EAL, shared memory, channel, policy, gate, ports, workers.
 */
#include <errno.h>
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bpf/siphash.h"
#include "dataplane/kernel_flow.h"
#include "dataplane/live/live.h"
#include "dataplane/live/live_keep.h"
#include "dataplane/policy/memory.h"
#include "dataplane/sip/calls.h"

#define EXIT_FAILED 1 /* could not start */
#define EXIT_HANGS  3 /* a worker does not end */

#define SECOND    UINT64_C(1000000000)
#define STALE     (2 * SECOND) /* a heartbeat older than that is told of */
#define BEGIN     (5 * SECOND) /* so long a worker may take for its first */
#define BASE_MB   64           /* what DPDK and its drivers need besides the gate */
#define CLOCK_FAR (5 * (int64_t)SECOND)

static struct live live = {.shm_fd = -1,
			   .channel = {.listener = -1, .client = -1},
			   .port = {{.port = PORT_NONE}, {.port = PORT_NONE}}};

/* Before any thread: all of them inherit it. */
static int signals_open(void)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool is_pci(const char *port)
{
	return strchr(port, ':') && strncmp(port, "net_", 4) != 0;
}

/* Free hugepages of 2 MiB, in megabytes. */
static size_t huge_free(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned long pages = 0;

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 2;
}

static size_t memory_needed(const struct live_options *o, bool devices)
{
	size_t packets = (size_t)o->workers * 16384 + port_live_buffers(o->queues);
	size_t bytes = packets * 16 + (size_t)o->tenants * 64 * (o->workers + 1);

	if (devices)
		bytes += packets * 2560 + (36u << 20);
	return o->memory ? o->memory : BASE_MB + o->workers * 8 + bytes / (1 << 20);
}

static int environment_open(const struct live_options *o, char error[GATE_ERROR])
{
	struct environment e = {.workers = o->workers, .cpus = o->lcores};
	unsigned devices = 0;

	for (unsigned i = 0; i < PORT_COUNT; i++)
		if (is_pci(o->port[i]))
			e.device[devices++] = o->port[i];
	e.megabytes = memory_needed(o, devices);
	e.huge = o->huge == HUGE_YES || (o->huge == HUGE_AUTO && huge_free() >= e.megabytes);
	live_log("info", "memory", "megabytes=%zu hugepages=%s", e.megabytes,
		 e.huge ? "yes" : "no");
	return gate_environment_start(&e, error);
}

/* An image in a file; its generation is the image's own. */
static int file_open(const char *path, struct image *image, char error[GATE_ERROR])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
	char words[CHANNEL_WORDS];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = -errno;
		snprintf(error, GATE_ERROR, "%.150s: %s", path, strerror(-rc));
	} else {
		rc = image_open(image, fd, (uint64_t)st.st_size, words, sizeof(words));
		if (rc)
			snprintf(error, GATE_ERROR, "%.100s: %.140s", path, words);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int snapshot_load(struct live *l, char error[GATE_ERROR])
{
	struct image image;
	int rc = 0;

	if (l->options.policy) {
		rc = file_open(l->options.policy, &image, error);
		if (!rc)
			rc = snapshot_policy_set(&l->snapshot, &image, 0, error, GATE_ERROR);
	}
	if (!rc && l->options.ruleset) {
		rc = file_open(l->options.ruleset, &image, error);
		if (!rc)
			rc = snapshot_rules_set(&l->snapshot, &image, 0, error, GATE_ERROR);
	}
	return rc;
}

/* True: it is to end. */
static bool serve(struct live *l, int signals, int timeout_ms)
{
	struct pollfd fds[1 + CHANNEL_FDS] = {{.fd = signals, .events = POLLIN}};
	unsigned n = channel_poll(&l->channel, fds + 1);

	if (poll(fds, 1 + n, timeout_ms) > 0)
		channel_serve(&l->channel, fds + 1, n);
	if (fds[0].revents) {
		live_log("info", "signal", "words=\"asked to end\"");
		return true;
	}
	return l->asked_to_stop;
}

/* Without a policy there is no telling how large anything is. */
static bool policy_wait(struct live *l, int signals)
{
	if (!snapshot_policy(&l->snapshot))
		live_log("info", "waiting", "socket=%s words=\"for a policy\"", l->channel.path);
	while (!snapshot_policy(&l->snapshot))
		if (serve(l, signals, -1))
			return false;
	return true;
}

static int gate_open(struct live *l, char error[GATE_ERROR])
{
	static uint8_t key[SIPHASH_KEY_SIZE];
	struct gate_config config = {
		.policy = snapshot_policy(&l->snapshot),
		.workers = l->options.workers,
		.options = {.inspect = true,
			    .live = true,
			    .edits = true,
			    .stage_one_done = l->options.mode == LIVE_XDP,
			    .digests = l->options.digests},
		.events = true,
		.slots = l->shm->slots,
		.shm = l->shm,
		.port_packets = port_live_buffers(l->options.queues),
		.devices = is_pci(l->options.port[0]) || is_pci(l->options.port[1]),
		.key = key,
	};
	int rc;

	memory_touch();
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -errno;
	rc = gate_new(&config, &l->gate, error);
	if (!rc)
		rc = snapshot_attach(&l->snapshot, l->gate);
	if (!rc && l->view.media)
		media_table_borrow(&l->gate->calls->urgent.media, &l->view, monotonic_ns());
	return rc;
}

static void ports_look(struct live *l)
{
	for (unsigned role = 0; role < PORT_COUNT; role++)
		port_live_status(&l->port[role], &l->shm->port[role]);
}

static bool workers_beat(const struct live *l)
{
	for (unsigned i = 0; i < l->options.workers; i++)
		if (!atomic_load(&shm_worker(l->shm, i)->heartbeat))
			return false;
	return true;
}

/*
 * Ready is who has begun: until then the failure policy acts, and a connection that began without
 * the gate stays unread. Who gets no CPU at all is seen by his heartbeat.
 */
static void workers_launch(struct live *l)
{
	uint64_t until = monotonic_ns() + BEGIN;

	for (unsigned i = 1; i <= l->options.workers; i++)
		rte_eal_remote_launch(live_worker, l, i);
	while (!workers_beat(l) && monotonic_ns() < until)
		usleep(1000);
	atomic_store_explicit(&l->shm->ready, 1, memory_order_release);
	live_log("info", "started", "pid=%u workers=%u socket=%s policy=%llu ruleset=%llu",
		 l->shm->pid, l->options.workers, l->channel.path,
		 (unsigned long long)snapshot_policy_generation(&l->snapshot),
		 (unsigned long long)snapshot_rules_generation(&l->snapshot));
}

/* Once when it begins, once when it is over. */
static void hearts_watch(struct live *l, uint32_t *stale)
{
	uint64_t now = monotonic_ns();

	for (unsigned i = 0; i < l->options.workers; i++) {
		uint64_t beat = atomic_load(&shm_worker(l->shm, i)->heartbeat);
		bool late = now > beat && now - beat > STALE; /* 0: has not begun */

		if (late != !!(*stale >> i & 1))
			live_log(late ? "error" : "info", "heartbeat", "worker=%u words=\"%s\"", i,
				 late ? "it hangs" : "it goes on");
		*stale = (*stale & ~(1u << i)) | (uint32_t)late << i;
	}
}

static void each_second(struct live *l, uint32_t *stale, bool *far)
{
	int64_t behind = live_clock_correct(&l->clock);
	bool is_far = behind > CLOCK_FAR || behind < -CLOCK_FAR;

	if (is_far && !*far)
		live_log("warning", "clock",
			 "behind_ms=%lld words=\"the system's clock was set; the gate's follows at "
			 "a "
			 "tenth of its speed\"",
			 (long long)behind / 1000000);
	*far = is_far;
	snapshot_list_time(&l->snapshot, (uint64_t)time(NULL));
	ports_look(l);
	hearts_watch(l, stale);
	live_keep_look(l);
	snapshot_tidy(&l->snapshot);
}

static void live_run(struct live *l, int signals)
{
	uint64_t next = monotonic_ns();
	uint32_t stale = 0;
	bool far = false;

	do {
		uint64_t now = monotonic_ns();

		if (now < next)
			continue;
		next = now + SECOND;
		each_second(l, &stale, &far);
	} while (!serve(l, signals, 200));
}

/* False: a worker does not come back. */
static bool workers_join(struct live *l)
{
	const struct timespec step = {.tv_nsec = 1000000};
	uint64_t until = monotonic_ns() + 10 * SECOND;

	atomic_store_explicit(&l->shm->stopping, 1, memory_order_release);
	atomic_store_explicit(&l->stop, true, memory_order_release);
	for (unsigned i = 1; i <= l->options.workers; i++) {
		while (rte_eal_get_lcore_state(i) == RUNNING) {
			if (monotonic_ns() > until)
				return false;
			nanosleep(&step, NULL);
		}
	}
	rte_eal_mp_wait_lcore();
	return true;
}

static int fail(const char *event, const char *error)
{
	live_log("error", event, "words=\"%s\"", error);
	return EXIT_FAILED;
}

/* From the gate on, when there is a policy. */
static int run(struct live *l, int signals)
{
	char error[GATE_ERROR] = "";
	int status = 0;

	live_clock_init(&l->clock);
	if (gate_open(l, error) != 0) {
		status = fail("gate", error);
		goto gate;
	}
	if (live_handover_open(l, error) != 0) {
		status = fail("gate", error);
		goto handover;
	}
	if (live_ports_open(l, error) != 0) {
		status = fail("port", error);
		goto handover;
	}
	live_keep_open(l);
	workers_launch(l);
	live_run(l, signals);
	if (!workers_join(l)) {
		channel_close(&l->channel);
		live_log("error", "stop", "words=\"a worker does not end\"");
		_exit(EXIT_HANGS);
	}
	live_keep_close(l);
	ports_look(l);
	live_ports_close(l);
handover:
	live_handover_close(l);
gate:
	gate_free(l->gate);
	l->gate = NULL;
	return status;
}

/* What posternd has put into the kernel: without it there is nothing to work with. */
static int kernel_open(struct live *l, char error[GATE_ERROR])
{
	char words[GATE_ERROR_SIZE];
	int rc;

	if (l->options.mode != LIVE_XDP)
		return 0;
	rc = gate_view_open(&l->view, GATE_BPFFS, words);
	if (rc) {
		snprintf(error, GATE_ERROR, "%.250s", words);
		return rc;
	}
	kernel_flow_forget_all(l->view.epochs);
	snapshot_slots_borrow(&l->snapshot, l->view.tenants, l->view.slots);
	return 0;
}

/* From the environment on. */
static int start(struct live *l, int signals)
{
	const struct channel_handler handler = live_handler(l);
	char error[GATE_ERROR] = "";
	struct timespec now;
	int status = 0;

	if (environment_open(&l->options, error) != 0)
		return fail("dpdk", error);
	clock_gettime(CLOCK_REALTIME, &now);
	l->started = (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
	if (live_shm_open(l) != 0 || snapshot_init(&l->snapshot, l->shm, l->options.workers) != 0) {
		status = fail("memory", "not enough for counters and events");
		goto shm;
	}
	if (kernel_open(l, error) != 0) {
		status = fail("maps", error);
		goto shm;
	}
	if (snapshot_load(l, error) != 0) {
		status = fail("snapshot", error);
		goto shm;
	}
	if (channel_open(&l->channel, l->options.socket, &handler, error) != 0) {
		status = fail("channel", error);
		goto shm;
	}
	if (policy_wait(l, signals))
		status = run(l, signals);
	channel_close(&l->channel);
shm:
	snapshot_fini(&l->snapshot);
	gate_view_close(&l->view);
	live_shm_close(l);
	gate_environment_end();
	live_log("info", "ended", "status=%d", status);
	return status;
}

int main(int argc, char **argv)
{
	bool done;
	int signals, status = live_options_parse(&live.options, argc, argv, &done);

	if (status || done)
		return status;
	signals = signals_open();
	if (signals < 0)
		return fail("signal", strerror(-signals));
	return start(&live, signals);
}
