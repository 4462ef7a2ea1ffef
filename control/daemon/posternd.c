/* SPDX-License-Identifier: BSD-3-Clause */
/* posternd: everything comes to be here, in order, and goes in the reverse. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/base/log.h"
#include "control/base/privilege.h"
#include "control/daemon/channel_client.h"
#include "control/daemon/command.h"
#include "control/daemon/daemon.h"
#include "control/daemon/dataplane_argv.h"
#include "control/daemon/notify.h"
#include "control/metrics/metrics_http.h"
#include "control/store/audit_note.h"

#define SIGNALS  5
#define ARRAY_MS 2000 /* that a dataplane may take to answer at the start */

/* How long a running dataplane has to show itself before another one is started. */
static const struct timeval adoption = {0, 500000};

struct posternd {
	struct daemon daemon;
	struct event *signals[SIGNALS];
	struct event *adopt;
	enum log_level level;
};

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: posternd [-v] [--no-supervise] -c CONFIG\n"
		     "  -c, --config FILE  configuration\n"
		     "  --no-supervise     start no dataplane, whatever the configuration says\n"
		     "  -v, --verbose      say more\n"
		     "  --version          which version this is\n");
	return status;
}

/* -1: go on; else the exit status. */
static int parse_options(struct posternd *p, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"no-supervise", no_argument, NULL, 'n'},
		{"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},         {0},
	};
	int option;

	p->level = LOG_INFO;
	p->daemon.supervise = true;
	while ((option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			p->daemon.config_path = optarg;
			break;
		case 'n':
			p->daemon.supervise = false;
			break;
		case 'v':
			p->level = LOG_DEBUG;
			break;
		case 'V':
			printf("posternd %s\n", POSTERN_VERSION);
			return 0;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	}
	if (!p->daemon.config_path || optind != argc)
		return usage(stderr, 2);
	return -1;
}

static int fatal(const char *what, const char *why)
{
	log_error("can't start", "what=%s why=%s", log_text(what), log_text(why));
	return 1;
}

/* The directory of a path, or the path itself, for the user whom posternd becomes. */
static int make_dir(const char *path, const char *user, mode_t mode)
{
	uid_t uid;
	gid_t gid;

	if (mkdir(path, mode) != 0)
		return errno == EEXIST ? 0 : -errno;
	if (*user && geteuid() == 0 && privilege_user(user, &uid, &gid) == 0 &&
	    chown(path, uid, gid) != 0)
		return -errno;
	return 0;
}

static int make_dirs(const struct config_gate *g)
{
	char log_dir[PATH_MAX];
	const char *slash = strrchr(g->eve_path, '/');
	const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {{g->runtime_dir, 0755}, {g->state_dir, 0700}, {log_dir, 0750}};

	snprintf(log_dir, sizeof(log_dir), "%.*s", (int)(slash - g->eve_path), g->eve_path);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		int rc = *dirs[i].path ? make_dir(dirs[i].path, g->user, dirs[i].mode) : 0;

		if (rc)
			return fatal(dirs[i].path, strerror(-rc));
	}
	return 0;
}

static int load_config(struct daemon *d)
{
	struct diag diag = {0};
	bool good;

	d->config = config_load(d->config_path, &diag);
	good = d->config && !diag.errors;
	diag_print(&diag, stderr);
	diag_fini(&diag);
	if (!good)
		return fatal(d->config_path, "the configuration has errors");
	d->failure = d->config->gate.failure;
	d->heartbeat = d->config->gate.heartbeat;
	d->close_after = d->config->gate.close_after;
	d->optout_grace = d->config->optout_grace;
	d->flow_verdicts = d->config->gate.flow_verdicts;
	d->supervise = d->supervise && d->config->gate.supervise;
	return 0;
}

