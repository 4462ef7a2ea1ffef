/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/rule_diag.h"

#include <stdarg.h>
#include <string.h>

#define MESSAGE_SIZE 512

void rule_diags_fini(struct rule_diags *diags)
{
	arena_fini(&diags->arena);
	memset(diags, 0, sizeof(*diags));
}

void rule_diag_add(struct rule_diags *diags, enum rule_severity severity, struct rule_place place,
		   uint32_t sid, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	struct rule_diag *diag;
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);

	diags->list = arena_grow(&diags->arena, diags->list, diags->count, &diags->capacity,
				 sizeof(*diags->list));
	diag = &diags->list[diags->count++];
	diag->place = place;
	diag->place.file = place.file ? arena_copy(&diags->arena, place.file, strlen(place.file))
				      : "";
	diag->severity = severity;
	diag->sid = sid;
	diag->message = arena_copy(&diags->arena, message, strlen(message));
	if (severity == RULE_ERROR)
		diags->errors++;
	else
		diags->warnings++;
}

void rule_diag_print(FILE *out, const struct rule_diag *diag)
{
	const char *severity = diag->severity == RULE_ERROR ? "error" : "warning";

	if (diag->place.line)
		fprintf(out, "%s:%u:%u: %s: %s\n", diag->place.file, diag->place.line,
			diag->place.column, severity, diag->message);
	else
		fprintf(out, "%s: %s: %s\n", diag->place.file, severity, diag->message);
}
