/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
	int fd;
	struct sockaddr_un to;
	socklen_t len;
	uint64_t watchdog;
} state = {.fd = -1};

static uint64_t watchdog_of(const char *usec, const char *pid)
{
	if (!usec || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()))
		return 0;
	return strtoull(usec, NULL, 10);
}

void notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	notify_fini();
	state.watchdog = watchdog_of(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	/* A name in the abstract namespace is written with '@' (sd_notify(3)). */
	if (path && (path[0] == '/' || path[0] == '@') && path[1] &&
	    strlen(path) < sizeof(state.to.sun_path)) {
		state.to = (struct sockaddr_un){.sun_family = AF_UNIX};
		memcpy(state.to.sun_path, path, strlen(path));
		if (path[0] == '@')
			state.to.sun_path[0] = '\0';
		state.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
		state.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_fini(void)
{
	if (state.fd >= 0)
		close(state.fd);
	state.fd = -1;
	state.watchdog = 0;
}

int notify_send(const char *format, ...)
{
	char text[1024];
	va_list args;

	if (state.fd < 0)
		return 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (sendto(state.fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&state.to,
		   state.len) < 0)
		return -errno;
	return 0;
}

int notify_reloading(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return notify_send("RELOADING=1\nMONOTONIC_USEC=%llu",
			   (unsigned long long)ts.tv_sec * 1000000 +
				   (unsigned long long)ts.tv_nsec / 1000);
}

uint64_t notify_watchdog(void)
{
	return state.watchdog;
}