/* While it is root: the program is loaded and its maps are mapped once. */
static int open_kernel(struct daemon *d)
{
	char error[GATE_ERROR_SIZE] = "no memory";

	if (d->config->gate.mode != GATE_XDP)
		return 0;
	d->kernel = kernel_open(dataplane_xdp_program(&d->config->gate), error);
	return d->kernel ? 0 : fatal("the kernel's side (gate.mode \"xdp\")", error);
}

static int drop_privileges(struct daemon *d)
{
	const struct privilege_needs needs = {
		.bpf = d->config->gate.mode == GATE_XDP,
		.dataplane = d->supervise,
	};
	int rc = privilege_drop(d->config->gate.user, &needs, d->capabilities,
				sizeof(d->capabilities));

	if (rc)
		return fatal("privileges", d->capabilities);
	log_info("privileges", "uid=%u gid=%u capabilities=%s", geteuid(), getegid(),
		 log_text(d->capabilities));
	return 0;
}

static void dataplane_path(const struct daemon *d, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/dataplane.sock", d->config->gate.runtime_dir);
}

/* A running dataplane has them, or the file: states and buckets go on where they were left. */
static int open_slots(struct daemon *d)
{
	const uint32_t count = d->config->gate.tenants + 1;
	char path[PATH_MAX], file[PATH_MAX];
	int left, rc;

	if (d->kernel) {
		rc = kernel_slots(d->kernel, count, &d->slots);
		return rc ? fatal(GATE_BPFFS "/postern_tenants", strerror(-rc)) : 0;
	}
	dataplane_path(d, path);
	left = channel_array(path, ARRAY_MS);
	if (left < 0 && left != -ENOENT)
		log_warning("the dataplane's tenants can't be taken over", "error=%s",
			    log_text(strerror(-left)));
	snprintf(file, sizeof(file), "%s/tenants.%u", d->config->gate.runtime_dir, TENANT_ABI);
	rc = slots_open(left, file, count, &d->slots);
	if (left >= 0)
		close(left);
	if (rc)
		return fatal(file, strerror(-rc));
	if (d->slots.adopted)
		log_info("the tenants' states and buckets are taken over", "slots=%u",
			 d->slots.count);
	return 0;
}

static int open_store(struct daemon *d)
{
	char error[STORE_ERROR];

	if (store_open(d->config->gate.state_dir, store_parts, d->base, &d->store, error) != 0 ||
	    state_open(d->store, &d->state, error) != 0 ||
	    audit_open(d->store, &d->audit, error) != 0 ||
	    person_key_open(store_dir(d->store), &d->person, error) != 0)
		return fatal("state", error);
	return 0;
}

static void close_store(struct daemon *d)
{
	if (d->audit && d->started_all) {
		audit_daemon(d, "posternd stops", 0, NULL, NULL);
		store_sync(d->store);
		audit_turn(d);
		audit_anchor(d);
	}
	state_close(d->state);
	if (d->store)
		store_watch_end(d);
	store_close(d->store);
	audit_close(d->audit);
}

static int open_files(struct daemon *d)
{
	const struct config_gate *g = &d->config->gate;
	char error[STATE_ERROR];
	int rc;

	if (open_store(d) != 0)
		return 1;
	if (rules_state_open(g->state_dir, &d->rules, error) != 0)
		return fatal("state", error);
	if (open_slots(d) != 0)
		return 1;
	rc = tenant_slots_init(&d->places, d->slots.count, TENANT_SLOTS_GRACE);
	if (rc)
		return fatal("tenants", strerror(-rc));
	tenant_slots_adopt(&d->places, d->slots.slot, d->slots.count);
	rc = eve_log_open(g->eve_path, g->eve_rotate_size, g->eve_rotate_keep, &d->eve);
	if (rc)
		return fatal(g->eve_path, strerror(-rc));
	lists_open(d);
	feedback_open(d);
	cases_open(d);
	if (evidence_open(&d->evidence, d->slots.count) != 0)
		return fatal("evidence", strerror(ENOMEM));
	return 0;
}

