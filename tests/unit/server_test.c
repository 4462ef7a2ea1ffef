/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket of commands, with clients that do as they please. */
#include "control/daemon/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/unit/scratch.h"
#include "tests/unit/test.h"

static struct event_base *base;
static struct server *server;
static unsigned answered, gone;
static struct client *last; /* that said something */
static bool hold;           /* answers come later */
static size_t answer_size;  /* bytes; 0: the line itself */

static void on_line(void *ctx, struct client *client, const char *line, size_t len)
{
	static char text[1 << 20];

	last = client;
	answered++;
	if (hold)
		return;
	if (answer_size) {
		memset(text, 'a', answer_size);
		text[answer_size - 1] = '\n';
		client_reply(client, text, answer_size);
		return;
	}
	memcpy(text, line, len);
	text[len] = '\n';
	client_reply(client, text, len + 1);
}

static void on_gone(void *ctx, struct client *client)
{
	gone++;
	if (client == last)
		last = NULL;
}

static int setup(void **unused)
{
	struct server_config config = {
		.groups = {(gid_t)-1, (gid_t)-1},
		.clients = 3,
		.follow_buffer = 65536,
		.line = on_line,
		.gone = on_gone,
	};

	if (scratch_setup(unused))
		return -1;
	signal(SIGPIPE, SIG_IGN); /* as posternd does */
	answered = gone = 0;
	answer_size = 0;
	hold = false;
	last = NULL;
	base = event_base_new();
	config.path = scratch_path("socket");
	return server_open(base, &config, &server);
}

static int teardown(void **unused)
{
	server_close(server);
	event_base_free(base);
	return scratch_teardown(unused);
}

static void turn(void)
{
	for (unsigned i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	turn();
	return fd;
}

static int connect_one(void)
{
	return connect_to(scratch_path("socket"));
}

static void say(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN) {
			return;
		}
		turn();
	}
}

