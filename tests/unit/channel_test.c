/* SPDX-License-Identifier: BSD-3-Clause */
/* The channel from control to the dataplane, with peers that do as they please. */
#include "dataplane/live/control_channel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/daemon/channel_client.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct channel channel;
static char path[128];
static pthread_t thread;
static _Atomic bool stop;
static _Atomic unsigned requests, complaints;
static _Atomic int shared_fd = -1;

/* Says what it got: how many bytes the descriptor has, -1 without one. */
static int on_request(void *ctx, const struct channel_request *request, int fd,
		      struct channel_reply *reply)
{
	struct stat st;

	requests++;
	reply->status.shm_size = fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
	reply->status.policy_generation = request->generation;
	if (request->type == CHANNEL_RULESET) {
		reply->error = -EINVAL;
		snprintf(reply->words, sizeof(reply->words), "not a ruleset");
	}
	return request->type == CHANNEL_HELLO ? shared_fd : -1;
}

static void on_complaint(void *ctx, const char *words)
{
	complaints++;
}

static void *serve(void *unused)
{
	while (!stop) {
		struct pollfd fds[CHANNEL_FDS];
		unsigned n = channel_poll(&channel, fds);

		if (poll(fds, n, 20) > 0)
			channel_serve(&channel, fds, n);
	}
	return NULL;
}

static int setup(void **state)
{
	const struct channel_handler handler = {on_request, on_complaint, NULL};
	char error[CHANNEL_WORDS];

	if (scratch_setup(state))
		return -1;
	snprintf(path, sizeof(path), "%s", scratch_path("channel"));
	stop = false;
	requests = complaints = 0;
	if (channel_open(&channel, path, &handler, error) != 0)
		return -1;
	return pthread_create(&thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
	stop = true;
	pthread_join(thread, NULL);
	channel_close(&channel);
	if (access(path, F_OK) == 0)
		return -1;
	return scratch_teardown(state);
}

static int client(void)
{
	int fd = channel_connect(path, 20000);

	assert_true(fd >= 0);
	return fd;
}

/* A call that is served; a client that was let go a moment ago may still be in the way. */
static int client_served(void)
{
	struct channel_request request = channel_request_of(CHANNEL_STATUS);
	struct channel_reply reply;

	for (;;) {
		int fd = client();

		assert_int_equal(channel_call(fd, &request, -1, &reply, NULL), 0);
		if (reply.error == 0)
			return fd;
		assert_int_equal(reply.error, -EBUSY);
		close(fd);
	}
}

static unsigned open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void requests_and_descriptors_go_both_ways(void **state)
{
	struct channel_request request = channel_request_of(CHANNEL_HELLO);
	struct channel_reply reply;
	int fd = client(), got = -1;
	int file = open(scratch_path("file"), O_RDWR | O_CREAT, 0600);
	struct stat sent, came;
	char words[CHANNEL_WORDS];

	assert_int_equal(ftruncate(file, 1234), 0);
	shared_fd = file;
	request.id = 77;
	request.generation = 5;
	assert_int_equal(channel_call(fd, &request, file, &reply, &got), 0);
	assert_int_equal(reply.id, 77);
	assert_int_equal(reply.status.shm_size, 1234);
	assert_int_equal(reply.status.policy_generation, 5);
	assert_true(got >= 0);
	fstat(file, &sent);
	fstat(got, &came);
	assert_int_equal(sent.st_ino, came.st_ino);
	close(got);
	assert_int_equal(channel_push(fd, CHANNEL_POLICY, "abc", 3, 9, words), 0);
	assert_int_equal(channel_push(fd, CHANNEL_RULESET, NULL, 0, 9, words), -EINVAL);
	assert_string_equal(words, "not a ruleset");
	shared_fd = -1;
	close(file);
	close(fd);
}

static void the_second_client_is_told_to_wait(void **state)
{
	struct channel_request request = channel_request_of(CHANNEL_STATUS);
	struct channel_reply reply;
	int first = client_served(), second = client();

	assert_int_equal(channel_call(second, &request, -1, &reply, NULL), 0);
	assert_int_equal(reply.error, -EBUSY);
	assert_string_not_equal(reply.words, "");
	assert_true(channel_call(second, &request, -1, &reply, NULL) < 0);
	assert_int_equal(channel_call(first, &request, -1, &reply, NULL), 0);
	assert_int_equal(reply.error, 0);
	close(second);
	close(first);
	close(client_served());
}

/* recv(), which with a timeout doesn't begin again after a stop (signal(7)). */
static ssize_t receive_raw(int fd, void *to, size_t size)
{
	ssize_t n;

	do {
		n = recv(fd, to, size, 0);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* One raw packet; the reply's error, 0 if the peer just hung up. */
static int send_raw(const void *data, size_t size, const int *fds, unsigned count)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control = {0};
	struct iovec io = {(void *)(uintptr_t)data, size};
	struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};
	struct channel_reply reply = {0};
	int fd = client_served();
	ssize_t n;

	if (count) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.head = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	}
	/* There is room for it: it isn't waited for. */
	assert_int_equal(sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT), size);
	n = receive_raw(fd, &reply, sizeof(reply));
	if (n > 0) {
		assert_int_equal(n, sizeof(reply));
		/* Hung up on afterwards. */
		assert_int_equal(receive_raw(fd, &reply.pad, sizeof(reply.pad)), 0);
	}
	close(fd);
	return reply.error;
}

