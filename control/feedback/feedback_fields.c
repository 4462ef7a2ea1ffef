/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feedback/feedback_fields.h"

void feedback_fields_init(struct feedback_fields *f)
{
	f->len = f->line_len = 0;
	f->skip = false;
}

static void field_tell(struct feedback_fields *f, const struct feedback_fields_sink *sink)
{
	const struct bytes field = bytes_of(f->field, f->len);
	const uint8_t *colon = bytes_chr(field, ':');
	struct bytes name, value;

	f->len = 0;
	if (!colon)
		return;
	name = bytes_trim(bytes_of(field.p, (size_t)(colon - field.p)));
	value = bytes_trim(bytes_of(colon + 1, (size_t)(field.p + field.len - colon) - 1));
	if (name.len)
		sink->field(sink->ctx, name, value);
}

static void append(struct feedback_fields *f, uint8_t c)
{
	if (f->len < FIELDS_FIELD)
		f->field[f->len++] = c;
}

static void line_begins(struct feedback_fields *f, uint8_t c,
			const struct feedback_fields_sink *sink)
{
	const bool folded = c == ' ' || c == '\t';

	f->skip = folded && !f->len;
	if (!folded && f->len)
		field_tell(f, sink);
}

void feedback_fields_feed(struct feedback_fields *f, struct bytes data,
			  const struct feedback_fields_sink *sink)
{
	for (size_t i = 0; i < data.len; i++) {
		const uint8_t c = data.p[i];

		if (c == '\n') {
			if (!f->line_len) {
				field_tell(f, sink);
				sink->block_end(sink->ctx);
			}
			f->line_len = 0;
			continue;
		}
		if (c == '\r')
			continue;
		if (!f->line_len)
			line_begins(f, c, sink);
		f->line_len++;
		if (!f->skip)
			append(f, c);
	}
}

void feedback_fields_finish(struct feedback_fields *f, const struct feedback_fields_sink *sink)
{
	field_tell(f, sink);
	sink->block_end(sink->ctx);
	f->line_len = 0;
}
