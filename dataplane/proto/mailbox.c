/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/proto/mailbox.h"

#include <string.h>

#include "dataplane/proto/rfc5322.h"

/* Where what begins at `at` ends if it is a quoted string or a comment, else `at`. */
static size_t skip(const struct mailboxes *m, size_t at)
{
	if (m->rest.p[at] == '"' && m->quotes)
		return rfc5322_quote_end(m->rest, at);
	if (m->rest.p[at] == '(' && m->comments)
		return rfc5322_comment_end(m->rest, at);
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

size_t mailbox_clean(struct bytes address, uint8_t out[MAILBOX_ADDRESS])
{
	bool quotes = true, comments = true;
	size_t n = 0, i = 0;

	while (i < address.len) {
		uint8_t c = address.p[i];
		size_t end = i + 1;

		/* What never closes is text, and so is all of its kind behind it. */
		if (c == '(' && comments) {
			end = rfc5322_comment_end(address, i);
			comments = end <= address.len;
			if (comments) {
				i = end;
				continue;
			}
			end = i + 1;
		} else if (c == '"' && quotes) {
			end = rfc5322_quote_end(address, i);
			quotes = end <= address.len;
			end = quotes ? end : i + 1;
		} else if (ascii_isblank(c)) {
			i++;
			continue;
		}
		if (end - i > MAILBOX_ADDRESS - n)
			return 0;
		memcpy(out + n, address.p + i, end - i);
		n += end - i;
		i = end;
	}
	return n;
}
