/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/base/log.h"

struct supervisor {
	struct event_base *base;
	char **argv;
	void (*prepare)(void *ctx);
	void (*died)(void *ctx, pid_t pid, const char *how);
	void *ctx;
	struct event *again, *ended;
	int pidfd;
	uint64_t started; /* ms */
	bool wanted, held;
	struct supervisor_stats stats;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void plan(struct supervisor *s, uint64_t ms)
{
	const struct timeval pause = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

	if (s->wanted && !s->held && !s->stats.pid)
		evtimer_add(s->again, &pause);
}

static void describe(int status, char *how, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(how, size, "signal %d", WTERMSIG(status));
	else
		snprintf(how, size, "exit %d", WEXITSTATUS(status));
}

static uint64_t next_pause(const struct supervisor *s)
{
	uint64_t pause = s->stats.pause_ms * 2;

	if (now_ms() - s->started >= SUPERVISOR_SETTLED || pause < SUPERVISOR_PAUSE_MIN)
		return SUPERVISOR_PAUSE_MIN;
	return pause < SUPERVISOR_PAUSE_MAX ? pause : SUPERVISOR_PAUSE_MAX;
}

static void on_ended(evutil_socket_t fd, short what, void *ctx)
{
	struct supervisor *s = ctx;
	pid_t pid = s->stats.pid;
	char how[32] = "unknown";
	int status;

	if (waitpid(pid, &status, WNOHANG) == pid)
		describe(status, how, sizeof(how));
	event_free(s->ended);
	close(s->pidfd);
	s->ended = NULL;
	s->pidfd = -1;
	s->stats.pid = 0;
	s->stats.deaths++;
	s->stats.pause_ms = next_pause(s);
	s->died(s->ctx, pid, how);
	plan(s, s->stats.pause_ms);
}

__attribute__((noreturn)) static void child(struct supervisor *s)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* In a session of its own: a terminal's ^C is posternd's, and the wire goes on. */
	setsid();
	close_range(3, ~0U, 0);
	if (s->prepare)
		s->prepare(s->ctx);
	execv(s->argv[0], s->argv);
	fprintf(stderr, "level=error msg=\"can't be started\" program=%s error=%s\n",
		log_text(s->argv[0]), log_text(strerror(errno)));
	_exit(127);
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct supervisor *s = ctx;
	pid_t pid = fork();

	if (pid == 0)
		child(s);
	s->started = now_ms();
	if (pid > 0)
		s->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid > 0 && s->pidfd >= 0)
		s->ended = event_new(s->base, s->pidfd, EV_READ, on_ended, s);
	if (!s->ended || event_add(s->ended, NULL) != 0) {
		log_error("the dataplane can't be started", "error=%s", log_text(strerror(errno)));
		s->stats.pause_ms = SUPERVISOR_PAUSE_MAX;
		plan(s, s->stats.pause_ms);
		return;
	}
	s->stats.pid = pid;
	s->stats.starts++;
	log_info("dataplane started", "pid=%d program=%s", (int)pid, log_text(s->argv[0]));
}

static char **copy_argv(char *const argv[])
{
	size_t n = 0;
	char **copy;

	while (argv[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = strdup(argv[i]);
	return copy;
}

int supervisor_new(struct event_base *base, char *const argv[], void (*prepare)(void *ctx),
		   void (*died)(void *ctx, pid_t pid, const char *how), void *ctx,
		   struct supervisor **supervisorp)
{
	struct supervisor *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*s = (struct supervisor){
		.base = base, .prepare = prepare, .died = died, .ctx = ctx, .pidfd = -1};
	s->argv = copy_argv(argv);
	s->again = evtimer_new(base, on_again, s);
	if (!s->argv || !s->again) {
		supervisor_free(s);
		return -ENOMEM;
	}
	*supervisorp = s;
	return 0;
}

void supervisor_start(struct supervisor *s)
{
	s->wanted = true;
	plan(s, 0);
}

void supervisor_hold(struct supervisor *s, bool held)
{
	s->held = held;
	if (held)
		evtimer_del(s->again);
	else if (!evtimer_pending(s->again, NULL))
		plan(s, s->stats.pause_ms ? s->stats.pause_ms : SUPERVISOR_PAUSE_MIN);
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	if (s->ended)
		event_free(s->ended);
	if (s->again)
		event_free(s->again);
	if (s->pidfd >= 0)
		close(s->pidfd);
	for (char **arg = s->argv; arg && *arg; arg++)
		free(*arg);
	free(s->argv);
	free(s);
}

struct supervisor_stats supervisor_stats(const struct supervisor *s)
{
	return s->stats;
}