static void messages_that_are_none_are_refused_and_the_next_client_is_served(void **state)
{
	struct channel_request request = channel_request_of(CHANNEL_STATUS), bad;
	uint8_t junk[4096];
	unsigned served;

	memset(junk, 0x5a, sizeof(junk));
	served = requests;
	for (size_t size = 1; size < sizeof(request); size++)
		assert_int_equal(send_raw(&request, size, NULL, 0), -EPROTO);
	assert_int_equal(send_raw(junk, sizeof(junk), NULL, 0), -EPROTO);
	assert_int_equal(send_raw(junk, sizeof(request), NULL, 0), -EPROTO);
	memcpy(junk, &request, sizeof(request));
	assert_int_equal(send_raw(junk, sizeof(request) + 1, NULL, 0), -EPROTO);
	bad = request;
	bad.version++;
	assert_int_equal(send_raw(&bad, sizeof(bad), NULL, 0), -EPROTO);
	bad = request;
	bad.type = 0;
	assert_int_equal(send_raw(&bad, sizeof(bad), NULL, 0), -EPROTO);
	bad.type = 99;
	assert_int_equal(send_raw(&bad, sizeof(bad), NULL, 0), -EPROTO);
	assert_int_equal(complaints >= sizeof(request) + 5, true);
	/* Only client_served()'s own. */
	assert_int_equal(requests - served, sizeof(request) - 1 + 6);
}

static void descriptors_do_not_leak(void **state)
{
	struct channel_request request = channel_request_of(CHANNEL_SLOTS);
	int fds[12];
	unsigned before;

	for (unsigned i = 0; i < 12; i++)
		fds[i] = dup(0);
	close(client_served());
	before = open_fds();
	assert_int_equal(send_raw(&request, sizeof(request), fds, 2), -EPROTO);
	assert_int_equal(send_raw(&request, sizeof(request), fds, 12), -EPROTO);
	assert_int_equal(send_raw(&request, 3, fds, 5), -EPROTO);
	close(client_served());
	/* The client of the last call may not have been noticed to be gone. */
	assert_in_range(open_fds(), before - 1, before + 1);
	for (unsigned i = 0; i < 12; i++)
		close(fds[i]);
}

static void clients_come_and_go_in_the_middle_of_things(void **state)
{
	struct channel_request request = channel_request_of(CHANNEL_STATUS);

	for (unsigned i = 0; i < 200; i++) {
		int fd = client();

		if (i % 3)
			assert_true(send(fd, &request, sizeof(request), MSG_NOSIGNAL) != 0);
		close(fd);
	}
	close(client_served());
}

