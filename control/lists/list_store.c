/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/lists/list_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/base/file_replace.h"

#define BASE  "base.set"
#define DELTA "delta.set"
#define KEY   "key"

uint64_t list_hour(uint64_t time)
{
	return (time + LIST_HOUR - 1) / LIST_HOUR * LIST_HOUR;
}

static int fault(char error[LIST_STORE_ERROR], const char *file, int rc, const char *why)
{
	snprintf(error, LIST_STORE_ERROR, "lists/%s: %s", file, why ? why : strerror(-rc));
	return rc;
}

/* The key */

static int key_make(struct list_store *s, char *error)
{
	int rc;

	if (getrandom(s->sets.key, sizeof(s->sets.key), 0) != sizeof(s->sets.key))
		return fault(error, KEY, -EIO, "no random numbers");
	rc = file_replace(s->dir, KEY, s->sets.key, sizeof(s->sets.key));
	return rc ? fault(error, KEY, rc, NULL) : 0;
}

static int key_read(struct list_store *s, bool create, char *error)
{
	int fd = openat(s->dir, KEY, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == ENOENT && create)
		return key_make(s, error);
	if (fd < 0)
		return fault(error, KEY, -errno, NULL);
	n = read(fd, s->sets.key, sizeof(s->sets.key));
	close(fd);
	return n == sizeof(s->sets.key) ? 0 : fault(error, KEY, -EBADMSG, "it is cut short");
}

/* The sets */

static void unmap(struct list_file *file)
{
	if (file->data)
		munmap(file->data, file->size);
	*file = (struct list_file){0};
}

static int map(int fd, struct list_file *file)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return -EBADMSG;
	file->data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	file->size = (size_t)st.st_size;
	file->inode = st.st_ino;
	if (file->data != MAP_FAILED)
		return 0;
	*file = (struct list_file){0};
	return -errno;
}

static const char *set_fault(const struct list_store *s, const struct list_file *file,
			     struct list_set *set)
{
	const char *why = list_set_open(set, file->data, file->size);

	if (why)
		return why;
	if (set->head->key[0] || set->head->key[1])
		return "the set of lists is damaged";
	if (set->head->key_id != list_key_id(s->sets.key))
		return "it was made with another key than lists/key";
	return NULL;
}

static int set_read(struct list_store *s, const char *name, struct list_file *file,
		    struct list_set *set, char *error)
{
	int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC), rc;
	const char *why;

	*set = (struct list_set){0};
	if (fd < 0)
		return errno == ENOENT ? 0 : fault(error, name, -errno, NULL);
	rc = map(fd, file);
	close(fd);
	if (rc)
		return fault(error, name, rc, rc == -EBADMSG ? "not a set of lists" : NULL);
	why = set_fault(s, file, set);
	if (!why)
		return 0;
	unmap(file);
	*set = (struct list_set){0};
	return fault(error, name, -EBADMSG, why);
}

static int base_make(struct list_store *s, char *error)
{
	int rc = list_store_merge(s, NULL, NULL);

	return rc ? fault(error, BASE, rc, NULL) : 0;
}

int list_store_refresh(struct list_store *s, char error[LIST_STORE_ERROR])
{
	struct list_store fresh = {.dir = s->dir};
	int rc;

	memcpy(fresh.sets.key, s->sets.key, sizeof(fresh.sets.key));
	rc = set_read(&fresh, BASE, &fresh.base, &fresh.sets.base, error);
	if (!rc)
		rc = set_read(&fresh, DELTA, &fresh.delta, &fresh.sets.delta, error);
	if (rc) {
		unmap(&fresh.base);
		return rc;
	}
	unmap(&s->base);
	unmap(&s->delta);
	s->base = fresh.base;
	s->delta = fresh.delta;
	s->sets.base = fresh.sets.base;
	s->sets.delta = fresh.sets.delta;
	return 0;
}

