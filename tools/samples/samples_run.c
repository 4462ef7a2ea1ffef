/* SPDX-License-Identifier: BSD-3-Clause */
/* The process that has samples run: starts the others, hears what they tell. */
#include "tools/samples/samples_run.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/rules/ruleset_build.h"
#include "dataplane/match/match.h"

#define PROCESSES_MAX 64
#define SAMPLES_EACH  16 /* fewer are not worth a process */

struct process {
	pid_t pid;
	FILE *told;
	size_t next; /* sample that it is at */
};

struct run {
	const struct samples_job *job;
	struct samples_outcome *out;
	struct process process[PROCESSES_MAX];
	struct pollfd poll[PROCESSES_MAX];
	unsigned n;
	struct loaded {
		void *image; /* NULL: the job's */
		struct ruleset *ruleset;
	} rules, nothing;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned processes_for(const struct samples_job *job)
{
	size_t most = job->samples->count / SAMPLES_EACH + 1, wanted = job->processes;
	cpu_set_t cpus;

	if (!wanted)
		wanted = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (size_t)CPU_COUNT(&cpus)
									: 1;
	wanted = wanted < most ? wanted : most;
	return (unsigned)(wanted < PROCESSES_MAX ? wanted : PROCESSES_MAX);
}

/* What a child tells ------------------------------------------------------- */

static struct sample_failure *add_failure(struct run *r, size_t index)
{
	struct samples_outcome *out = r->out;
	struct sample_failure *f;

