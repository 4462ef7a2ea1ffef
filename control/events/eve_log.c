/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/events/eve_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (256 << 10) /* bytes; a line is at most a record in JSON, far below */

struct eve_log {
	char *path;
	int fd;
	uint64_t size, limit; /* bytes */
	unsigned keep;
	size_t used;    /* of the buffer */
	uint64_t lines; /* in the buffer */
	struct eve_log_stats stats;
	char buffer[BUFFER];
};

static int open_file(struct eve_log *log)
{
	int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	if (log->fd >= 0)
		close(log->fd);
	log->fd = fd;
	log->size = (uint64_t)st.st_size;
	return 0;
}

int eve_log_open(const char *path, uint64_t size, unsigned keep, struct eve_log **logp)
{
	struct eve_log *log = calloc(1, sizeof(*log));
	int rc;

	if (!log)
		return -ENOMEM;
	log->fd = -1;
	log->limit = size;
	log->keep = keep;
	log->path = strdup(path);
	rc = log->path ? open_file(log) : -ENOMEM;
	if (rc) {
		eve_log_close(log);
		return rc;
	}
	*logp = log;
	return 0;
}

void eve_log_close(struct eve_log *log)
{
	if (!log)
		return;
	if (log->fd >= 0) {
		eve_log_flush(log);
		close(log->fd);
	}
	free(log->path);
	free(log);
}

int eve_log_reopen(struct eve_log *log)
{
	eve_log_flush(log);
	return open_file(log);
}

/* eve.json.3 becomes eve.json.4, …, eve.json becomes eve.json.1. */
static void rotate(struct eve_log *log)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (unsigned i = log->keep; i > 1; i--) {
		snprintf(from, sizeof(from), "%s.%u", log->path, i - 1);
		snprintf(to, sizeof(to), "%s.%u", log->path, i);
		rename(from, to);
	}
	snprintf(to, sizeof(to), "%s.1", log->path);
	if (rename(log->path, to) != 0 || open_file(log) != 0)
		log->stats.error = errno;
	else
		log->stats.rotations++;
	/* Where it can't be rotated the log goes on growing: no try for every line. */
	if (log->size >= log->limit)
		log->size = 0;
}

/* What was written of lines that have no room goes away again: no half line stays. */
static void take_back(const struct eve_log *log, size_t written)
{
	struct stat st;

	if (!written || fstat(log->fd, &st) != 0 || (size_t)st.st_size < written)
		return;
	if (ftruncate(log->fd, st.st_size - (off_t)written) != 0)
		return;
}

static int write_all(struct eve_log *log)
{
	size_t done = 0;

	while (done < log->used) {
		ssize_t n = write(log->fd, log->buffer + done, log->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int rc = n < 0 ? -errno : -EIO;

			take_back(log, done);
			return rc;
		}
		done += (size_t)n;
	}
	return 0;
}

void eve_log_flush(struct eve_log *log)
{
	int rc;

	if (!log->used)
		return;
	rc = write_all(log);
	log->stats.error = -rc;
	if (rc) {
		log->stats.lost += log->lines;
	} else {
		log->stats.lines += log->lines;
		log->stats.bytes += log->used;
		log->size += log->used;
	}
	log->used = 0;
	log->lines = 0;
}

void eve_log_line(struct eve_log *log, const char *line, size_t len)
{
	if (len > BUFFER) {
		log->stats.lost++;
		return;
	}
	if (log->used + len > BUFFER)
		eve_log_flush(log);
	if (log->limit && log->size + log->used && log->size + log->used + len > log->limit) {
		eve_log_flush(log);
		if (log->size)
			rotate(log);
	}
	memcpy(log->buffer + log->used, line, len);
	log->used += len;
	log->lines++;
}

struct eve_log_stats eve_log_stats(const struct eve_log *log)
{
	return log->stats;
}
