/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/capture/capture_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUF_FIRST = 64 * 1024 };

static int map_file(struct capture_source *source, int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	(void)madvise(map, size, MADV_SEQUENTIAL);
	source->map = map;
	source->map_len = size;
	source->window = map;
	source->avail = size;
	return 0;
}

int source_open(struct capture_source *source, const char *path)
{
	struct stat st;
	int fd, err;

	*source = (struct capture_source){.fd = -1};
	if (strcmp(path, "-") == 0) {
		source->fd = STDIN_FILENO;
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		err = -EISDIR;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		source->fd = fd;
		return 0;
	}
	err = st.st_size ? map_file(source, fd, (size_t)st.st_size) : 0;
out:
	close(fd);
	return err;
}

void source_open_bytes(struct capture_source *source, const void *data, size_t len)
{
	*source = (struct capture_source){.fd = -1, .window = data, .avail = len};
}

void source_close(struct capture_source *source)
{
	if (source->map)
		munmap(source->map, source->map_len);
	if (source->fd > STDIN_FILENO)
		close(source->fd);
	free(source->buf);
	*source = (struct capture_source){.fd = -1};
}

/* Makes room behind the window: moves it to the buffer's start, or doubles a buffer that is full.
 */
static bool make_room(struct capture_source *source)
{
	uint8_t *grown;
	size_t size;

	if (source->avail && source->window != source->buf)
		memmove(source->buf, source->window, source->avail);
	source->window = source->buf;
	if (source->avail < source->buf_size)
		return true;
	size = source->buf_size ? 2 * source->buf_size : BUF_FIRST;
	grown = realloc(source->buf, size);
	if (!grown) {
		source->error = ENOMEM;
		return false;
	}
	source->buf = grown;
	source->buf_size = size;
	source->window = grown;
	return true;
}

/* One read into the room; false at the end or on error. */
static bool read_more(struct capture_source *source)
{
	uint8_t *room = source->buf + source->avail;
	ssize_t got;

	do {
		got = read(source->fd, room, source->buf_size - source->avail);
	} while (got < 0 && errno == EINTR);
	if (got > 0) {
		source->avail += (size_t)got;
		return true;
	}
	if (got < 0)
		source->error = errno;
	if (source->fd > STDIN_FILENO)
		close(source->fd);
	source->fd = -1;
	return false;
}

size_t source_peek(struct capture_source *source, size_t want)
{
	while (source->avail < want && source->fd >= 0) {
		if (!make_room(source) || !read_more(source))
			break;
	}
	return source->avail < want ? source->avail : want;
}

uint64_t source_skip(struct capture_source *source, uint64_t len)
{
	uint64_t left = len;

	for (;;) {
		size_t step = left < source->avail ? (size_t)left : source->avail;

		source->avail -= step;
		source->offset += step;
		left -= step;
		if (step)
			source->window += step;
		if (!left || !source_peek(source, 1))
			return len - left;
	}
}
