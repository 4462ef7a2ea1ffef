/* SPDX-License-Identifier: BSD-3-Clause */
/* One of the processes that run samples: what hit, and for failures what the rule saw. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/match/match_tape.h"
#include "tools/samples/samples_gate.h"
#include "tools/samples/samples_run.h"

#define HELD_MAX         64  /* values told of one failure */
#define TEXT_MAX         240 /* bytes told of one value */
#define RECORDED_STREAMS 64

struct child {
	const struct samples_job *job;
	const struct ruleset_rule *rules; /* of the image */
	uint32_t rule_count;
	struct samples_gate gate;
	struct script script;
	FILE *out;
	struct matcher *recorder; /* without rules; NULL: there is no memory for one */
	const struct rule *rule;  /* that somebody wants to know about, and what its buffers held */
	struct gen_buffer held[HELD_MAX];
	enum rule_buffer buffer[HELD_MAX];
	size_t held_count;
};

/* What the rule saw -------------------------------------------------------- */

static bool looks_at(const struct rule *rule, enum rule_buffer buffer)
{
	for (size_t i = 0; i < rule->parts_count; i++)
		if (rule->parts[i].buffer == buffer)
			return true;
	return false;
}

static void hold(void *ctx, enum rule_buffer buffer, bool begins, const void *data, size_t len)
{
	struct child *c = ctx;

	if (!looks_at(c->rule, buffer))
		return;
	if (begins && c->held_count < HELD_MAX) {
		c->held[c->held_count].len = 0;
		c->buffer[c->held_count++] = buffer;
	}
	for (size_t i = c->held_count; i-- > 0;) {
		if (c->buffer[i] != buffer)
			continue;
		buffer_put(&c->held[i], data, len);
		break;
	}
}

/* Printable ASCII and the escapes of samples. */
static json_t *shown(const struct gen_buffer *value)
{
	char text[4 * TEXT_MAX + 8];
	size_t at = 0;

	for (size_t i = 0; i < value->len && i < TEXT_MAX; i++) {
		uint8_t c = value->bytes[i];

		if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
			text[at++] = (char)c;
		else if (c == '\r' || c == '\n' || c == '\t' || c == '"' || c == '\\')
			at += (size_t)sprintf(text + at, "\\%c",
					      c == '\r'   ? 'r'
					      : c == '\n' ? 'n'
					      : c == '\t' ? 't'
							  : c);
		else
			at += (size_t)sprintf(text + at, "\\x%02x", c);
	}
	if (value->len > TEXT_MAX)
		at += (size_t)sprintf(text + at, "...");
	return json_stringn(text, at);
}

static json_t *held_json(const struct child *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->held_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:o}", "buffer",
						      rule_buffers[c->buffer[i]].name, "text",
						      shown(&c->held[i])));
	return list;
}

static json_t *others_json(const struct child *c, uint32_t sid)
{
	const uint64_t *hits = c->gate.worker->rule_hits;
	json_t *list = json_array();

	for (uint32_t i = 0; i < c->rule_count; i++)
		if (hits[i] && c->rules[i].sid != sid)
			json_array_append_new(list, json_integer(c->rules[i].sid));
	return list;
}

static const struct rule *rule_of(const struct child *c, uint32_t sid)
{
	for (size_t i = 0; i < c->job->rules->count; i++)
		if (c->job->rules->rules[i].sid == sid)
			return &c->job->rules->rules[i];
	return NULL;
}

/* The same once more, by a matcher that has no rules and records. */
static void record(struct child *c, const struct sample *s, const struct samples_way *way)
{
	struct worker *w = c->gate.worker;
	struct matcher *rules = w->newest;
	struct match_tape tape = {0};
	struct sample once = *s;

	once.times = 1; /* the others say the same */
	match_tape_record(&tape, c->recorder);
	w->matcher = w->newest = c->recorder;
	w->view++;
	samples_gate_talk(&c->gate, &once, &c->script, way);
	w->matcher = w->newest = rules;
	w->view++;
	match_tape_each(&tape, hold, c);
	match_tape_fini(&tape);
}