/* Everything that comes, and the end if there is one. */
static size_t hear(int fd, char *text, size_t size, bool *end)
{
	size_t len = 0;
	bool over = false;

	for (unsigned quiet = 0; quiet < 5 && len < size - 1 && !over;) {
		ssize_t n;

		turn();
		n = recv(fd, text + len, size - 1 - len, 0);
		over = n == 0 || (n < 0 && errno != EAGAIN);
		quiet = n > 0 ? 0 : quiet + 1;
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	if (end)
		*end = over;
	return len;
}

static void check_heard(int fd, const char *expected, bool ended)
{
	char text[4096];
	bool end;

	hear(fd, text, sizeof(text), &end);
	assert_string_equal(text, expected);
	assert_int_equal(end, ended);
}

static void a_line_is_answered_however_it_is_split(void **unused)
{
	static const char text[] = "one\n\ntwo and a half\n";

	for (size_t first = 0; first < sizeof(text) - 1; first++) {
		int fd = connect_one();

		say(fd, text, first);
		say(fd, text + first, sizeof(text) - 1 - first);
		check_heard(fd, text, false);
		close(fd);
		turn();
	}
	assert_int_equal(server_stats(server).now, 0);
}

static void every_byte_by_itself(void **unused)
{
	static const char text[] = "one\ntwo\n";
	int fd = connect_one();

	for (const char *p = text; *p; p++)
		say(fd, p, 1);
	check_heard(fd, text, false);
	close(fd);
}

static void the_longest_line_passes_and_one_more_byte_ends_the_connection(void **unused)
{
	char *line = malloc(SERVER_LINE_MAX + 2), *text = malloc(SERVER_LINE_MAX + 256);
	int fd = connect_one();
	bool end;

	memset(line, 'x', SERVER_LINE_MAX + 2);
	line[SERVER_LINE_MAX - 1] = '\n';
	say(fd, line, SERVER_LINE_MAX);
	assert_int_equal(hear(fd, text, SERVER_LINE_MAX + 256, &end), SERVER_LINE_MAX);
	assert_false(end);
	line[SERVER_LINE_MAX - 1] = 'x';
	line[SERVER_LINE_MAX] = '\n';
	say(fd, line, SERVER_LINE_MAX + 1);
	hear(fd, text, SERVER_LINE_MAX + 256, &end);
	assert_non_null(strstr(text, "\"too_long\""));
	assert_true(end);
	assert_int_equal(server_stats(server).too_long, 1);
	close(fd);
	free(line);
	free(text);
}

static void a_line_without_an_end_is_not_waited_for(void **unused)
{
	char *text = malloc(SERVER_LINE_MAX + 1);
	int fd = connect_one();
	char answer[512];
	bool end;

	memset(text, 'x', SERVER_LINE_MAX + 1);
	/* Ten times as much as there is room for; nobody has to take it all. */
	for (int i = 0; i < 10; i++)
		say(fd, text, SERVER_LINE_MAX + 1);
	hear(fd, answer, sizeof(answer), &end);
	assert_true(end);
	assert_non_null(strstr(answer, "\"too_long\""));
	assert_int_equal(answered, 0);
	close(fd);
	free(text);
}

static void one_line_at_a_time_is_in_work(void **unused)
{
	int fd = connect_one();

	hold = true;
	say(fd, "one\ntwo\n", 8);
	turn();
	assert_int_equal(answered, 1);
	hold = false;
	client_reply(last, "1\n", 2);
	check_heard(fd, "1\ntwo\n", false);
	assert_int_equal(answered, 2);
	close(fd);
}

static void who_said_all_and_shut_down_gets_all_answers(void **unused)
{
	int fd = connect_one();

	hold = true;
	say(fd, "one\ntwo\nthree", 13);
	shutdown(fd, SHUT_WR);
	turn();
	assert_int_equal(answered, 1);
	hold = false;
	client_reply(last, "1\n", 2);
	check_heard(fd, "1\ntwo\n", true);
	assert_int_equal(server_stats(server).now, 0);
	close(fd);
}

static void who_goes_while_an_answer_is_made_is_told_of(void **unused)
{
	int fd = connect_one();

	hold = true;
	say(fd, "one\n", 4);
	turn();
	close(fd);
	turn();
	/* Its side may only have been shut down: the answer is what finds out. */
	if (last)
		client_reply(last, "1\n", 2);
	turn();
	assert_int_equal(gone, 1);
	assert_int_equal(server_stats(server).now, 0);
}

static void who_does_not_read_is_not_read_from(void **unused)
{
	int fd = connect_one();
	char text[1024];
	unsigned asked = 0;

	answer_size = 1 << 19;
	for (; asked < 1000; asked++) {
		if (send(fd, "more\n", 5, MSG_NOSIGNAL) != 5)
			break;
		turn();
	}
	/* 1 MiB may wait, and what the kernel holds; 500 MiB may not. */
	assert_in_range(answered, 2, 10);
	while (hear(fd, text, sizeof(text), NULL) > 0 && answered < 20)
		;
	assert_true(answered > 3);
	close(fd);
	turn();
	assert_int_equal(server_stats(server).now, 0);
}

static void a_slow_reader_of_events_is_cut_off_and_counted(void **unused)
{
	int slow = connect_one(), quick = connect_one();
	struct client *slow_client, *quick_client;
	char line[1024], text[2048];
	unsigned pushed = 0, received = 0;

	say(slow, "s\n", 2);
	slow_client = last;
	say(quick, "q\n", 2);
	quick_client = last;
	check_heard(quick, "q\n", false);
	memset(line, 'e', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	while (client_push(slow_client, line, sizeof(line)) && pushed < 100000) {
		pushed++;
		assert_true(client_push(quick_client, line, sizeof(line)));
		received += hear(quick, text, sizeof(text), NULL) == sizeof(line);
	}
	assert_in_range(pushed, 64, 5000);
	assert_int_equal(received, pushed);
	assert_int_equal(server_stats(server).cut_off, 1);
	turn();
	assert_int_equal(gone, 1);
	assert_int_equal(server_stats(server).now, 1);
	assert_true(client_push(quick_client, line, sizeof(line)));
	close(slow);
	close(quick);
}

static void one_too_many_is_told_so(void **unused)
{
	int fd[4];
	char text[512];
	bool end;

	for (int i = 0; i < 4; i++)
		fd[i] = connect_one();
	hear(fd[3], text, sizeof(text), &end);
	assert_true(end);
	assert_non_null(strstr(text, "\"busy\""));
	assert_int_equal(server_stats(server).full, 1);
	close(fd[0]);
	turn();
	close(fd[3]);
	fd[3] = connect_one();
	say(fd[3], "x\n", 2);
	check_heard(fd[3], "x\n", false);
	for (int i = 1; i < 4; i++)
		close(fd[i]);
}

static void a_second_server_leaves_the_first_alone_and_a_dead_ones_path_is_taken(void **unused)
{
	struct server_config config = {.clients = 1, .line = on_line, .gone = on_gone};
	struct server *other;
	int fd;

	config.path = scratch_path("socket");
	assert_int_equal(server_open(base, &config, &other), -EADDRINUSE);
	fd = connect_one();
	say(fd, "x\n", 2);
	check_heard(fd, "x\n", false);
	close(fd);

	config.path = scratch_path("dead");
	assert_int_equal(server_open(base, &config, &other), 0);
	server_close(other);
	assert_int_equal(access(config.path, F_OK), 0);
	assert_int_equal(server_open(base, &config, &other), 0);
	fd = connect_to(config.path);
	say(fd, "x\n", 2);
	check_heard(fd, "x\n", false);
	close(fd);
	server_close(other);
}

static void strangers_are_told_who_may(void **unused)
{
	int result;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("only root can become somebody else\n");
		skip();
	}
	chmod(scratch_dir, 0755);
	pid = fork();
	if (pid == 0) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		char text[512] = "";
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		strcpy(address.sun_path, scratch_path("socket"));
		if (setgid(65534) || setuid(65534) ||
		    connect(fd, (struct sockaddr *)&address, sizeof(address)))
			_exit(1);
		if (recv(fd, text, sizeof(text) - 1, 0) <= 0)
			_exit(2);
		_exit(strstr(text, "\"denied\"") && recv(fd, text, 1, 0) == 0 ? 0 : 3);
	}
	while (waitpid(pid, &result, WNOHANG) == 0)
		turn();
	assert_int_equal(result, 0);
	assert_int_equal(server_stats(server).refused, 1);
	assert_int_equal(server_stats(server).now, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_answered_however_it_is_split),
		TEST(every_byte_by_itself),
		TEST(the_longest_line_passes_and_one_more_byte_ends_the_connection),
		TEST(a_line_without_an_end_is_not_waited_for),
		TEST(one_line_at_a_time_is_in_work),
		TEST(who_said_all_and_shut_down_gets_all_answers),
		TEST(who_goes_while_an_answer_is_made_is_told_of),
		TEST(who_does_not_read_is_not_read_from),
		TEST(a_slow_reader_of_events_is_cut_off_and_counted),
		TEST(one_too_many_is_told_so),
		TEST(a_second_server_leaves_the_first_alone_and_a_dead_ones_path_is_taken),
		TEST(strangers_are_told_who_may),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
