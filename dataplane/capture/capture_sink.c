/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An existing pipe or device can't be replaced by a file: it is what the user wants written to. */
static bool is_in_place(const char *path)
{
	struct stat st;

	return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

static int open_in_place(const char *path)
{
	if (strcmp(path, "-") == 0)
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static void sink_free(struct capture_sink *sink)
{
	free(sink->path);
	free(sink->partial);
	free(sink->buf);
	*sink = (struct capture_sink){.fd = -1};
}

int sink_open(struct capture_sink *sink, const char *path)
{
	int err;

	*sink = (struct capture_sink){.fd = -1};
	sink->path = strdup(path);
	sink->buf = malloc(SINK_BUFFER);
	if (!sink->path || !sink->buf) {
		err = ENOMEM;
		goto fail;
	}
	if (is_in_place(path)) {
		sink->fd = open_in_place(path);
	} else {
		if (asprintf(&sink->partial, "%s.partial.%ld", path, (long)getpid()) < 0) {
			sink->partial = NULL;
			err = ENOMEM;
			goto fail;
		}
		sink->fd = open(sink->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	if (sink->fd < 0) {
		err = errno;
		goto fail;
	}
	return 0;
fail:
	sink_free(sink);
	return -err;
}

static void sink_flush(struct capture_sink *sink)
{
	const uint8_t *p = sink->buf;
	size_t left = sink->used;

	sink->used = 0;
	while (left && !sink->error) {
		ssize_t wrote = write(sink->fd, p, left);

		if (wrote >= 0) {
			p += wrote;
			left -= (size_t)wrote;
		} else if (errno != EINTR) {
			sink->error = errno;
		}
	}
}

void sink_put(struct capture_sink *sink, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len && !sink->error) {
		size_t room = SINK_BUFFER - sink->used;
		size_t step = len < room ? len : room;

		memcpy(sink->buf + sink->used, p, step);
		sink->used += step;
		p += step;
		len -= step;
		if (sink->used == SINK_BUFFER)
			sink_flush(sink);
	}
}

int sink_finish(struct capture_sink *sink)
{
	int err;

	sink_flush(sink);
	/* Some file systems tell only here that a write failed. */
	if (close(sink->fd) < 0 && !sink->error)
		sink->error = errno;
	if (sink->partial && !sink->error && rename(sink->partial, sink->path) < 0)
		sink->error = errno;
	if (sink->partial && sink->error)
		(void)unlink(sink->partial);
	err = -sink->error;
	sink_free(sink);
	return err;
}

void sink_abort(struct capture_sink *sink)
{
	(void)close(sink->fd);
	if (sink->partial)
		(void)unlink(sink->partial);
	sink_free(sink);
}
