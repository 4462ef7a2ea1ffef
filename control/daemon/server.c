/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/base/log.h"

#define WRITE_TIMEOUT 30        /* seconds without a byte taken */
#define IDLE_TIMEOUT  600       /* seconds without a request */
#define WAITING_MAX   (1 << 20) /* bytes of answers; beyond it no more requests are read */

#define TEXT(text) text, sizeof(text) - 1

#define ERROR(code, message) \
	TEXT("{\"ok\":false,\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}\n")

struct client {
	TAILQ_ENTRY(client) entry;
	struct server *server;
	struct bufferevent *stream;
	struct peer peer;
	void *data;
	bool busy;    /* a line waits for its answer */
	bool eof;     /* it will say no more; what it said is answered yet */
	bool ending;  /* goes when everything was written */
	bool gone;    /* goes as soon as nobody is inside it */
	bool inside;  /* one of its callbacks runs */
	bool follows; /* something was pushed to it */
	struct event *file_comes;
	int file; /* -1: none */
};

TAILQ_HEAD(client_list, client);

struct server {
	struct server_config config;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *again; /* accepts after a failure */
	struct client_list clients;
	struct server_stats stats;
};

static void client_free(struct client *c)
{
	struct server *s = c->server;

	s->config.gone(s->config.ctx, c);
	TAILQ_REMOVE(&s->clients, c, entry);
	s->stats.now--;
	bufferevent_free(c->stream);
	if (c->file_comes)
		event_free(c->file_comes);
	if (c->file >= 0)
		close(c->file);
	free(c);
}

static size_t waiting(const struct client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->stream));
}

/* Every callback's end: the one place in which a client goes. */
static void client_settle(struct client *c)
{
	c->inside = false;
	if (c->eof && !c->busy && waiting(c) < WAITING_MAX)
		c->ending = true;
	if (c->ending && !waiting(c))
		c->gone = true;
	if (c->gone)
		client_free(c);
}

static void lines_take(struct client *c)
{
	struct evbuffer *input = bufferevent_get_input(c->stream);

	while (!c->busy && !c->ending && !c->gone && waiting(c) < WAITING_MAX) {
		size_t len;
		char *line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);

		if (!line) {
			if (evbuffer_get_length(input) < SERVER_LINE_MAX)
				return;
			len = SERVER_LINE_MAX;
		}
		c->server->stats.lines++;
		if (len >= SERVER_LINE_MAX) {
			c->server->stats.too_long++;
			client_reply_last(c,
					  ERROR("too_long", "a request has at most 65535 bytes"));
		} else {
			c->busy = true;
			c->server->config.line(c->server->config.ctx, c, line, len);
		}
		free(line);
	}
}

static void on_read(struct bufferevent *stream, void *ctx)
{
	struct client *c = ctx;

	if (c->ending) {
		evbuffer_drain(bufferevent_get_input(stream), SIZE_MAX);
		return;
	}
	c->inside = true;
	lines_take(c);
	client_settle(c);
}

static void on_written(struct bufferevent *stream, void *ctx)
{
	struct client *c = ctx;

	c->inside = true;
	lines_take(c);
	client_settle(c);
}

static void on_event(struct bufferevent *stream, short what, void *ctx)
{
	struct client *c = ctx;

	c->inside = true;
	if (what & BEV_EVENT_TIMEOUT && what & BEV_EVENT_WRITING)
		c->server->stats.cut_off++;
	/* A client may say all it has to say, shut its side down, and wait for the answers. */
	if (what & BEV_EVENT_EOF && !c->follows)
		c->eof = true;
	else if (what & BEV_EVENT_TIMEOUT && what & BEV_EVENT_READING && (c->follows || c->busy))
		bufferevent_enable(stream, EV_READ);
	else
		c->gone = true;
	client_settle(c);
}

/* Told so in one line, if its socket takes it at once, and closed. */
static void refuse(int fd, const char *text, size_t len)
{
	ssize_t sent = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)sent;
	close(fd);
}

static bool admit(struct server *s, int fd, struct peer *peer)
{
	if (peer_of(fd, &s->config.groups, peer) != 0 || peer->privilege == PRIVILEGE_NONE) {
		s->stats.refused++;
		refuse(fd, ERROR("denied",
				 "only root, posternd's own user and members of its groups "
				 "(gate.control.group, gate.control.read_group) may talk to it"));
		return false;
	}
	if (s->stats.now >= s->config.clients) {
		s->stats.full++;
		refuse(fd, ERROR("busy", "too many connections (gate.control.clients)"));
		return false;
	}
	return true;
}

static void accept_again(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	evconnlistener_enable(s->listener);
}