static json_t *look_again(struct child *c, const struct sample *s, const struct samples_way *way,
			  bool over_budget)
{
	json_t *others = others_json(c, s->sid);

	c->held_count = 0;
	c->rule = rule_of(c, s->sid);
	if (c->rule && c->recorder)
		record(c, s, way);
	return json_pack("{s:s, s:b, s:o, s:o}", "way", way->name, "over_budget", over_budget,
			 "held", held_json(c), "others", others);
}

/* Samples ------------------------------------------------------------------ */

static bool hit(const struct child *c, uint32_t place)
{
	return c->gate.worker->rule_hits[place];
}

/* The rule's place in the image, or the number of rules. */
static uint32_t place_of(const struct child *c, uint32_t sid)
{
	uint32_t i = 0;

	while (i < c->rule_count && c->rules[i].sid != sid)
		i++;
	return i;
}

/* How often the matcher has left candidates out. */
static uint64_t budget_reasons(const struct child *c)
{
	return c->gate.worker->counters->reasons[REASON_MATCH_BUDGET];
}

/* NULL: as it should be. */
static json_t *run_sample(struct child *c, const struct sample *s, json_int_t *conversations)
{
	uint32_t place = place_of(c, s->sid);
	uint64_t was;

	if (place == c->rule_count)
		return json_pack("{s:s}", "what", "there is no rule of this sid");
	script_write(&c->script, s);
	if (c->script.full)
		return json_pack("{s:s}", "what", "too many turns or packet ends for one sample");
	for (size_t i = 0; i < samples_way_count; i++) {
		const struct samples_way *way = &samples_ways[i];

		if (!samples_way_suits(way, s, &c->script))
			continue;
		was = budget_reasons(c);
		samples_gate_talk(&c->gate, s, &c->script, way);
		++*conversations;
		if (hit(c, place) != (s->want == SAMPLE_MATCH))
			return look_again(c, s, way, budget_reasons(c) != was);
	}
	return *conversations ? NULL : json_pack("{s:s}", "what", "too large for its transport");
}

static void tell(struct child *c, size_t index, json_int_t conversations, json_t *failure)
{
	json_t *line = json_pack("{s:I, s:I, s:o*}", "sample", (json_int_t)index, "conversations",
				 conversations, "failure", failure);

	json_dumpf(line, c->out, JSON_COMPACT);
	fputc('\n', c->out);
	json_decref(line);
}

void samples_child(const struct samples_job *job, const struct ruleset *ruleset,
		   const struct ruleset *nothing, unsigned k, unsigned n, int fd)
{
	struct child c = {.job = job, .out = fdopen(fd, "w")};
	const struct ruleset_image *image = ruleset_image(ruleset);
	char error[GATE_ERROR];

	if (!c.out)
		return;
	c.rules = RULESET_AT(image, struct ruleset_rule, rules);
	c.rule_count = image->rules.count;
	if (nothing && matcher_new(nothing, RECORDED_STREAMS, &c.recorder) < 0)
		c.recorder = NULL;
	if (samples_gate_open(&c.gate, ruleset, job->samples, job->config, error) != 0) {
		fprintf(stderr, "postern: %s\n", error);
		fclose(c.out);
		return;
	}
	for (size_t i = k; i < job->samples->count; i += n) {
		json_int_t conversations = 0;
		json_t *failure = run_sample(&c, &job->samples->samples[i], &conversations);

		tell(&c, i, conversations, failure);
		/* So that nothing is lost if the next one ends the process. */
		fflush(c.out);
	}
	for (size_t i = 0; i < HELD_MAX; i++)
		buffer_free(&c.held[i]);
	script_fini(&c.script);
	samples_gate_close(&c.gate);
	matcher_free(c.recorder);
	fclose(c.out);
}