static int open_dir(const char *state_dir, bool create)
{
	int state = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir, rc;

	if (state < 0)
		return -errno;
	if (create && mkdirat(state, "lists", 0700) != 0 && errno != EEXIST)
		dir = -errno;
	else
		dir = openat(state, "lists", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = dir < 0 ? -errno : dir;
	close(state);
	return rc;
}

void list_store_init(struct list_store *s)
{
	*s = (struct list_store){.dir = -1};
}

int list_store_open(const char *state_dir, bool create, struct list_store *s,
		    char error[LIST_STORE_ERROR])
{
	int rc;

	list_store_init(s);
	rc = open_dir(state_dir, create);
	if (rc < 0) {
		snprintf(error, LIST_STORE_ERROR, "%.120s: %s", state_dir,
			 rc == -ENOENT ? "there are no lists" : strerror(-rc));
		return rc;
	}
	s->dir = rc;
	s->sets.clock = &s->now;
	rc = key_read(s, create, error);
	if (!rc)
		rc = list_store_refresh(s, error);
	if (!rc && !s->base.data && create)
		rc = base_make(s, error);
	if (rc)
		list_store_close(s);
	return rc;
}

void list_store_close(struct list_store *s)
{
	unmap(&s->base);
	unmap(&s->delta);
	if (s->dir >= 0)
		close(s->dir);
	list_store_init(s);
}

/* Changes */

static bool is_mapped(int dir, const char *name, const struct list_file *file)
{
	struct stat st;

	if (fstatat(dir, name, &st, 0) != 0)
		return !file->data;
	return file->data && st.st_ino == file->inode;
}

/*
 * A child that merged may have died between what it wrote and what it had to say of it: what is
 * mapped here is the files before, and a change of those would lose what came since.
 */
static int catch_up(struct list_store *s)
{
	char error[LIST_STORE_ERROR];

	if (is_mapped(s->dir, BASE, &s->base) && is_mapped(s->dir, DELTA, &s->delta))
		return 0;
	return list_store_refresh(s, error);
}

int list_store_merge(struct list_store *s, struct list_change *change, struct list_outcome *outcome)
{
	char error[LIST_STORE_ERROR];
	struct list_image image;
	int rc = catch_up(s);

	if (!rc)
		rc = list_merge(&s->sets, change, s->now, &image, outcome);
	if (rc)
		return rc;
	rc = file_replace(s->dir, BASE, image.data, image.size);
	free(image.data);
	/* It is of the base before, and nothing now; if it stays for want of luck, it is still. */
	if (!rc)
		unlinkat(s->dir, DELTA, 0);
	return rc ? rc : list_store_refresh(s, error);
}

/* The base stays as it is mapped: it is large. */
static int delta_refresh(struct list_store *s)
{
	char error[LIST_STORE_ERROR];
	struct list_file file = {0};
	struct list_set set;
	int rc = set_read(s, DELTA, &file, &set, error);

	if (rc)
		return rc;
	unmap(&s->delta);
	s->delta = file;
	s->sets.delta = set;
	return 0;
}

/* Those that are taken off the base as well. */
static uint64_t delta_entries(const struct list_sets *sets)
{
	uint64_t entries = 0;

	if (list_sets_fit(sets))
		for (uint32_t i = 0; i < sets->delta.head->segments; i++)
			entries += sets->delta.segment[i].count;
	return entries;
}

int list_store_patch(struct list_store *s, struct list_change *change, struct list_outcome *outcome)
{
	struct list_image image;
	int rc = catch_up(s);

	if (rc)
		return rc;
	if (delta_entries(&s->sets) + change->hashes.count > LIST_DELTA_MAX)
		return -ENOSPC;
	if (!s->sets.base.head)
		return -ENOENT;
	rc = list_patch(&s->sets, change, s->now, &image, outcome);
	if (rc)
		return rc;
	rc = file_replace(s->dir, DELTA, image.data, image.size);
	free(image.data);
	return rc ? rc : delta_refresh(s);
}
