/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define PIECE    (256u << 10) /* bytes read at a time */
#define PROGRESS (4u << 20)   /* bytes between two reports */

/* What of it can be shown to people: 60 bytes of ASCII. */
static void excerpt(char out[64], const char *text, size_t len)
{
	size_t n = len < 60 ? len : 60;

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	out[n] = '\0';
}

static void bad(struct list_import *m, const char *text, size_t len)
{
	char shown[64];

	excerpt(shown, text, len);
	m->bad++;
	if (!m->column && m->bad == 1 && memchr(text, ',', len) && m->lines <= 2)
		diag_error(m->diag, m->name, (unsigned)m->lines,
			   "expected %s, not \"%s\"; a file of columns? then say which: --column "
			   "NAME",
			   m->info->entry, shown);
	else
		diag_error(m->diag, m->name, (unsigned)m->lines, "expected %s, not \"%s\"",
			   m->info->entry, shown);
}

static int entry(struct list_import *m, const char *text, size_t len)
{
	uint64_t hash;

	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	if (!len || (!m->column && *text == '#'))
		return 0;
	hash = len <= LIST_LINE_MAX && !memchr(text, '\0', len)
		       ? list_kind_hash(m->info, m->key, m->owner, text, len)
		       : 0;
	if (hash)
		return hash_list_add(&m->hashes, hash);
	bad(m, text, len);
	return 0;
}

/* CSV */

/* The next field of a record, without its quotes, in place; *next: behind its delimiter, or NULL.
 */
static char *field(const struct list_import *m, char *at, char *end, size_t *len, char **next)
{
	char *out = at, *from = at;
	bool quoted = at < end && *at == '"';

	for (at += quoted; at < end; at++) {
		if (quoted && *at == '"') {
			if (at + 1 < end && at[1] == '"')
				at++;
			else
				quoted = false;
			if (!quoted)
				continue;
		} else if (!quoted && *at == m->delimiter) {
			break;
		}
		*out++ = *at;
	}
	*len = (size_t)(out - from);
	*next = at < end ? at + 1 : NULL;
	return from;
}

static char delimiter_of(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == ',' || text[i] == ';' || text[i] == '\t')
			return text[i];
	return ',';
}

static int header(struct list_import *m, char *text, size_t len)
{
	size_t wanted = strlen(m->column), n, used = 0;
	char names[200] = "", shown[64], *next;

	m->has_header = true;
	m->delimiter = delimiter_of(text, len);
	m->column_index = 0;
	for (char *at = text; at; at = next, m->column_index++) {
		char *name = field(m, at, text + len, &n, &next);

		if (n == wanted && strncasecmp(name, m->column, n) == 0)
			return 0;
		excerpt(shown, name, n);
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s\"%s\"",
						 used ? ", " : "", shown);
	}
	diag_error(m->diag, m->name, 1, "there is no column \"%.60s\": there are %s", m->column,
		   names);
	m->broken = true;
	return -EINVAL;
}

static int record(struct list_import *m, char *text, size_t len)
{
	char *next, *found = NULL;
	size_t n = 0;

	if (!len)
		return 0;
	if (!m->has_header)
		return header(m, text, len);
	next = text;
	for (unsigned i = 0; next && i <= m->column_index; i++)
		found = field(m, next, text + len, &n, &next);
	if (found && n)
		return entry(m, found, n);
	bad(m, text, len);
	return 0;
}

/* Lines */

/* A line or record without its end, writable. */
static int line(struct list_import *m, char *text, size_t len)
{
	if (m->lines++ == 0 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* a byte order mark */
		len -= 3;
	}
	if (len && text[len - 1] == '\r')
		len--;
	return m->column ? record(m, text, len) : entry(m, text, len);
}

