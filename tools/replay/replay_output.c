/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/replay/replay_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/cases/evidence_line.h"
#include "control/events/eve.h"
#include "control/page/page_text.h"
#include "control/policy/policy_build.h"
#include "tools/replay/replay_report.h"

static int complain(const char *what, int error)
{
	fprintf(stderr, "postern: %s: %s\n", what, strerror(error < 0 ? -error : error));
	return 1;
}

static FILE *open_text(const char *path)
{
	return strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
}

static int close_text(FILE *f, const char *path)
{
	bool failed = ferror(f) != 0;

	failed |= f == stdout ? fflush(f) != 0 : fclose(f) != 0;
	return failed ? complain(path, errno) : 0;
}

/* An output that is also read from would be empty before the first packet. */
static bool is_input(const char *path, const struct replay_options *o)
{
	struct stat st, in;

	if (!path || strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	for (size_t i = 0; i < o->file_count; i++)
		if (strcmp(o->files[i], "-") != 0 && stat(o->files[i], &in) == 0 &&
		    in.st_dev == st.st_dev && in.st_ino == st.st_ino) {
			fprintf(stderr, "postern: %s: is one of the captures, not written\n", path);
			return true;
		}
	return false;
}

static int open_outputs(struct replay_output *out, const struct replay_options *o)
{
	int rc;

	if (o->events) {
		out->events = open_text(o->events);
		if (!out->events)
			return complain(o->events, errno);
	}
	if (o->evidence) {
		out->evidence = open_text(o->evidence);
		if (!out->evidence)
			return complain(o->evidence, errno);
	}
	/* What can't be written is told before the work, not after it. */
	if (o->json) {
		out->json = open_text(o->json);
		if (!out->json)
			return complain(o->json, errno);
	}
	if (o->write) {
		rc = capture_writer_open(o->write, CAPTURE_FORMAT_PCAPNG, "postern replay",
					 "what left the gate", &out->writer);
		if (rc < 0)
			return complain(o->write, rc);
	}
	return 0;
}

int replay_output_open(struct replay_output *out, const struct replay_options *o,
		       const struct policy *policy, const struct inputs_tenants *tenants,
		       const struct ruleset *ruleset)
{
	*out = (struct replay_output){.options = o, .policy = policy, .ruleset = ruleset};
	summary_init(&out->summary);
	out->name = policy_tenant_names(policy);
	out->page = page_new(policy->slot_count);
	if (!out->name || !out->page)
		return complain("postern replay", ENOMEM);
	if (!o->bench && replay_risk_init(&out->risk, policy, tenants, ruleset) != 0)
		return complain("postern replay", ENOMEM);
	out->names = (struct tenant_names){out->name, policy->slot_count};
	if (is_input(o->events, o) || is_input(o->json, o) || is_input(o->write, o) ||
	    is_input(o->evidence, o))
		return 1;
	return open_outputs(out, o);
}

static int take_event(void *ctx, const struct event_head *e, size_t len)
{
	struct replay_output *out = ctx;
	int rc;

	page_event(out->page, e, len);
	replay_risk_event(&out->risk, e);
	if (out->options->json)
		summary_event(&out->summary, e, len);
	if (out->evidence && e->type == EVENT_EVIDENCE &&
	    evidence_line_write(out->evidence, e, &out->names) < 0 && !out->event_error)
		out->event_error = -EIO;
	if (!out->events)
		return 0;
	rc = eve_write(out->events, e, len, &out->names);
	if (rc < 0 && !out->event_error)
		out->event_error = rc;
	return 0;
}

/* In capture: on which side of the gate it left, and why it is not what came. */
static void take_packet(void *ctx, struct rte_mbuf *m)
{
	static const char *const sides[] = {[PORT_INSIDE] = "inside", [PORT_OUTSIDE] = "outside"};
	struct replay_output *out = ctx;
	const struct packet_meta *meta = packet_meta(m);
	char comment[96];
	int rc;

	snprintf(comment, sizeof(comment), "%s%s",
		 meta->flags & PACKET_FROM_GATE ? "from the gate: " : "",
		 reason_name(meta->reason));
	rc = capture_writer_interface(out->writer, sides[meta->role], meta->link);
	if (rc >= 0)
		rc = capture_writer_packet(out->writer, rc, meta->time,
					   rte_pktmbuf_mtod(m, const void *), m->data_len,
					   meta->wirelen, meta->reason ? comment : NULL);
	if (rc < 0 && !out->write_error)
		out->write_error = rc;
	rte_pktmbuf_free(m);
}

struct replay_sinks replay_output_sinks(struct replay_output *out)
{
	return (struct replay_sinks){
		.event = take_event, .packet = out->writer ? take_packet : NULL, .ctx = out};
}

static int write_summary(struct replay_output *out, const struct report *report)
{
	const char *path = out->options->json;
	json_t *object = summary_json(&out->summary, report);
	int rc;

	if (!object)
		return complain(path, ENOMEM);
	json_dumpf(object, out->json, JSON_INDENT(2));
	fputc('\n', out->json);
	rc = close_text(out->json, path);
	out->json = NULL;
	json_decref(object);
	return rc;
}

static int finish_writer(struct replay_output *out)
{
	int rc = out->write_error;

	if (rc < 0)
		capture_writer_abort(out->writer);
	else
		rc = capture_writer_finish(out->writer);
	out->writer = NULL;
	return rc < 0 ? complain(out->options->write, rc) : 0;
}

static int finish_events(struct replay_output *out, const struct replay_report *r)
{
	int rc;

	stats_write(out->events, r);
	rc = close_text(out->events, out->options->events);
	out->events = NULL;
	return out->event_error ? complain(out->options->events, out->event_error) : rc;
}

static int finish_evidence(struct replay_output *out)
{
	int rc = close_text(out->evidence, out->options->evidence);

	out->evidence = NULL;
	return rc;
}

int replay_output_finish(struct replay_output *out, const struct gate *gate,
			 const struct replay_stats *stats)
{
	struct replay_report r;
	int rc = 0;

	if (out->risk.board.count && replay_risk_end(&out->risk, gate, stats->last) != 0)
		return complain("postern replay", ENOMEM);
	if (replay_report_init(&r, out, gate, stats) != 0)
		return complain("postern replay", ENOMEM);
	if (out->writer)
		rc |= finish_writer(out);
	if (out->events)
		rc |= finish_events(out, &r);
	if (out->evidence)
		rc |= finish_evidence(out);
	if (out->options->json)
		rc |= write_summary(out, &r.report);
	if (!out->options->quiet)
		page_print(out->page, &r.report, stdout, page_colour(stdout));
	replay_report_fini(&r);
	return rc;
}

void replay_output_close(struct replay_output *out)
{
	if (out->events && out->events != stdout)
		fclose(out->events);
	if (out->evidence && out->evidence != stdout)
		fclose(out->evidence);
	if (out->json && out->json != stdout)
		fclose(out->json);
	capture_writer_abort(out->writer);
	page_free(out->page);
	summary_fini(&out->summary);
	replay_risk_fini(&out->risk);
	free(out->name);
}
