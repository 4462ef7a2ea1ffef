/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/rules/rules_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "control/rules/rule_parse.h"

#define IS(word, text) rule_word_is(word, text)

/* Conditions --------------------------------------------------------------- */

struct words {
	const struct rules_lines *out;
	struct arena arena;
	struct rule_word action;
	const char *reply;
	char *pending;    /* a content whose modifiers may follow */
	const char *open; /* the buffer whose conditions are being told; NULL: none */
	bool said_where;
};

static const char *text_of(struct words *w, struct rule_word word)
{
	return arena_copy(&w->arena, word.p, word.len);
}

static void flush(struct words *w)
{
	if (w->pending)
		rules_printf(w->out, "", "- %s", w->pending);
	w->pending = NULL;
}

/* One condition, which nothing modifies. */
static void condition(struct words *w, const char *text)
{
	flush(w);
	rules_printf(w->out, "", "- %s", text);
}

static bool negation(struct rule_word *value)
{
	if (!value->len || value->p[0] != '!')
		return false;
	value->p++;
	value->len--;
	*value = rule_trim(*value);
	return true;
}

static bool say_content(struct words *w, struct rule_word keyword, struct rule_word value)
{
	bool negated = negation(&value);

	flush(w);
	w->pending = arena_printf(&w->arena, "%s %s", negated ? "does not hold" : "holds",
				  text_of(w, value));
	return true;
}

static bool say_pcre(struct words *w, struct rule_word keyword, struct rule_word value)
{
	bool negated = negation(&value);
	const char *text = text_of(w, value), *flags = strrchr(text, '/');

	condition(w, arena_printf(&w->arena, "%s the expression %s%s",
				  negated ? "does not match" : "matches", text,
				  flags && strchr(flags, 'R') ? ", from where the one before ends"
							      : ""));
	return true;
}

static bool say_isdataat(struct words *w, struct rule_word keyword, struct rule_word value)
{
	bool negated = negation(&value);
	struct rule_word count, rest;
	bool more = rule_split(value, ',', &count, &rest);

	if (more && !IS(rule_trim(rest), "relative"))
		return false;
	condition(w,
		  arena_printf(&w->arena, "%s at byte %s%s",
			       negated ? "has nothing" : "still has something",
			       text_of(w, rule_trim(count)), more ? " after the one before" : ""));
	return true;
}

static bool say_bsize(struct words *w, struct rule_word keyword, struct rule_word value)
{
	const char *text = text_of(w, value), *between = strstr(text, "<>");

	if (between)
		condition(w, arena_printf(&w->arena, "is between %.*s and %s bytes long",
					  (int)(between - text), text, between + 2));
	else if (isdigit((unsigned char)*text))
		condition(w, arena_printf(&w->arena, "is %s bytes long", text));
	else if ((*text == '<' || *text == '>') && isdigit((unsigned char)text[1]))
		condition(w, arena_printf(&w->arena, "is %s than %s bytes",
					  *text == '<' ? "shorter" : "longer", text + 1));
	else
		return false;
	return true;
}

static bool say_absent(struct words *w, struct rule_word keyword, struct rule_word value)
{
	condition(w, value.len ? "never came, or else" : "never came");
	return true;
}

static bool say_none(struct words *w, struct rule_word keyword, struct rule_word value)
{
	condition(w, "none of it is such that it");
	return true;
}

/* Of an attachment, whatever buffer is open. */
static bool say_file(struct words *w, struct rule_word keyword, struct rule_word value)
{
	bool size = IS(keyword, "filesize"), negated = !size && negation(&value);

	flush(w);
	rules_printf(w->out, w->said_where ? "and" : "where", "an attachment's %s %s%s %s%s",
		     size ? "length" : "name", negated ? "is not one that " : "",
		     size                     ? "is"
		     : IS(keyword, "fileext") ? "ends in a dot and"
					      : "holds",
		     text_of(w, value), size ? "" : " in either case");
	w->said_where = true;
	w->open = NULL;
	return true;
}

/* Modifiers of a content: what is put behind it, %s its value. */
static const struct {
	const char *name, *words;
} modifiers[] = {
	{"nocase", " in either case"},
	{"startswith", " at its start"},
	{"endswith", " at its end"},
	{"offset", ", from byte %s on"},
	{"depth", ", within %s bytes of there"},
	{"distance", ", %s bytes or more after the one before"},
	{"within", ", within %s bytes of there"},
	{"fast_pattern", " (this is looked for first)"},
	{"prefilter", " (this is looked for first)"},
	{"rawbytes", ""},
};

