/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/daemon/show.h"

#include <stdlib.h>
#include <unistd.h>

#include "control/daemon/daemon.h"
#include "control/events/counters_json.h"
#include "control/kernel/kernel_json.h"

static json_t *worker_json(const struct shm_head *memory, unsigned i)
{
	struct shm_worker *w = shm_worker(memory, i);
	const bool runs = atomic_load(&memory->ready);

	return json_pack("{s:i, s:I, s:o, s:I, s:I}", "worker", (int)i, "lcore",
			 (json_int_t)w->lcore, "heartbeat_age_ms",
			 runs ? json_real((double)heartbeat_age(memory, i) / 1e6) : json_null(),
			 "policy_generation", (json_int_t)atomic_load(&w->policy_generation),
			 "ruleset_generation", (json_int_t)atomic_load(&w->ruleset_generation));
}

static json_t *workers_json(const struct shm_head *memory)
{
	json_t *workers = json_array();

	for (unsigned i = 0; memory && i < memory->workers; i++)
		json_array_append_new(workers, worker_json(memory, i));
	return workers;
}

static json_t *dataplane_json(const struct daemon *d)
{
	const struct shm_head *memory = dataplane_memory(d->dataplane);
	const struct channel_status *s = dataplane_status(d->dataplane);
	const struct supervisor_stats starts = d->supervisor ? supervisor_stats(d->supervisor)
							     : (struct supervisor_stats){0};

	return json_pack(
		"{s:b, s:s, s:o, s:o, s:b, s:I, s:I, s:I, s:o, s:b, s:I}", "up",
		dataplane_is_up(d->dataplane), "trouble",
		dataplane_is_up(d->dataplane) ? d->reload.refused : dataplane_trouble(d->dataplane),
		"pid", memory ? json_integer(s->pid) : json_null(), "version",
		memory ? json_stringn(memory->version,
				      strnlen(memory->version, sizeof(memory->version)))
		       : json_null(),
		"supervised", d->supervisor != NULL, "starts", (json_int_t)starts.starts, "deaths",
		(json_int_t)starts.deaths, "restart_in_ms",
		(json_int_t)(starts.pid ? 0 : starts.pause_ms), "workers", workers_json(memory),
		"stalled", d->watch.stalled, "stalls", (json_int_t)d->watch.stalls);
}

static json_t *events_json(const struct daemon *d)
{
	const struct eve_log_stats log = eve_log_stats(d->eve);
	uint64_t damaged, lost = events_lost(dataplane_memory(d->dataplane), &damaged);

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "path", d->config->gate.eve_path,
			 "lines", (json_int_t)log.lines, "lost_in_ring", (json_int_t)lost,
			 "lost_in_log", (json_int_t)log.lost, "rotations",
			 (json_int_t)log.rotations, "followers", (json_int_t)d->follow_stats.now,
			 "error", log.error ? strerror(log.error) : "");
}

static json_t *configuration_json(const struct daemon *d)
{
	const struct reload *r = &d->reload;

	return json_pack(
		"{s:s, s:I, s:o, s:I, s:I, s:I, s:b, s:o}", "path", d->config_path, "generation",
		(json_int_t)(d->roster ? d->roster->compiled->generation : 0), "counts",
		d->roster ? json_incref(json_object_get(d->roster->compiled->report, "counts"))
			  : json_null(),
		"loaded", (json_int_t)(r->last / 1000000000), "reloads", (json_int_t)r->done,
		"failures", (json_int_t)r->failed, "reloading", r->running, "problems",
		r->problems ? json_incref(r->problems) : json_array());
}

static json_t *daemon_json(const struct daemon *d)
{
	return json_pack("{s:s, s:i, s:I, s:i, s:s}", "version", d->version, "pid", (int)getpid(),
			 "uptime_s", (json_int_t)((daemon_time() - d->started) / 1000000000), "uid",
			 (int)geteuid(), "capabilities", d->capabilities);
}

