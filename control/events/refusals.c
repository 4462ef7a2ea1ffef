/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/refusals.h"

#include <stdlib.h>
#include <string.h>

static void text_take(char *text, size_t size, const struct event_value *value)
{
	const size_t len = value->len < size ? value->len : size - 1;

	memcpy(text, value->p, len);
	text[len] = '\0';
}

static void refusal_read(struct refusal *r, const struct event_head *head)
{
	struct event_reader reader;
	struct event_value value;

	*r = (struct refusal){.tenant = head->tenant, .count = 1, .first = head->time};
	event_open(&reader, head, head->size);
	while (event_next(&reader, &value)) {
		switch (value.key) {
		case FIELD_KEY_VERDICT_ACTION:
			text_take(r->action, sizeof(r->action), &value);
			break;
		case FIELD_KEY_VERDICT_OBJECT:
			text_take(r->object, sizeof(r->object), &value);
			break;
		case FIELD_KEY_VERDICT_REASON:
			text_take(r->reason, sizeof(r->reason), &value);
			break;
		case FIELD_KEY_VERDICT_REJECT:
			text_take(r->reply, sizeof(r->reply), &value);
			break;
		case FIELD_KEY_VERDICT_SID:
			r->sid = (uint32_t)event_value_uint(&value);
			break;
		case FIELD_KEY_VERDICT_SHADOW:
			r->shadow = event_value_bool(&value);
			break;
		default:
			break;
		}
	}
}

static bool refusal_same(const struct refusal *a, const struct refusal *b)
{
	return a->tenant == b->tenant && a->sid == b->sid && a->shadow == b->shadow &&
	       strcmp(a->reason, b->reason) == 0 && strcmp(a->action, b->action) == 0 &&
	       strcmp(a->object, b->object) == 0 && strcmp(a->reply, b->reply) == 0;
}

void refusals_add(struct refusals *refusals, const struct event_head *head)
{
	struct refusal new;

	refusal_read(&new, head);
	if (new.shadow)
		refusals->shadow++;
	else
		refusals->total++;
	for (unsigned i = 0; i < refusals->kinds; i++) {
		struct refusal *known = &refusals->kind[i];

		if (!refusal_same(known, &new))
			continue;
		known->count++;
		if (new.first < known->first)
			known->first = new.first;
		return;
	}
	if (refusals->kinds < REFUSAL_KINDS)
		refusals->kind[refusals->kinds++] = new;
	else
		refusals->uncounted++;
}

static int refusal_order(const void *a, const void *b)
{
	const struct refusal *left = a, *right = b;

	if (left->count != right->count)
		return left->count > right->count ? -1 : 1;
	if (left->first != right->first)
		return left->first < right->first ? -1 : 1;
	if (left->tenant != right->tenant)
		return left->tenant < right->tenant ? -1 : 1;
	return strcmp(left->reply, right->reply);
}

void refusals_sort(struct refusals *refusals)
{
	qsort(refusals->kind, refusals->kinds, sizeof(refusals->kind[0]), refusal_order);
}