static int hold(struct list_import *m, const char *data, size_t len)
{
	size_t most = m->column ? LIST_RECORD_MAX : LIST_LINE_MAX + 2;

	if (m->held_len + len > most) {
		m->too_long = true;
		len = most > m->held_len ? most - m->held_len : 0;
	}
	if (m->held_len + len > m->held_room) {
		size_t room = 2 * (m->held_len + len);
		char *more = realloc(m->held, room);

		if (!more)
			return -ENOMEM;
		m->held = more;
		m->held_room = room;
	}
	if (len)
		memcpy(m->held + m->held_len, data, len);
	m->held_len += len;
	return 0;
}

static int line_end(struct list_import *m)
{
	size_t len = m->held_len;
	bool too_long = m->too_long;

	m->held_len = 0;
	m->too_long = m->quoted = false;
	if (!too_long)
		return line(m, m->held, len);
	m->lines++;
	m->bad++;
	diag_error(m->diag, m->name, (unsigned)m->lines,
		   m->column ? "a record of more than %d bytes: a quote without its other one?"
			     : "a line of more than %d bytes",
		   m->column ? LIST_RECORD_MAX : LIST_LINE_MAX);
	return 0;
}

/* Whether a line's end within these bytes of CSV is one of a record. */
static bool ends_record(struct list_import *m, const char *data, size_t len)
{
	for (size_t i = 0; m->column && i < len; i++)
		m->quoted ^= data[i] == '"';
	/* With a quote that has no other, each line that follows would be lost. */
	return !m->quoted || m->too_long;
}

int list_import_feed(struct list_import *m, const char *data, size_t len)
{
	int rc = 0;

	while (len && !rc && !m->broken) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;
		bool whole = ends_record(m, data, n) && end;

		rc = hold(m, data, n);
		if (!rc && whole) {
			rc = line_end(m);
		} else if (!rc && end) {
			m->lines++;
			rc = hold(m, "\n", 1);
		}
		data += n + (end != NULL);
		len -= n + (end != NULL);
	}
	return m->broken ? -EINVAL : rc;
}

int list_import_end(struct list_import *m)
{
	int rc = m->held_len || m->too_long ? line_end(m) : 0;

	if (!rc && m->column && !m->has_header) {
		diag_error(m->diag, m->name, 0, "there is no header: the file is empty");
		rc = -EINVAL;
	}
	return rc;
}

void list_import_fini(struct list_import *m)
{
	hash_list_fini(&m->hashes);
	free(m->held);
	m->held = NULL;
	m->held_len = m->held_room = 0;
}

/* Files */

static int read_error(struct list_import *m, gzFile file)
{
	int code = Z_OK;
	const char *why = gzerror(file, &code);

	if (code == Z_OK || code == Z_STREAM_END)
		return 0;
	if (code == Z_MEM_ERROR)
		return -ENOMEM;
	diag_error(m->diag, m->name, 0, "can't be read: %s",
		   code == Z_ERRNO       ? strerror(errno)
		   : code == Z_BUF_ERROR ? "the compressed file is cut short"
					 : why);
	return -EINVAL;
}

static int read_all(struct list_import *m, gzFile file, char *piece)
{
	uint64_t told = 0;
	int n, rc = 0;

	while (!rc && (n = gzread(file, piece, PIECE)) > 0) {
		rc = list_import_feed(m, piece, (size_t)n);
		m->bytes = (uint64_t)gzoffset(file);
		if (!rc && m->progress && m->bytes - told >= PROGRESS) {
			told = m->bytes;
			m->progress(m->ctx, m);
		}
	}
	return rc ? rc : read_error(m, file);
}

int list_import_file(struct list_import *m, int fd)
{
	int own = dup(fd), rc = -ENOMEM;
	gzFile file = own >= 0 ? gzdopen(own, "r") : NULL;
	char *piece = malloc(PIECE);

	if (!file && own >= 0)
		close(own);
	if (file && piece && gzbuffer(file, PIECE) == 0)
		rc = read_all(m, file, piece);
	if (!rc)
		rc = list_import_end(m);
	free(piece);
	if (file)
		gzclose(file);
	return rc;
}