static void a_path_that_somebody_listens_on_is_not_taken(void **state)
{
	const struct channel_handler handler = {on_request, NULL, NULL};
	char error[CHANNEL_WORDS] = "";
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct channel other;
	int dead = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	FILE *file;

	assert_int_equal(channel_open(&other, path, &handler, error), -EADDRINUSE);
	assert_string_not_equal(error, "");
	close(client_served());
	/* What a process that was killed left behind is. */
	strcpy(addr.sun_path, scratch_path("dead"));
	assert_int_equal(bind(dead, (void *)&addr, sizeof(addr)), 0);
	close(dead);
	assert_int_equal(channel_open(&other, scratch_path("dead"), &handler, error), 0);
	channel_close(&other);
	/* A file of somebody's is left alone. */
	file = fopen(scratch_path("file"), "w");
	fclose(file);
	assert_int_equal(channel_open(&other, scratch_path("file"), &handler, error), -EADDRINUSE);
	assert_int_equal(access(scratch_path("file"), F_OK), 0);
	assert_int_equal(channel_open(&other, "", &handler, error), -ENAMETOOLONG);
}

static void without_a_dataplane_the_client_is_told(void **state)
{
	assert_int_equal(channel_connect(scratch_path("nobody"), 100), -ENOENT);
}

/* A peer that makes room only after some signals: it does so in their handler. */
static int listener, peer;
static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	struct channel_reply reply = {.magic = CHANNEL_MAGIC, .version = CHANNEL_VERSION};
	struct channel_request request;
	int saved = errno;

	if (++signals >= 3) {
		if (peer < 0)
			peer = accept(listener, NULL, NULL);
		while (peer >= 0 && recv(peer, &request, sizeof(request), MSG_DONTWAIT) > 0)
			send(peer, &reply, sizeof(reply), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	errno = saved;
}

static void signals_begin(void)
{
	const struct itimerval often = {{0, 2000}, {0, 2000}};

	signals = 0;
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void signals_end(void)
{
	const struct itimerval never = {0};

	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
}

static void a_signal_ends_no_call(void **state)
{
	struct channel_request request = channel_request_of(CHANNEL_STATUS);
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct channel_reply reply;
	int first, fd;

	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	strcpy(addr.sun_path, scratch_path("signals"));
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (void *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 0), 0);
	peer = -1;
	first = channel_connect(addr.sun_path, 20000);
	assert_true(first >= 0);
	/* There is no room for a second one until the first is let in. */
	signals_begin();
	fd = channel_connect(addr.sun_path, 20000);
	signals_end();
	assert_true(fd >= 0);
	assert_true(peer >= 0);
	/* Nor for a request, until others are read. */
	while (send(first, &request, sizeof(request), MSG_DONTWAIT) > 0)
		;
	signals_begin();
	assert_int_equal(channel_send(first, &request, -1), 0);
	signals_end();
	/* What came so far is read; the next answer is waited for. */
	while (recv(first, &reply, sizeof(reply), MSG_DONTWAIT) > 0)
		;
	signals_begin();
	assert_int_equal(channel_call(first, &request, -1, &reply, NULL), 0);
	signals_end();
	close(fd);
	close(peer);
	close(first);
	close(listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(requests_and_descriptors_go_both_ways),
		TEST(the_second_client_is_told_to_wait),
		TEST(messages_that_are_none_are_refused_and_the_next_client_is_served),
		TEST(descriptors_do_not_leak),
		TEST(clients_come_and_go_in_the_middle_of_things),
		TEST(a_path_that_somebody_listens_on_is_not_taken),
		TEST(without_a_dataplane_the_client_is_told),
		/* Signals are for the only thread. */
		cmocka_unit_test_setup_teardown(a_signal_ends_no_call, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