static const char *modifier_words(struct words *w, struct rule_word keyword, struct rule_word value)
{
	for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++) {
		const char *words = modifiers[i].words, *place = strstr(words, "%s");

		if (!IS(keyword, modifiers[i].name))
			continue;
		if (IS(keyword, "distance") && IS(value, "0"))
			return ", after the one before";
		if (IS(keyword, "depth") && !strstr(w->pending, ", from byte"))
			return arena_printf(&w->arena, ", within its first %s bytes",
					    text_of(w, value));
		if (IS(keyword, "within") && !strstr(w->pending, "after the one before"))
			return arena_printf(&w->arena, ", within %s bytes after the one before",
					    text_of(w, value));
		return place ? arena_printf(&w->arena, "%.*s%s%s", (int)(place - words), words,
					    text_of(w, value), place + 2)
			     : words;
	}
	return NULL;
}

static bool say_modifier(struct words *w, struct rule_word keyword, struct rule_word value)
{
	const char *words = w->pending ? modifier_words(w, keyword, value) : NULL;

	if (words)
		w->pending = arena_printf(&w->arena, "%s%s", w->pending, words);
	return words != NULL;
}

static bool say_flow(struct words *w, struct rule_word keyword, struct rule_word value)
{
	static const struct {
		const char *name, *words;
	} known[] = {
		{"to_server", "what the client says"},
		{"from_client", "what the client says"},
		{"to_client", "what the server says"},
		{"from_server", "what the server says"},
		{"established", "once the other side has answered"},
		{"not_established", "before the other side has answered"},
		{"stateless", "whatever was seen before"},
	};
	const char *text = "";
	struct rule_word word;
	bool more = true;

	while (more) {
		size_t i = 0, count = sizeof(known) / sizeof(known[0]);

		more = rule_split(value, ',', &word, &value);
		word = rule_trim(word);
		while (i < count && !IS(word, known[i].name))
			i++;
		text = arena_printf(&w->arena, "%s%s%s", text, *text ? ", " : "",
				    i < count ? known[i].words : text_of(w, word));
	}
	rules_paragraph(w->out, "when", text);
	return true;
}

/* metadata: what the gate reads of it, and the rest as it is. */
static bool say_metadata(struct words *w, struct rule_word keyword, struct rule_word value)
{
	const char *p = value.p, *end = value.p + value.len;

	while (p < end) {
		struct rule_word entry = {p, 0}, key, rest;
		bool quoted = false;

		for (; p < end && (*p != ',' || quoted); p++)
			quoted ^= *p == '"' && (p == value.p || p[-1] != '\\');
		entry.len = (size_t)(p - entry.p);
		p += p < end;
		entry = rule_trim(entry);
		if (!rule_split(entry, ' ', &key, &rest))
			rest = (struct rule_word){entry.p + entry.len, 0};
		rest = rule_trim(rest);
		if (IS(key, "reply"))
			w->reply = text_of(w, rest);
		else if (IS(key, "risk"))
			rules_printf(w->out, "counts", "%s point%s against the tenant",
				     text_of(w, rest), IS(rest, "1") ? "" : "s");
		else if (IS(key, "aup"))
			rules_printf(w->out, "policy", "%s", text_of(w, rest));
		else if (IS(key, "shadow") && IS(rest, "yes"))
			rules_paragraph(w->out, "shadow", "it only counts what it would have done");
		else if (IS(key, "keep"))
			rules_printf(
				w->out, "keeps",
				"of a mail that it refuses %s bytes of the body around what it "
				"found, redacted, as evidence",
				text_of(w, rest));
		else
			rules_printf(w->out, "metadata", "%s", text_of(w, entry));
	}
	return true;
}

static bool say_nothing(struct words *w, struct rule_word keyword, struct rule_word value)
{
	return true;
}

static bool say_class(struct words *w, struct rule_word keyword, struct rule_word value)
{
	rules_printf(w->out, "class", "%s", text_of(w, value));
	return true;
}

static bool say_reference(struct words *w, struct rule_word keyword, struct rule_word value)
{
	rules_printf(w->out, "see", "%s", text_of(w, value));
	return true;
}

static bool say_noalert(struct words *w, struct rule_word keyword, struct rule_word value)
{
	rules_paragraph(w->out, "noalert", "nothing is written of it");
	return true;
}

/* Sentences; false: not of this value, which is then shown as it stands. */
static const struct sentence {
	const char *keyword;
	bool of_buffer;
	bool (*say)(struct words *w, struct rule_word keyword, struct rule_word value);
} sentences[] = {
	{"content", true, say_content},      {"pcre", true, say_pcre},
	{"isdataat", true, say_isdataat},    {"bsize", true, say_bsize},
	{"absent", true, say_absent},        {"none", true, say_none},
	{"filename", true, say_file},        {"fileext", true, say_file},
	{"filesize", true, say_file},        {"flow", false, say_flow},
	{"metadata", false, say_metadata},   {"classtype", false, say_class},
	{"reference", false, say_reference}, {"noalert", false, say_noalert},
	{"msg", false, say_nothing},         {"sid", false, say_nothing},
	{"rev", false, say_nothing},         {"gid", false, say_nothing},
};

