/* SPDX-License-Identifier: BSD-3-Clause */
/* Files, folders and standard input, compressed or not, into the readers. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "control/feedback/feedback_log.h"
#include "control/feedback/feedback_mail.h"
#include "control/feedback/feedback_mbox.h"
#include "tools/feedback/feedback.h"

#define MAIL_MAX (64 << 20) /* bytes of one that are read; what a report needs is at its head */
#define PIECE    65536
#define FOLDERS  16 /* descriptors that a walk may hold */

static struct feedback_log *the_log; /* one over all files: queues go on in the next */
static struct feedback_call *walker; /* nftw() hands nothing through */
static int walk_rc;

static int complain(const char *path, const char *why)
{
	fprintf(stderr, "postern: %s: %s\n", path, why);
	return 1;
}

static gzFile open_input(const char *path)
{
	const int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
					      : open(path, O_RDONLY | O_CLOEXEC);
	gzFile file = fd < 0 ? NULL : gzdopen(fd, "r");

	if (!file) {
		complain(path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	return file;
}

/* 0, or 1 after saying what is wrong with the file. */
static int close_input(gzFile file, const char *path)
{
	int error;
	const char *why = gzerror(file, &error);
	int rc = 0;

	if (error == Z_ERRNO)
		rc = complain(path, strerror(errno));
	else if (error == Z_BUF_ERROR)
		rc = complain(path, "cut short");
	else if (error != Z_OK && error != Z_STREAM_END)
		rc = complain(path, why);
	gzclose_r(file);
	return rc;
}

/* What is useless is said of each file, since somebody thought that it was something. */
static const char *useless(const struct feedback_call *c, enum feedback_mail_kind kind)
{
	const bool dsn = c->input == FEEDBACK_INPUT_DSN;

	if (kind == FEEDBACK_MAIL_NONE)
		return "neither a report nor a mail with a mail in it";
	if ((kind == FEEDBACK_MAIL_DSN) == dsn)
		return NULL;
	return dsn ? "no delivery report: postern feedback arf"
		   : "a delivery report: postern feedback dsn";
}

/* A file's messages on their way. */
struct mails {
	struct feedback_call *call;
	const char *path;
	struct mbox mbox;
	struct feedback_mail mail;
	uint64_t line; /* where the one in hand begins */
	size_t size;   /* bytes of it that were read */
};

/* "mail.eml"; of a mailbox "mbox:1047", the line that it begins at. */
static void place_of(const struct mails *m, char *place, size_t size)
{
	if (m->mbox.kind == MBOX_MANY)
		snprintf(place, size, "%s:%llu", m->path, (unsigned long long)m->line);
	else
		snprintf(place, size, "%s", m->path);
}

static void on_begin(void *ctx, uint64_t line)
{
	struct mails *m = ctx;

	feedback_mail_init(&m->mail);
	m->mail.tags = (const char *const *)m->call->tags;
	m->line = line;
	m->size = 0;
}

static void on_data(void *ctx, struct bytes data)
{
	struct mails *m = ctx;

	if (data.len > MAIL_MAX - m->size)
		data.len = MAIL_MAX - m->size;
	feedback_mail_feed(&m->mail, data);
	m->size += data.len;
}

static void on_end(void *ctx)
{
	struct mails *m = ctx;
	const struct feedback_sink sink = {feedback_send, m->call};
	const char *why = useless(m->call, feedback_mail_finish(&m->mail));
	char place[PATH_MAX + 32];

	m->call->mails++;
	place_of(m, place, sizeof(place));
	if (why) {
		m->call->useless++;
		complain(place, why);
		if (m->call->json)
			json_array_append_new(m->call->unread,
					      json_pack("{s:s, s:s}", "place", place, "why", why));
		return;
	}
	feedback_mail_tell(&m->mail, &sink);
	m->call->left_out += m->mail.left_out;
}

static void read_mails(struct feedback_call *c, gzFile file, const char *path)
{
	static uint8_t piece[PIECE];
	static struct mails mails;
	const struct mbox_sink sink = {on_begin, on_data, on_end, &mails};
	int n;

	mails.call = c;
	mails.path = path;
	mbox_init(&mails.mbox);
	while (!c->failed && (n = gzread(file, piece, sizeof(piece))) > 0)
		mbox_feed(&mails.mbox, bytes_of(piece, (size_t)n), &sink);
	mbox_finish(&mails.mbox, &sink);
}

/*
 * A line that is longer than FEEDBACK_LINE_MAX is read as far as that, and the rest is left out.
 * 0, or 1 after saying that it is no log.
 */
static int read_log(struct feedback_call *c, gzFile file, const char *path)
{
	const struct feedback_log_stats before = feedback_log_stats(the_log);
	struct feedback_log_stats after;
	static char line[FEEDBACK_LINE_MAX];
	const struct feedback_sink sink = {feedback_send, c};
	bool rest = false;

	while (!c->failed && gzgets(file, line, sizeof(line))) {
		const size_t len = strlen(line);
		const bool ends = len && line[len - 1] == '\n';

		if (!rest)
			feedback_log_line(the_log, bytes_of(line, len), &sink);
		rest = !ends;
	}
	after = feedback_log_stats(the_log);
	if (after.lines > before.lines &&
	    after.lines - before.lines == after.foreign - before.foreign)
		return complain(path, "no line of it is Postfix's");
	return 0;
}

static int read_file(struct feedback_call *c, const char *path)
{
	gzFile file = open_input(path);
	int rc = 0;

	if (!file)
		return 1;
	if (c->input == FEEDBACK_INPUT_LOG)
		rc = read_log(c, file, path);
	else
		read_mails(c, file, path);
	return close_input(file, path) | rc;
}

/* Beside a Maildir's cur and new lie lists of its server's, and no mails. */
static bool is_beside(const char *path, int base)
{
	char other[PATH_MAX + 8];

	snprintf(other, sizeof(other), "%.*scur/.", base, path);
	if (access(other, F_OK) != 0)
		return false;
	snprintf(other, sizeof(other), "%.*snew/.", base, path);
	return access(other, F_OK) == 0;
}

/* A Maildir's tmp has mails that are not all there. */
static int on_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	if (type == FTW_D && at->level && strcmp(path + at->base, "tmp") == 0)
		return FTW_SKIP_SUBTREE;
	if (type == FTW_DNR || type == FTW_NS)
		walk_rc |= complain(path, strerror(EACCES));
	else if (type == FTW_F && S_ISREG(st->st_mode) && !is_beside(path, at->base))
		walk_rc |= read_file(walker, path);
	return walker->failed ? FTW_STOP : FTW_CONTINUE;
}

int feedback_read(struct feedback_call *c, const char *path)
{
	struct stat st;

	if (c->input == FEEDBACK_INPUT_LOG && !the_log)
		the_log = feedback_log_new((int64_t)time(NULL));
	if (c->input == FEEDBACK_INPUT_LOG && !the_log)
		return complain(path, strerror(ENOMEM));
	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return read_file(c, path);
	if (c->input == FEEDBACK_INPUT_LOG)
		return complain(path,
				"a folder; logs are read in the order in which they are named");
	walker = c;
	walk_rc = 0;
	if (nftw(path, on_entry, FOLDERS, FTW_PHYS | FTW_ACTIONRETVAL) < 0)
		return complain(path, strerror(errno));
	return walk_rc;
}

int feedback_read_end(struct feedback_call *c)
{
	struct feedback_log_stats s;

	if (!the_log)
		return 0;
	s = feedback_log_stats(the_log);
	c->log = json_pack("{s:I, s:I, s:I, s:I, s:I}", "lines", (json_int_t)s.lines, "deliveries",
			   (json_int_t)s.deliveries, "inner", (json_int_t)s.inner, "own",
			   (json_int_t)s.own, "foreign", (json_int_t)s.foreign);
	feedback_log_free(the_log);
	the_log = NULL;
	return 0;
}
