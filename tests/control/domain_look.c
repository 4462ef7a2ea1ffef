/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Domains from standard input, a line each, looked up: domain-look SERVERS TIMEOUT_MS TRIES. It
 * says what becomes bad, and what isn't any more. The line "?" asks for the numbers, as JSON.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/dns/domain_lookup.h"

static struct event_base *base;
static struct domain_lookup *lookup;

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void on_changed(void *ctx, const char *domain, bool bad)
{
	printf("%s %s\n", domain, bad ? "bad" : "passes");
	fflush(stdout);
}

static void numbers(void)
{
	const struct domain_lookup_stats s = domain_lookup_stats(lookup);

	printf("{\"told\": %lu, \"known\": %lu, \"begun\": %lu, \"refused\": %lu, \"good\": %lu, "
	       "\"bad\": %lu, \"unknown\": %lu, \"bad_now\": %u}\n",
	       s.told, s.known, s.begun, s.refused, s.good, s.bad, s.unknown, s.bad_now);
	fflush(stdout);
}

/* A line comes whole: whoever writes it writes it at once. */
static void on_line(evutil_socket_t fd, short what, void *ctx)
{
	static char text[1 << 20];
	const ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len <= 0) {
		event_base_loopbreak(base);
		return;
	}
	text[len] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strcmp(line, "?") == 0)
			numbers();
		else
			domain_lookup_see(lookup, line, strlen(line), clock_now());
	}
}

int main(int argc, char **argv)
{
	struct resolver *resolver = NULL;
	struct event *input;

	base = event_base_new();
	if (argc != 4 || !base ||
	    resolver_new(base, argv[1], (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]),
			 &resolver) ||
	    domain_lookup_new(base, resolver, on_changed, NULL, &lookup))
		return 1;
	input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_line, NULL);
	if (!input || event_add(input, NULL) != 0)
		return 1;
	event_base_dispatch(base);
	event_free(input);
	resolver_free(resolver);
	domain_lookup_free(lookup);
	event_base_free(base);
	return 0;
}