/* The dataplane's coming and going */

static void on_up(void *ctx)
{
	struct daemon *d = ctx;

	if (d->supervisor)
		supervisor_hold(d->supervisor, true);
	d->pump.lost_told = 0;
	reload_restarted(d);
	reload_sync(d);
}

static void on_down(void *ctx, const char *why)
{
	struct daemon *d = ctx;

	pump_drain(d);
	d->watch.live = false;
	daemon_event(d, "dataplane_down", 0,
		     json_pack("{s:s, s:s}", "reason", why, "failure",
			       config_failure_name((enum failure_policy)d->failure)));
	if (d->supervisor)
		supervisor_hold(d->supervisor, false);
}

static void on_wrong(void *ctx, const char *why)
{
	daemon_event(ctx, "dataplane_wrong", 0, json_pack("{s:s}", "reason", why));
}

static void on_died(void *ctx, pid_t pid, const char *how)
{
	daemon_event(ctx, "dataplane_died", 0,
		     json_pack("{s:i, s:s}", "pid", (int)pid, "status", how));
}

static void prepare_child(void *ctx)
{
	privilege_inherit();
}

static void on_adopt(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	supervisor_start(d->supervisor);
}

static int open_dataplane(struct posternd *p)
{
	struct daemon *d = &p->daemon;
	const struct dataplane_events events = {on_up, on_down, on_wrong, d};
	struct dataplane_argv argv;
	char path[PATH_MAX];

	dataplane_path(d, path);
	if (dataplane_open(d->base, path, &events, &d->dataplane) != 0)
		return fatal("dataplane", "no memory");
	if (!d->supervise)
		return 0;
	if (!*d->config->gate.inside)
		return fatal(d->config_path, "gate.inside and gate.outside are needed: there are "
					     "no ports to put the gate between");
	dataplane_argv_make(d->config, path, &argv);
	p->adopt = evtimer_new(d->base, on_adopt, d);
	if (!p->adopt || evtimer_add(p->adopt, &adoption) != 0 ||
	    supervisor_new(d->base, argv.list, prepare_child, on_died, d, &d->supervisor) != 0)
		return fatal("dataplane", "no memory");
	return 0;
}

static int open_socket(struct daemon *d)
{
	const struct config_gate *g = &d->config->gate;
	struct server_config config = {
		.path = g->socket,
		.clients = g->clients,
		.follow_buffer = g->follow_buffer,
		.line = command_line,
		.gone = command_gone,
		.ctx = d,
	};
	int rc;

	if (peer_group(g->group, &config.groups.change) != 0)
		return fatal(g->group, "there is no such group (gate.control.group)");
	if (peer_group(g->read_group, &config.groups.read) != 0)
		return fatal(g->read_group, "there is no such group (gate.control.read_group)");
	rc = server_open(d->base, &config, &d->server);
	if (rc)
		return fatal(g->socket,
			     rc == -EADDRINUSE ? "another posternd serves it" : strerror(-rc));
	return 0;
}

/* Signals */

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct daemon *d = ctx;
	int rc;

	switch (number) {
	case SIGHUP:
		reload_signal(d);
		break;
	case SIGUSR1:
		rc = eve_log_reopen(d->eve);
		log_write(rc ? LOG_ERROR : LOG_INFO, "log of events opened anew", "error=%s",
			  log_text(rc ? strerror(-rc) : ""));
		break;
	case SIGCHLD:
		break; /* children are watched by descriptors of their own */
	default:
		log_info("stopping", "signal=%d", (int)number);
		daemon_stop(d, 0);
	}
}

static int open_signals(struct posternd *p)
{
	static const int numbers[SIGNALS] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT, SIGCHLD};

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < SIGNALS; i++) {
		p->signals[i] = evsignal_new(p->daemon.base, numbers[i], on_signal, &p->daemon);
		if (!p->signals[i] || event_add(p->signals[i], NULL) != 0)
			return fatal("signals", "no memory");
	}
	return 0;
}

