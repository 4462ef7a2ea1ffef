/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics over HTTP on the loopback, for Prometheus. Event loop. */
#ifndef POSTERN_CONTROL_METRICS_HTTP_H
#define POSTERN_CONTROL_METRICS_HTTP_H

struct daemon;
struct metrics_http;

/* Into daemon->metrics, NULL where none are wanted. 0, -EADDRINUSE or -ENOMEM. */
int metrics_http_open(struct daemon *daemon);
void metrics_http_close(struct metrics_http *metrics);

#endif
