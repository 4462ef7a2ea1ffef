/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/gate_event.h"

#include <stdlib.h>
#include <string.h>

#include "control/events/eve.h"

static const struct {
	const char *name, *text;
	enum log_level level;
} events[] = {
#define X(name, level, text) {name, text, LOG_##level},
	GATE_EVENTS(X)
#undef X
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

static unsigned place_of(const char *event)
{
	unsigned i = 0;

	while (i < EVENTS - 1 && strcmp(events[i].name, event) != 0)
		i++;
	return i;
}

const char *gate_event_name(unsigned i)
{
	return i < EVENTS ? events[i].name : NULL;
}

const char *gate_event_text(const char *event)
{
	return events[place_of(event)].text;
}

enum log_level gate_event_level(const char *event)
{
	return events[place_of(event)].level;
}

char *gate_event_line(uint64_t time, const char *event, uint32_t tenant, const char *name,
		      json_t *fields)
{
	char text[EVE_TIME_SIZE], *line = NULL;
	json_t *gate = json_pack("{s:s, s:s}", "event", event, "severity",
				 log_level_name(gate_event_level(event)));
	json_t *object =
		json_pack("{s:s, s:s}", "timestamp", eve_time(text, time), "event_type", "gate");

	if (gate && fields)
		json_object_update(gate, fields);
	if (object && tenant) {
		json_object_set_new(object, "tenant_id", json_integer(tenant));
		json_object_set_new(object, "tenant", json_string(name));
	}
	if (object && json_object_set_new(object, "gate", gate) == 0)
		line = json_dumps(object, JSON_COMPACT);
	json_decref(fields);
	json_decref(object);
	return line;
}