static int open_dns(struct daemon *d)
{
	const struct config_gate *g = &d->config->gate;
	int rc = resolver_new(d->base, g->resolver, (unsigned)(g->resolver_timeout / 1000000),
			      g->resolver_tries, &d->resolver);

	if (!rc)
		rc = egress_open(d);
	if (!rc)
		rc = domain_run_open(d);
	return rc ? fatal("questions to the DNS", strerror(-rc)) : 0;
}

static int open_all(struct posternd *p)
{
	struct daemon *d = &p->daemon;

	if (load_config(d) || make_dirs(&d->config->gate) || open_kernel(d) || drop_privileges(d))
		return 1;
	d->base = event_base_new();
	if (!d->base)
		return fatal("event loop", "no memory");
	if (open_files(d) || open_signals(p) || open_socket(d))
		return 1;
	if (metrics_http_open(d) != 0)
		return fatal(d->config->gate.metrics_listen,
			     "can't be listened at (gate.metrics.listen)");
	if (open_dataplane(p) || open_dns(d) || pump_init(d) != 0 || risk_run_init(d) != 0 ||
	    probing_init(d) != 0 || watch_init(d) != 0)
		return 1;
	return 0;
}

static void close_all(struct posternd *p)
{
	struct daemon *d = &p->daemon;

	notify_send("STOPPING=1");
	reload_fini(d);
	lists_close(d);
	server_close(d->server);
	if (d->store)
		store_retry(d->store); /* whoever waits for it finds everything in its place */
	metrics_http_close(d->metrics);
	if (d->dataplane && d->roster)
		pump_drain(d);
	pump_fini(d);
	resolver_free(d->resolver);
	egress_close(d);
	domain_run_close(d);
	probing_fini(d);
	risk_run_fini(d);
	feedback_close(d);
	cases_close(d);
	evidence_close(&d->evidence);
	watch_fini(d);
	close_store(d);
	supervisor_free(d->supervisor);
	dataplane_close(d->dataplane);
	if (p->adopt)
		event_free(p->adopt);
	for (int i = 0; i < SIGNALS; i++)
		if (p->signals[i])
			event_free(p->signals[i]);
	if (d->base)
		event_base_free(d->base);
	roster_free(d->roster);
	eve_log_close(d->eve);
	tenant_slots_fini(&d->places);
	slots_close(&d->slots);
	kernel_close(d->kernel);
	rules_stage_fini(&d->stage);
	rule_tally_fini(&d->hits);
	rules_state_close(&d->rules);
	config_free(d->config);
	notify_fini();
}

int main(int argc, char **argv)
{
	static struct posternd p = {.daemon.slots.fd = -1};
	int status = parse_options(&p, argc, argv);

	if (status >= 0)
		return status;
	log_init(stderr, p.level);
	notify_init();
	umask(027);
	p.daemon.version = POSTERN_VERSION;
	p.daemon.started = daemon_time();
	TAILQ_INIT(&p.daemon.followers);
	TAILQ_INIT(&p.daemon.stage);
	p.daemon.rules.dir = -1;
	list_store_init(&p.daemon.lists.store);
	p.daemon.lists.send.file[0] = p.daemon.lists.send.file[1] = -1;
	p.daemon.lists.report = p.daemon.lists.alive = -1;
	status = open_all(&p);
	if (!status) {
		log_info("started", "version=%s pid=%d socket=%s", POSTERN_VERSION, (int)getpid(),
			 log_text(p.daemon.config->gate.socket));
		p.daemon.started_all = true;
		audit_daemon(&p.daemon, "posternd starts", 0,
			     json_pack("{s:s}", "version", POSTERN_VERSION), NULL);
		reload_start(&p.daemon, NULL);
		event_base_dispatch(p.daemon.base);
		status = p.daemon.exit_status;
	}
	close_all(&p);
	return status;
}