enum command_outcome run_status(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;

	*result = json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "posternd", daemon_json(d),
			    "configuration", configuration_json(d), "dataplane", dataplane_json(d),
			    "mode", config_gate_mode_name((enum gate_mode)d->config->gate.mode),
			    "failure", config_failure_name((enum failure_policy)d->failure),
			    "events", events_json(d), "state", store_watch_json(d));
	return COMMAND_DONE;
}

static json_t *port_json(const struct shm_port *p, const char *side)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:I}",
			 "side", side, "name", p->name, "interface", p->iface, "driver", p->driver,
			 "up", p->link_up, "speed_mbit_s", (json_int_t)p->speed, "mtu",
			 (json_int_t)p->mtu, "queues", (json_int_t)p->queues, "rx_packets",
			 p->rx_packets, "rx_bytes", p->rx_bytes, "rx_missed", p->rx_missed,
			 "rx_errors", p->rx_errors, "rx_no_buffer", p->rx_nombuf, "tx_packets",
			 p->tx_packets, "tx_bytes", p->tx_bytes, "tx_errors", p->tx_errors);
}

static json_t *ports_json(const struct daemon *d)
{
	const struct shm_head *memory = dataplane_memory(d->dataplane);
	json_t *ports = json_array();

	for (unsigned side = 0; side < KERNEL_SIDES; side++) {
		const char *name = kernel_side_name((enum kernel_side)side);
		json_t *port = memory ? port_json(&memory->port[side], name) : NULL;

		/* What the kernel does on a port it does without a dataplane, too. */
		if (!port && d->kernel)
			port = json_pack("{s:s, s:s}", "side", name, "interface",
					 side == KERNEL_INSIDE ? d->config->gate.inside
							       : d->config->gate.outside);
		if (port && d->kernel)
			json_object_set_new(port, "kernel", kernel_port_json(d, side));
		if (port)
			json_array_append_new(ports, port);
	}
	return ports;
}

enum command_outcome run_ports(struct request *r, json_t **result)
{
	*result = json_pack("{s:o}", "ports", ports_json(r->daemon));
	return COMMAND_DONE;
}

static json_t *traffic_json(struct request *r)
{
	json_t *event = pump_stats(r->daemon), *stats;

	stats = json_incref(json_object_get(event, "stats"));
	json_decref(event);
	return stats;
}

enum command_outcome run_stats(struct request *r, json_t **result)
{
	if (!pump_has_stats(r->daemon))
		return request_error(r, "no_dataplane", "%s",
				     dataplane_trouble(r->daemon->dataplane));
	*result = traffic_json(r);
	return COMMAND_DONE;
}

enum command_outcome run_show(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;
	uint32_t suspended = 0, overridden = 0;

	for (uint32_t slot = 1; d->roster && slot < d->roster->count; slot++) {
		if (!d->roster->tenant[slot].id)
			continue;
		suspended += d->slots.slot[slot].state == TENANT_SUSPENDED;
		overridden += state_find(d->state, d->roster->tenant[slot].id) != NULL;
	}
	run_status(r, result);
	json_object_set_new(*result, "tenants",
			    json_pack("{s:I, s:I, s:I}", "count",
				      (json_int_t)(d->roster ? d->roster->tenants : 0), "suspended",
				      (json_int_t)suspended, "overridden", (json_int_t)overridden));
	json_object_set_new(*result, "ports", ports_json(d));
	if (pump_has_stats(d))
		json_object_set_new(*result, "stats", traffic_json(r));
	return COMMAND_DONE;
}

enum command_outcome run_failure(struct request *r, json_t **result)
{
	const struct daemon *d = r->daemon;

	*result = json_pack("{s:s, s:I, s:s}", "failure",
			    config_failure_name((enum failure_policy)d->failure), "heartbeat_ms",
			    (json_int_t)(d->heartbeat / 1000000), "held_by",
			    d->config->gate.mode == GATE_XDP ? "kernel" : "dataplane");
	return COMMAND_DONE;
}