	out->failures = arena_grow(&out->arena, out->failures, out->failure_count,
				   &out->failure_room, sizeof(*out->failures));
	f = &out->failures[out->failure_count++];
	*f = (struct sample_failure){
		.sample = &r->job->samples->samples[index], .way = "", .what = ""};
	return f;
}

static const char *copy_text(struct run *r, const json_t *text)
{
	const char *value = json_string_value(text);

	return value ? arena_copy(&r->out->arena, value, strlen(value)) : "";
}

static void take_failure(struct run *r, size_t index, const json_t *told)
{
	struct sample_failure *f = add_failure(r, index);
	json_t *held = json_object_get(told, "held"), *others = json_object_get(told, "others");
	struct sample_held *values =
		arena_alloc(&r->out->arena, (json_array_size(held) + 1) * sizeof(*values));
	uint32_t *sids = arena_alloc(&r->out->arena, (json_array_size(others) + 1) * sizeof(*sids));
	json_t *item;
	size_t i;

	f->way = copy_text(r, json_object_get(told, "way"));
	f->what = copy_text(r, json_object_get(told, "what"));
	f->over_budget = json_is_true(json_object_get(told, "over_budget"));
	json_array_foreach(held, i, item)
		values[i] = (struct sample_held){copy_text(r, json_object_get(item, "buffer")),
						 copy_text(r, json_object_get(item, "text"))};
	json_array_foreach(others, i, item) sids[i] = (uint32_t)json_integer_value(item);
	f->held = values;
	f->held_count = json_array_size(held);
	f->others = sids;
	f->other_count = json_array_size(others);
}

/* One line; false: no more will come. */
static bool hear(struct run *r, struct process *p)
{
	json_t *line = json_loadf(p->told, JSON_DISABLE_EOF_CHECK, NULL), *failure;

	if (!line)
		return false;
	failure = json_object_get(line, "failure");
	if (failure)
		take_failure(r, p->next, failure);
	r->out->samples++;
	r->out->conversations += (size_t)json_integer_value(json_object_get(line, "conversations"));
	p->next += r->n;
	json_decref(line);
	return true;
}

/* Processes ---------------------------------------------------------------- */

static int start(struct run *r, unsigned k)
{
	struct process *p = &r->process[k];
	pid_t parent = getpid();
	int ends[2];

	*p = (struct process){.next = k};
	r->poll[k].fd = -1;
	if (pipe(ends) < 0)
		return -errno;
	fflush(NULL);
	p->pid = fork();
	if (p->pid == 0) {
		/* Nobody would hear it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		close(ends[0]);
		for (unsigned i = 0; i < k; i++)
			fclose(r->process[i].told);
		samples_child(r->job, r->rules.ruleset, r->nothing.ruleset, k, r->n, ends[1]);
		fflush(NULL);
		_exit(0);
	}
	close(ends[1]);
	p->told = p->pid > 0 ? fdopen(ends[0], "r") : NULL;
	if (!p->told) {
		close(ends[0]);
		return p->pid > 0 ? -ENOMEM : -errno;
	}
	/* A line at a time, as poll() sees it. */
	setvbuf(p->told, NULL, _IONBF, 0);
	r->poll[k] = (struct pollfd){.fd = fileno(p->told), .events = POLLIN};
	return 0;
}

/* What it was at is what ended it; what it had not come to did not run. */
static int end(struct run *r, struct process *p)
{
	int status = 0;

	if (p->told)
		fclose(p->told);
	if (p->pid <= 0)
		return 0;
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (p->next >= r->job->samples->count)
		return 0;
	if (!WIFSIGNALED(status))
		return -EIO; /* it has said why */
	add_failure(r, p->next)->what =
		arena_printf(&r->out->arena, "the process that ran it ended by signal %d (%s)",
			     WTERMSIG(status), strsignal(WTERMSIG(status)));
	for (size_t i = p->next + r->n; i < r->job->samples->count; i += r->n)
		add_failure(r, i)->what = "not run: its process had ended";
	return 0;
}

static void hear_all(struct run *r)
{
	unsigned open = r->n;
	double told = 0;

	for (unsigned i = 0; i < r->n; i++)
		open -= r->poll[i].fd < 0;
	while (open) {
		if (poll(r->poll, r->n, -1) < 0 && errno != EINTR)
			break;
		for (unsigned i = 0; i < r->n; i++) {
			if (!r->poll[i].revents || hear(r, &r->process[i]))
				continue;
			r->poll[i].fd = -1;
			open--;
		}
		if (r->job->progress && (now() - told > 0.1 || !open)) {
			told = now();
			r->job->progress(r->job->ctx, r->out->samples, r->job->samples->count);
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct sample_failure *x = a, *y = b;

	return x->sample < y->sample ? -1 : x->sample > y->sample;
}

static int load(struct loaded *l, const void *image, size_t size)
{
	char error[256];
	int rc = ruleset_load(image, size, &l->ruleset, error, sizeof(error));

	if (rc < 0)
		fprintf(stderr, "postern: %s\n", error);
	return rc;
}

static int load_both(struct run *r)
{
	struct rule_list none = {0};
	struct rule_diags diags = {0};
	size_t size;
	int rc = load(&r->rules, r->job->image, r->job->image_size);

	if (!rc)
		rc = ruleset_build(&none, 1, &diags, &r->nothing.image, &size, NULL);
	if (!rc)
		rc = load(&r->nothing, r->nothing.image, size);
	rule_diags_fini(&diags);
	rule_list_fini(&none);
	return rc;
}

static int run_all(struct run *r)
{
	int rc = 0;

	for (unsigned i = 0; i < r->n && !rc; i++)
		rc = start(r, i);
	if (rc)
		fprintf(stderr, "postern: %s\n", strerror(-rc));
	else
		hear_all(r);
	for (unsigned i = 0; i < r->n; i++) {
		int ended = end(r, &r->process[i]);

		rc = rc ? rc : ended;
	}
	return rc;
}

int samples_run(const struct samples_job *job, struct samples_outcome *out)
{
	struct run r = {.job = job, .out = out, .n = processes_for(job)};
	double began = now();
	int rc;

	*out = (struct samples_outcome){0};
	if (!job->samples->count)
		return 0;
	rc = load_both(&r);
	if (!rc)
		rc = run_all(&r);
	ruleset_free(r.rules.ruleset);
	ruleset_free(r.nothing.ruleset);
	free(r.nothing.image);
	if (out->failure_count)
		qsort(out->failures, out->failure_count, sizeof(*out->failures), by_place);
	out->seconds = now() - began;
	return rc;
}

void samples_outcome_fini(struct samples_outcome *out)
{
	arena_fini(&out->arena);
}

void sample_failure_print(FILE *out, const struct sample_failure *f)
{
	const struct sample *s = f->sample;
	bool match = s->want == SAMPLE_MATCH;

	fprintf(out, "%s:%u:%u: rule %u %s this sample%s%s%s%s\n", s->place.file, s->place.line,
		s->place.column, s->sid,
		*f->what ? "can't be tried on"
		: match  ? "does not match"
			 : "matches, and should not,",
		*s->title ? ": " : "", s->title, *f->way ? ", " : "", f->way);
	if (*f->what)
		fprintf(out, "    %s\n", f->what);
	for (size_t i = 0; i < f->held_count; i++)
		fprintf(out, "    %s was \"%s\"\n", f->held[i].buffer, f->held[i].text);
	if (!f->held_count && !*f->what)
		fprintf(out, "    none of its buffers was there\n");
	if (f->over_budget)
		fprintf(out, "    the matcher left candidates out: more parts of rules hold than "
			     "it keeps "
			     "in mind, or confirming them is too much work (match_budget)\n");
	if (f->other_count)
		fprintf(out, "    hit instead:");
	for (size_t i = 0; i < f->other_count; i++)
		fprintf(out, " %u", f->others[i]);
	if (f->other_count)
		fputc('\n', out);
}