/* No descriptor is left, most likely: no use in trying before somebody has gone. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	static const struct timeval pause = {1, 0};
	struct server *s = ctx;

	log_warning("a connection could not be accepted", "error=%s", log_text(strerror(errno)));
	evconnlistener_disable(listener);
	evtimer_add(s->again, &pause);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int len, void *ctx)
{
	static const struct timeval idle = {IDLE_TIMEOUT, 0}, stuck = {WRITE_TIMEOUT, 0};
	struct server *s = ctx;
	struct peer peer;
	struct client *c;

	if (!admit(s, fd, &peer))
		return;
	c = calloc(1, sizeof(*c));
	if (c)
		c->stream = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->stream) {
		free(c);
		close(fd);
		return;
	}
	c->server = s;
	c->file = -1;
	c->peer = peer;
	TAILQ_INSERT_TAIL(&s->clients, c, entry);
	s->stats.accepted++;
	s->stats.now++;
	bufferevent_setcb(c->stream, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->stream, EV_READ, 0, SERVER_LINE_MAX + 1);
	bufferevent_set_timeouts(c->stream, &idle, &stuck);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

/* Whether somebody listens there. */
static bool answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 &&
		   (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		    errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

/*
 * Bound beside the path and renamed over it: nobody ever finds no socket there. Everybody may
 * connect, so that who may not command is told so in words.
 */
static int bind_at(int fd, const struct sockaddr_un *address)
{
	struct sockaddr_un new = *address;

	if (strlen(address->sun_path) + sizeof(".new") > sizeof(new.sun_path))
		return -ENAMETOOLONG;
	strcat(new.sun_path, ".new");
	unlink(new.sun_path);
	if (bind(fd, (const struct sockaddr *)&new, sizeof(new)) != 0)
		return -errno;
	if (chmod(new.sun_path, 0666) != 0 || listen(fd, 64) != 0 ||
	    rename(new.sun_path, address->sun_path) != 0) {
		int rc = -errno;

		unlink(new.sun_path);
		return rc;
	}
	return 0;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, rc;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (answers(&address))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	rc = bind_at(fd, &address);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int server_open(struct event_base *base, const struct server_config *config,
		struct server **serverp)
{
	struct server *s = calloc(1, sizeof(*s));
	int fd = s ? listen_at(config->path) : -ENOMEM;

	if (fd < 0) {
		free(s);
		return fd;
	}
	s->config = *config;
	s->base = base;
	TAILQ_INIT(&s->clients);
	s->listener = evconnlistener_new(base, on_accept, s,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	s->again = evtimer_new(base, accept_again, s);
	if (!s->listener || !s->again) {
		if (!s->listener)
			close(fd);
		server_close(s);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	*serverp = s;
	return 0;
}

/* The path stays: whoever comes next takes it over, and until then it says "nobody listens". */
void server_close(struct server *s)
{
	struct client *c;

	if (!s)
		return;
	if (s->listener)
		evconnlistener_free(s->listener); /* closes its descriptor */
	if (s->again)
		event_free(s->again);
	while ((c = TAILQ_FIRST(&s->clients)))
		client_free(c);
	free(s);
}

struct server_stats server_stats(const struct server *s)
{
	return s->stats;
}

const struct peer *client_peer(const struct client *c)
{
	return &c->peer;
}

void **client_data(struct client *c)
{
	return &c->data;
}

/* One byte and a descriptor; with anything else there is no telling where the next line begins. */
static int file_receive(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.room),
	};
	const struct cmsghdr *m;
	int file = -1;

	if (recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
		return -1;
	m = CMSG_FIRSTHDR(&msg);
	if (m && m->cmsg_level == SOL_SOCKET && m->cmsg_type == SCM_RIGHTS &&
	    m->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&file, CMSG_DATA(m), sizeof(file));
	return file;
}

static void on_file(evutil_socket_t fd, short what, void *ctx)
{
	struct client *c = ctx;

	c->inside = true;
	if (c->file >= 0)
		close(c->file);
	c->file = what & EV_READ ? file_receive(fd) : -1;
	if (c->file < 0)
		c->gone = true;
	else
		bufferevent_enable(c->stream, EV_READ);
	client_settle(c);
}

int client_want_file(struct client *c)
{
	static const struct timeval patience = {WRITE_TIMEOUT, 0};

	if (!c->file_comes)
		c->file_comes = event_new(c->server->base, bufferevent_getfd(c->stream), EV_READ,
					  on_file, c);
	if (!c->file_comes || event_add(c->file_comes, &patience) != 0)
		return -ENOMEM;
	return bufferevent_disable(c->stream, EV_READ) == 0 ? 0 : -EIO;
}

int client_file(struct client *c)
{
	int file = c->file;

	c->file = -1;
	return file;
}

void client_reply(struct client *c, const char *text, size_t len)
{
	c->busy = false;
	if (bufferevent_write(c->stream, text, len) != 0) {
		c->ending = true;
		return;
	}
	/* An answer that came later: what the client said meanwhile waits in its buffer. */
	if (!c->inside && !c->ending)
		bufferevent_trigger(c->stream, EV_READ,
				    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void client_reply_last(struct client *c, const char *text, size_t len)
{
	client_reply(c, text, len);
	c->ending = true;
}

bool client_push(struct client *c, const char *text, size_t len)
{
	c->follows = true;
	if (c->gone || c->ending)
		return false;
	if (waiting(c) + len <= c->server->config.follow_buffer &&
	    bufferevent_write(c->stream, text, len) == 0)
		return true;
	c->server->stats.cut_off++;
	c->gone = true;
	/* Not here: the caller is walking its list of followers. */
	bufferevent_trigger(c->stream, EV_READ,
			    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
	return false;
}