static const struct sentence *sentence_of(struct rule_word keyword)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (IS(keyword, sentences[i].keyword))
			return &sentences[i];
	return NULL;
}

/* Of the whole rule, wherever they stand. */
static bool is_of_rule(struct rule_word keyword)
{
	static const char *const names[] = {
		"priority", "target",    "requires",         "app-layer-protocol", "flowbits",
		"xbits",    "threshold", "detection_filter", "rate_filter",
	};
	const struct sentence *sentence = sentence_of(keyword);

	if (sentence)
		return !sentence->of_buffer;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (IS(keyword, names[i]))
			return true;
	return false;
}

/* As it stands, with the line that the language's list has for it. */
static void say_plainly(struct words *w, struct rule_word keyword, struct rule_word value)
{
	const struct rule_option *option = rule_option_find(keyword);
	const char *text = arena_printf(&w->arena, "%.*s%s%.*s%s%s%s", (int)keyword.len, keyword.p,
					value.len ? ":" : "", (int)value.len, value.p,
					option ? " (" : "", option ? option->doc : "",
					option ? ")" : "");

	if (w->open && !is_of_rule(keyword))
		condition(w, text);
	else
		rules_paragraph(w->out, "also", text);
}

/* "To: field, likewise": as the one before that is not. */
static const char *buffer_words(struct words *w, enum rule_buffer buffer)
{
	const char *doc = rule_buffers[buffer].doc, *likewise = strstr(doc, "likewise"),
		   *rest = NULL;

	for (int b = (int)buffer; likewise && b >= 0 && !rest; b--)
		if (!strstr(rule_buffers[b].doc, "likewise"))
			rest = strstr(rule_buffers[b].doc, ", ");
	return rest ? arena_printf(&w->arena, "%.*s%s%s", (int)(likewise - doc), doc, rest + 2,
				   likewise + strlen("likewise"))
		    : doc;
}

static bool say_buffer(struct words *w, struct rule_word keyword)
{
	enum rule_buffer buffer = rule_buffer_find(keyword.p, keyword.len);

	if (buffer == RULE_BUFFER_COUNT)
		return false;
	flush(w);
	w->open = rule_buffers[buffer].name;
	rules_printf(w->out, w->said_where ? "and" : "where", "%s: %s", rule_buffers[buffer].name,
		     buffer_words(w, buffer));
	w->said_where = true;
	return true;
}

static void say_option(struct words *w, struct rule_word keyword, struct rule_word value)
{
	const struct sentence *sentence = sentence_of(keyword);

	if (say_buffer(w, keyword) || say_modifier(w, keyword, value))
		return;
	if (!sentence || !sentence->say(w, keyword, value))
		say_plainly(w, keyword, value);
}

/* First what is looked at, in the order of the rule; then what the rest says. */
static void say_options(struct words *w, const char *cursor, bool of_rule)
{
	struct rule_word keyword, value;
	bool has_value;

	w->open = NULL;
	while (rule_next_option(&cursor, &keyword, &value, &has_value)) {
		if (is_of_rule(keyword) == of_rule && !IS(keyword, "flow"))
			say_option(w, keyword, value);
	}
	flush(w);
}

static void say_when(struct words *w, const char *cursor)
{
	struct rule_word keyword, value;
	bool has_value;

	while (rule_next_option(&cursor, &keyword, &value, &has_value))
		if (IS(keyword, "flow"))
			say_flow(w, keyword, value);
}

static void say_action(struct words *w)
{
	const char *then = IS(w->action, "alert") ? "it is logged, and goes on"
			   : IS(w->action, "pass")
				   ? "it is let pass: what other rules find with it is left alone"
			   : IS(w->action, "drop") ? "it is withheld, and nobody is told"
						   : NULL;

	if (then)
		rules_paragraph(w->out, "then", then);
	else if (w->reply)
		rules_printf(w->out, "then", "it is refused; the client hears %s", w->reply);
	else
		rules_paragraph(w->out, "then", "it is refused, in the gate's own words");
}

void rules_words(const struct rules_lines *out, const struct rule_line *line)
{
	struct words w = {.out = out};
	const char *options = rules_words_header(out, &w.arena, line->text, &w.action);

	say_when(&w, options);
	say_options(&w, options, false);
	say_options(&w, options, true);
	say_action(&w);
	arena_fini(&w.arena);
}

bool rules_line_find(struct arena *arena, const struct rule_place *place, struct rule_line *line)
{
	struct rule_reader reader = {.file = place->file};
	char *text = NULL;
	size_t len = 0;
	bool found = false;
	FILE *f = fopen(place->file, "r");

	if (f && getdelim(&text, &len, '\0', f) > 0) {
		reader.p = text;
		reader.end = text + strlen(text);
		while (!found && rule_read_line(&reader, arena, line))
			found = rule_place_of(line, line->text).line == place->line;
	}
	if (f)
		fclose(f);
	free(text);
	return found;
}
