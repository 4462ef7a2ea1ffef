/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/live/live_client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int say(const char *format, const char *path)
{
	fprintf(stderr, "postern: ");
	fprintf(stderr, format, path);
	fputc('\n', stderr);
	return 1;
}

/* What systemd knows of the unit, where there is systemd. */
static void say_unit(void)
{
	FILE *pipe;
	char line[256];

	if (access("/run/systemd/system", F_OK) != 0)
		return;
	pipe = popen("systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainStatus "
		     "posternd.service 2>/dev/null",
		     "r");
	if (!pipe)
		return;
	fprintf(stderr, "  posternd.service:");
	while (fgets(line, sizeof(line), pipe)) {
		line[strcspn(line, "\n")] = '\0';
		fprintf(stderr, " %s", line);
	}
	fprintf(stderr, "\n  its log: journalctl -u posternd\n");
	pclose(pipe);
}

static int explain(int error, const char *path)
{
	switch (error) {
	case ENOENT:
		say("posternd does not run: there is no socket %s", path);
		break;
	case ECONNREFUSED:
		say("posternd does not run: nobody listens at %s", path);
		break;
	case EACCES:
	case EPERM:
		return say("you may not reach %s: ask as root, or be in the group that "
			   "gate.control.group or gate.control.read_group names",
			   path);
	case ENOTSOCK:
	case EPROTOTYPE:
		return say("%s is no socket of posternd's", path);
	case EAGAIN:
		return say("posternd is too busy to answer at %s", path);
	default:
		fprintf(stderr, "postern: %s: %s\n", path, strerror(error));
		return 1;
	}
	fprintf(stderr, "  start it: systemctl start posternd, or posternd -c CONFIG; if its "
			"configuration has\n  another gate.control.path, say it: --socket PATH, or "
			"POSTERN_SOCKET\n");
	say_unit();
	return 1;
}

const char *live_socket(void)
{
	const char *socket = getenv("POSTERN_SOCKET");

	return socket && *socket ? socket : LIVE_SOCKET;
}

int live_open(struct live_client *c, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*c = (struct live_client){.path = path, .fd = -1};
	if (strlen(path) >= sizeof(address.sun_path))
		return say("%s is too long for a socket's path", path);
	strcpy(address.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return explain(errno, path);
	if (connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		c->in = fdopen(c->fd, "r");
	if (c->in)
		return 0;
	explain(errno, path);
	live_close(c);
	return 1;
}

void live_close(struct live_client *c)
{
	if (c->in)
		fclose(c->in);
	else if (c->fd >= 0)
		close(c->fd);
	free(c->line);
	*c = (struct live_client){.fd = -1};
}

static bool send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

int live_ask(struct live_client *c, const char *command, json_t *arguments)
{
	json_t *request = json_pack("{s:s, s:o*}", "command", command, "arguments", arguments);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;
	bool sent;

	json_decref(request);
	if (!text)
		return say("%s: no memory, or words that are no UTF-8", command);
	text[len] = '\n';
	sent = send_all(c->fd, text, len + 1);
	free(text);
	/* Who is refused can't send, and can read why. */
	return sent || errno == EPIPE ? 0 : say("%s: posternd has gone", c->path);
}

json_t *live_read(struct live_client *c, const char **text)
{
	ssize_t len = getline(&c->line, &c->room, c->in);

	if (text)
		*text = c->line;
	return len > 0 ? json_loadb(c->line, (size_t)len, 0, NULL) : NULL;
}

static void say_problem(const json_t *problem)
{
	const char *file = json_string_value(json_object_get(problem, "file"));
	json_int_t line = json_integer_value(json_object_get(problem, "line"));
	json_int_t column = json_integer_value(json_object_get(problem, "column"));

	if (file)
		fprintf(stderr, "%s:", file);
	if (line)
		fprintf(stderr, "%lld:", (long long)line);
	if (column)
		fprintf(stderr, "%lld:", (long long)column);
	fprintf(stderr, " %s: %s\n", json_string_value(json_object_get(problem, "severity")),
		json_string_value(json_object_get(problem, "message")));
}

void live_problems(const json_t *problems)
{
	json_t *problem;
	size_t i;

	json_array_foreach(problems, i, problem)
	{
		say_problem(problem);
	}
}

static void say_error(const json_t *error)
{
	live_problems(json_object_get(error, "problems"));
	fprintf(stderr, "postern: %s\n", json_string_value(json_object_get(error, "message")));
}

json_t *live_result(struct live_client *c)
{
	json_t *answer = live_read(c, NULL), *result;

	if (!answer) {
		say("%s: posternd ended the connection", c->path);
		return NULL;
	}
	result = json_incref(json_object_get(answer, "result"));
	if (!result)
		say_error(json_object_get(answer, "error"));
	json_decref(answer);
	return result;
}
