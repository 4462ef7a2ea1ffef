/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics/metrics_http.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdlib.h>

#include "control/base/log.h"
#include "control/daemon/daemon.h"
#include "control/metrics/metrics.h"

#define TIMEOUT_S   10
#define HEADERS_MAX 16384 /* bytes */

struct metrics_http {
	struct evhttp *http;
	struct daemon *daemon;
};

static void on_metrics(struct evhttp_request *request, void *ctx)
{
	struct metrics_http *m = ctx;
	struct evbuffer *body = evbuffer_new();

	if (!body || metrics_write(m->daemon, body) != 0) {
		evhttp_send_error(request, HTTP_INTERNAL, "no memory");
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
				  "text/plain; version=0.0.4; charset=utf-8");
		evhttp_send_reply(request, HTTP_OK, "OK", body);
	}
	if (body)
		evbuffer_free(body);
}

static void on_other(struct evhttp_request *request, void *ctx)
{
	evhttp_send_error(request, HTTP_NOTFOUND, "there is /metrics and nothing else");
}

int metrics_http_open(struct daemon *d)
{
	char host[CONFIG_HOST_SIZE];
	struct metrics_http *m;
	uint16_t port;

	if (!config_listen_parse(d->config->gate.metrics_listen, host, &port))
		return 0; /* "": nobody wants any */
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->daemon = d;
	m->http = evhttp_new(d->base);
	if (!m->http || evhttp_bind_socket(m->http, host, port) != 0) {
		metrics_http_close(m);
		return -EADDRINUSE;
	}
	evhttp_set_timeout(m->http, TIMEOUT_S);
	evhttp_set_max_headers_size(m->http, HEADERS_MAX);
	evhttp_set_max_body_size(m->http, 0);
	evhttp_set_allowed_methods(m->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_cb(m->http, "/metrics", on_metrics, m);
	evhttp_set_gencb(m->http, on_other, m);
	d->metrics = m;
	return 0;
}

void metrics_http_close(struct metrics_http *m)
{
	if (!m)
		return;
	if (m->http)
		evhttp_free(m->http);
	free(m);
}
