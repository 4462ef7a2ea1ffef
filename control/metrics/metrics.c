/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/metrics/metrics.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "control/base/log.h"
#include "control/metrics/metrics_internal.h"

static const struct {
	const char *name, *type, *help;
	void (*write)(struct metrics_view *v);
} metrics[] = {
#define X(id, name, type, labels, help) {name, #type, help, metric_##id},
	METRICS(X)
#undef X
};

static void put(struct metrics_view *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct metrics_view *v, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (evbuffer_add_vprintf(v->out, format, args) < 0)
		v->failed = -ENOMEM;
	va_end(args);
}

static void put_labels(struct metrics_view *v, const char *labels, va_list args)
{
	put(v, "%s", v->name);
	if (labels[0] == '%') /* NO_LABELS */
		return;
	put(v, "{");
	if (evbuffer_add_vprintf(v->out, labels, args) < 0)
		v->failed = -ENOMEM;
	put(v, "}");
}

void sample(struct metrics_view *v, double value, const char *labels, ...)
{
	va_list args;

	va_start(args, labels);
	put_labels(v, labels, args);
	va_end(args);
	put(v, " %.15g\n", value);
}

void sample_count(struct metrics_view *v, uint64_t value, const char *labels, ...)
{
	va_list args;

	va_start(args, labels);
	put_labels(v, labels, args);
	va_end(args);
	put(v, " %llu\n", (unsigned long long)value);
}

const char *sample_label(const char *value)
{
	static char text[512];
	char *p = text;

	for (; *value && p < text + sizeof(text) - 3; value++) {
		if (*value == '\\' || *value == '"' || *value == '\n')
			*p++ = '\\';
		*p++ = (char)(*value == '\n' ? 'n' : *value);
	}
	*p = '\0';
	return text;
}

int metrics_write(struct daemon *d, struct evbuffer *out)
{
	struct counters *total = calloc(1, sizeof(*total));
	struct metrics_view v = {.daemon = d, .out = out, .total = total};

	if (!total)
		return -ENOMEM;
	v.memory = dataplane_memory(d->dataplane);
	v.last_tenant = metrics_last_tenant(d);
	counters_sum(v.memory, total);
	metrics_kernel_read(&v);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		v.name = metrics[i].name;
		put(&v, "# HELP %s %s\n# TYPE %s %s\n", v.name, metrics[i].help, v.name,
		    metrics[i].type);
		metrics[i].write(&v);
	}
	metrics_kernel_free(&v);
	free(total);
	return v.failed;
}

/* What posternd knows of itself */

void metric_build(struct metrics_view *v)
{
	sample_count(v, 1, "version=\"%s\"", v->daemon->version);
}

void metric_events(struct metrics_view *v)
{
	sample_count(v, v->daemon->pump.events, NO_LABELS);
}

void metric_events_lost(struct metrics_view *v)
{
	uint64_t damaged, lost = events_lost(v->memory, &damaged);

	sample_count(v, lost, "place=\"%s\"", "ring");
	sample_count(v, eve_log_stats(v->daemon->eve).lost, "place=\"%s\"", "log");
	sample_count(v, damaged + v->daemon->pump.bad, "place=\"%s\"", "damaged");
}

void metric_reloads(struct metrics_view *v)
{
	sample_count(v, v->daemon->reload.done, "result=\"%s\"", "done");
	sample_count(v, v->daemon->reload.failed, "result=\"%s\"", "failed");
}

void metric_connections(struct metrics_view *v)
{
	const struct server_stats s = server_stats(v->daemon->server);

	sample_count(v, s.accepted, "result=\"%s\"", "accepted");
	sample_count(v, s.refused, "result=\"%s\"", "denied");
	sample_count(v, s.full, "result=\"%s\"", "full");
	sample_count(v, s.cut_off, "result=\"%s\"", "cut_off");
}

void metric_clients(struct metrics_view *v)
{
	sample_count(v, server_stats(v->daemon->server).now, NO_LABELS);
}

void metric_requests(struct metrics_view *v)
{
	sample_count(v, server_stats(v->daemon->server).lines, NO_LABELS);
}

void metric_followers(struct metrics_view *v)
{
	sample_count(v, v->daemon->follow_stats.now, NO_LABELS);
}

void metric_log(struct metrics_view *v)
{
	for (enum log_level level = LOG_ERROR; level < LOG_LEVELS; level++)
		sample_count(v, log_lines(level), "level=\"%s\"", log_level_name(level));
}

void metric_log_suppressed(struct metrics_view *v)
{
	sample_count(v, log_suppressed(), NO_LABELS);
}

void metric_cpu(struct metrics_view *v)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) == 0)
		sample(v,
		       (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6,
		       NO_LABELS);
}

void metric_memory(struct metrics_view *v)
{
	unsigned long long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fscanf(file, "%llu %llu", &size, &resident) == 2)
		sample_count(v, resident * (uint64_t)sysconf(_SC_PAGESIZE), NO_LABELS);
	if (file)
		fclose(file);
}

void metric_start(struct metrics_view *v)
{
	sample(v, (double)v->daemon->started / 1e9, NO_LABELS);
}
