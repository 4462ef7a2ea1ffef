/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mailbox.h"

#include <string.h>

/* Where the quoted string that begins at `at` ends: behind its quote, or len + 1. */
static size_t quote_end(struct bytes b, size_t at)
{
	for (size_t i = at + 1; i < b.len; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '"')
			return i + 1;
	}
	return b.len + 1;
}

/* The same of a comment; they nest (RFC 5322 3.2.2). */
static size_t comment_end(struct bytes b, size_t at)
{
	unsigned depth = 1;

	for (size_t i = at + 1; i < b.len; i++) {
		if (b.p[i] == '\\')
			i++;
		else if (b.p[i] == '(')
			depth++;
		else if (b.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return b.len + 1;
}

/* Where what begins at `at` ends if it is a quoted string or a comment, else `at`. */
static size_t skip(const struct mailboxes *m, size_t at)
{
	if (m->rest.p[at] == '"' && m->quotes)
		return quote_end(m->rest, at);
	if (m->rest.p[at] == '(' && m->comments)
		return comment_end(m->rest, at);
	return at;
}

void mailboxes_init(struct mailboxes *m, struct bytes value)
{
	*m = (struct mailboxes){value, true, true};
	for (size_t i = 0; i < value.len;) {
		size_t end = skip(m, i);

		if (end <= value.len) {
			i = end > i ? end : i + 1;
			continue;
		}
		/* At most twice. */
		if (value.p[i] == '"')
			m->quotes = false;
		else
			m->comments = false;
		i = 0;
	}
}

static void advance(struct mailboxes *m, size_t n)
{
	m->rest = bytes_of(m->rest.p + n, m->rest.len - n);
}

/* The item that begins here, as far as it goes: its text without comments around it. */
struct item {
	size_t begin, end;
};

static void item_take(struct item *item, size_t from, size_t to)
{
	if (item->end == 0)
		item->begin = from;
	item->end = to;
}

static bool is_address(struct bytes text)
{
	return text.len && memchr(text.p, '@', text.len);
}

/* An item ends at `at`; what comes next begins at `next`. */
static bool item_end(struct mailboxes *m, struct item *item, size_t next, struct bytes *address)
{
	*address = bytes_of(m->rest.p + item->begin, item->end - item->begin);
	*item = (struct item){0, 0};
	advance(m, next);
	return is_address(*address);
}

/* "<...>": up to its end, or the value's. */
static bool route_take(struct mailboxes *m, size_t open, struct bytes *address)
{
	const uint8_t *from = m->rest.p + open + 1;
	size_t room = m->rest.len - open - 1;
	const uint8_t *close = room ? memchr(from, '>', room) : NULL;
	size_t len = close ? (size_t)(close - from) : room;

	*address = bytes_trim(bytes_of(from, len));
	advance(m, open + 1 + len + (close != NULL));
	return address->len != 0;
}

bool mailboxes_next(struct mailboxes *m, struct bytes *address)
{
	struct item item = {0, 0};
	size_t i = 0;

	while (i < m->rest.len) {
		uint8_t c = m->rest.p[i];
		size_t end = skip(m, i);

		if (c == '<') {
			if (route_take(m, i, address))
				return true;
			item = (struct item){0, 0};
			i = 0;
		} else if (c == ',' || c == ';' || c == ':') {
			if (item_end(m, &item, i + 1, address))
				return true;
			i = 0;
		} else if (end > i) {
			if (c == '"')
				item_take(&item, i, end);
			i = end;
		} else {
			if (c != ' ' && c != '\t')
				item_take(&item, i, i + 1);
			i++;
		}
	}
	return item_end(m, &item, m->rest.len, address);
}
