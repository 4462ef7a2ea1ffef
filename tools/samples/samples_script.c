/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/samples/samples_script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void script_fini(struct script *script)
{
	buffer_free(&script->bytes);
}

void script_begin(struct script *script, bool server)
{
	if (script->turn_count == SCRIPT_TURNS)
		script->full = true;
	else
		script->turns[script->turn_count++] =
			(struct script_turn){server, script->bytes.len, 0};
}

/* The turn of this end: the last one, or a new one. */
static struct script_turn *turn_of(struct script *script, bool server)
{
	if (!script->turn_count || script->turns[script->turn_count - 1].server != server)
		script_begin(script, server);
	return script->full ? NULL : &script->turns[script->turn_count - 1];
}

void script_say(struct script *script, bool server, const void *text, size_t len)
{
	struct script_turn *turn = turn_of(script, server);

	if (!turn)
		return;
	buffer_put(&script->bytes, text, len);
	turn->len += len;
}

void script_says(struct script *script, bool server, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		script_say(script, server, text,
			   (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

void script_say_item(struct script *script, bool server, const struct sample_item *item)
{
	for (size_t i = 0; i < item->cut_count; i++) {
		if (script->cut_count == SCRIPT_CUTS) {
			script->full = true;
			break;
		}
		script->cuts[script->cut_count++] = script->bytes.len + item->cuts[i];
	}
	script_say(script, server, item->text, item->len);
}

const struct sample_item *sample_value(const struct sample *sample, enum rule_buffer buffer,
				       unsigned nth)
{
	for (size_t i = 0; i < sample->count; i++)
		if (sample->items[i].kind == SAMPLE_VALUE && sample->items[i].buffer == buffer &&
		    nth-- == 0)
			return &sample->items[i];
	return NULL;
}

bool sample_names_header(const struct sample *sample, enum rule_buffer buffer, const char *name)
{
	const struct sample_item *item;
	size_t len = strlen(name);

	for (unsigned i = 0; (item = sample_value(sample, buffer, i)); i++)
		if (item->len > len && strncasecmp(item->text, name, len) == 0 &&
		    item->text[len] == ':')
			return true;
	return false;
}

void script_write(struct script *script, const struct sample *sample)
{
	script->bytes.len = 0;
	script->turn_count = script->cut_count = 0;
	script->full = false;
	if (sample->family == BUFFER_SIP)
		script_write_sip(script, sample);
	else
		script_write_mail(script, sample);
}
