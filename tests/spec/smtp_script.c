/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/spec/smtp_script.h"

void smtp_script_init(struct smtp_script *c)
{
	*c = (struct smtp_script){.blocks = SIZE_MAX};
}

static void feed_cut(struct smtp_log *log, const struct smtp_script *c,
		     const struct smtp_step *step, size_t cut, size_t piece)
{
	size_t at = step->at, end = step->at + step->len;

	while (at < end) {
		size_t n = end - at;

		if (at < cut && cut - at < n)
			n = cut - at;
		else if (at >= cut && piece < n)
			n = piece;
		smtp_log_feed(log, (enum smtp_direction)step->kind, c->input + at, n);
		at += n;
	}
}

const char *smtp_script_play(const struct smtp_script *c, struct smtp_log *log, size_t cut,
			     size_t piece)
{
	smtp_log_init(log, c->flags);
	memcpy(log->rules, c->rules, sizeof(log->rules));
	log->rule_count = c->rule_count;
	log->blocks_max = c->blocks;
	for (const struct smtp_step *step = c->steps; step < c->steps + c->step_count; step++) {
		if (step->kind == STEP_RELEASE)
			smtp_log_release(log);
		else if (step->kind >= STEP_GAP_CLIENT)
			smtp_log_gap(log, step->kind - STEP_GAP_CLIENT, step->len);
		else
			feed_cut(log, c, step, cut, piece);
	}
	return smtp_log_finish(log);
}

static void input_add(struct smtp_script *c, uint8_t byte)
{
	if (c->input_len < SMTP_SCRIPT_TEXT)
		c->input[c->input_len++] = byte;
}

/* Unescapes; returns false when the text ends in "\", which means no line end. */
static bool input_text(struct smtp_script *c, const char *p)
{
	for (; *p; p++) {
		unsigned value = (unsigned char)*p;

		if (*p == '\\' && !*++p)
			return false;
		if (value == '\\' && *p == 'x' && sscanf(p + 1, "%2x", &value) == 1)
			p += 2;
		else if (value == '\\')
			value = *p == 'r' ? '\r' : *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
		input_add(c, (uint8_t)value);
	}
	return true;
}

static void input_line(struct smtp_script *c, enum smtp_step_kind kind, const char *text)
{
	struct smtp_step *step = &c->steps[c->step_count];
	unsigned times;
	int skip = 0;

	if (c->step_count && step[-1].kind == kind)
		step--;
	else
		*step = (struct smtp_step){kind, c->input_len, 0}, c->step_count++;
	if (sscanf(text, "@fill %u %n", &times, &skip) == 1 && skip) {
		while (times-- && c->input_len < SMTP_SCRIPT_TEXT)
			input_text(c, text + skip);
	} else if (input_text(c, text)) {
		input_text(c, "\r\n");
	}
	step->len = c->input_len - step->at;
}

static bool parse_flags(struct smtp_script *c, char *words)
{
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
		if (!strcmp(word, "midstream"))
			c->flags |= SMTP_MIDSTREAM;
		else if (!strcmp(word, "ghosts"))
			c->flags |= SMTP_KEEP_GHOSTS;
		else if (!strcmp(word, "answers"))
			c->flags |= SMTP_ANSWER_WITHHELD;
		else if (!strcmp(word, "two-way"))
			c->flags |= SMTP_TWO_WAY;
		else
			return false;
	}
	return true;
}

static bool parse_setting(struct smtp_script *c, char *line)
{
	struct smtp_log_rule *rule = &c->rules[c->rule_count];
	struct smtp_step *step = &c->steps[c->step_count];
	char side;

	if (!strncmp(line, "flags: ", 7))
		return parse_flags(c, line + 7);
	if (c->rule_count < SMTP_LOG_RULES &&
	    sscanf(line, "withhold: %31s %63[^\n]", rule->verb, rule->part) >= 1) {
		c->rule_count++;
		return true;
	}
	if (sscanf(line, "blocks: %zu", &c->blocks) == 1)
		return true;
	if (sscanf(line, "gap: %c %zu", &side, &step->len) == 2)
		step->kind = side == 'C' ? STEP_GAP_CLIENT : STEP_GAP_SERVER;
	else if (!strcmp(line, "release:"))
		step->kind = STEP_RELEASE;
	else
		return false;
	c->step_count++;
	return true;
}

bool smtp_script_line(struct smtp_script *c, char *line)
{
	if (c->step_count + 1 >= SMTP_SCRIPT_STEPS)
		return false;
	if (!*line || *line == '#')
		return true;
	if (!strncmp(line, "C:", 2) || !strncmp(line, "S:", 2))
		input_line(c, *line == 'C' ? STEP_CLIENT : STEP_SERVER,
			   line + 2 + (line[2] == ' '));
	else if (!strncmp(line, "> ", 2))
		c->want_len += (size_t)snprintf(c->want + c->want_len,
						SMTP_SCRIPT_TEXT - c->want_len, "%s\n", line + 2);
	else
		return parse_setting(c, line);
	return c->want_len < SMTP_SCRIPT_TEXT && c->input_len < SMTP_SCRIPT_TEXT;
}
