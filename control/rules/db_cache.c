/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rules/db_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <xxhash.h>

#define MAGIC     0x3142444e52545350u /* "PSTRNDB1" */
#define NAME_SIZE 40
#define SUFFIX    ".hs"
#define FILE_MAX  (UINT64_C(1) << 31) /* of one file */

struct db_cache {
	int dir;
	uint64_t limit;
};

/* Of a file; the key and the data follow. */
struct entry_head {
	uint64_t magic;
	uint64_t key_len, size;
	uint64_t checksum; /* XXH3 of what follows: of a torn write, not of malice */
};

/* Others than this user can't have put anything there. */
static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_dir(const char *dir)
{
	struct stat st;
	int fd;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && is_ours(&st))
		return fd;
	close(fd);
	return -EPERM;
}

int db_cache_open(const char *dir, uint64_t limit, struct db_cache **cachep)
{
	struct db_cache *cache = calloc(1, sizeof(*cache));
	int fd;

	if (!cache)
		return -ENOMEM;
	fd = open_dir(dir);
	if (fd < 0) {
		free(cache);
		return fd;
	}
	*cache = (struct db_cache){fd, limit};
	*cachep = cache;
	return 0;
}

void db_cache_close(struct db_cache *cache)
{
	if (!cache)
		return;
	close(cache->dir);
	free(cache);
}

/* Two keys may share a name: the key itself is in the file. */
static void name_of(const void *key, size_t key_len, char name[NAME_SIZE])
{
	XXH128_hash_t hash = XXH3_128bits(key, key_len);

	snprintf(name, NAME_SIZE, "%016llx%016llx" SUFFIX, (unsigned long long)hash.high64,
		 (unsigned long long)hash.low64);
}

static bool is_entry(const struct entry_head *head, size_t file_size, const void *key,
		     size_t key_len)
{
	const char *rest = (const char *)(head + 1);
	size_t room;

	if (file_size < sizeof(*head) || head->magic != MAGIC || head->key_len != key_len)
		return false;
	room = file_size - sizeof(*head);
	return key_len <= room && head->size == room - key_len && head->size &&
	       memcmp(rest, key, key_len) == 0 && head->checksum == XXH3_64bits(rest, room);
}

static char *copy_entry(int fd, size_t file_size, const void *key, size_t key_len, size_t *size)
{
	struct entry_head *head = mmap(NULL, file_size, PROT_READ, MAP_PRIVATE, fd, 0);
	char *data = NULL;

	if (head == MAP_FAILED)
		return NULL;
	if (is_entry(head, file_size, key, key_len))
		data = malloc(head->size);
	if (data) {
		*size = head->size;
		memcpy(data, (const char *)(head + 1) + key_len, head->size);
	}
	munmap(head, file_size);
	return data;
}

char *db_cache_find(struct db_cache *cache, const void *key, size_t key_len, size_t *size)
{
	char name[NAME_SIZE], *data = NULL;
	struct stat st;
	int fd;

	name_of(key, key_len, name);
	fd = openat(cache->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_ours(&st) && st.st_size > 0 &&
	    (uint64_t)st.st_size < FILE_MAX)
		data = copy_entry(fd, (size_t)st.st_size, key, key_len, size);
	/* It was used now (db_cache_trim()). */
	if (data)
		futimens(fd, NULL);
	close(fd);
	return data;
}

static int write_all(int fd, const struct iovec *parts, int count)
{
	for (int i = 0; i < count; i++) {
		const char *at = parts[i].iov_base;

		for (size_t left = parts[i].iov_len; left;) {
			ssize_t n = write(fd, at, left);

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0)
				return n ? -errno : -EIO;
			at += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

static uint64_t checksum_of(const void *key, size_t key_len, const void *data, size_t size)
{
	XXH3_state_t *state = XXH3_createState();
	uint64_t sum = 0;

	if (!state)
		return 0;
	XXH3_64bits_reset(state);
	XXH3_64bits_update(state, key, key_len);
	XXH3_64bits_update(state, data, size);
	sum = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	return sum;
}

int db_cache_store(struct db_cache *cache, const void *key, size_t key_len, const void *data,
		   size_t size)
{
	struct entry_head head = {MAGIC, key_len, size, checksum_of(key, key_len, data, size)};
	const struct iovec parts[] = {{&head, sizeof(head)},
				      {(void *)(uintptr_t)key, key_len},
				      {(void *)(uintptr_t)data, size}};
	char name[NAME_SIZE], fresh[NAME_SIZE + 8];
	int fd, rc;

	if (sizeof(head) + key_len + size > cache->limit / 2)
		return -EFBIG;
	name_of(key, key_len, name);
	snprintf(fresh, sizeof(fresh), "%s.new", name);
	/* Left by one that was killed, or put there by somebody. */
	unlinkat(cache->dir, fresh, 0);
	fd = openat(cache->dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, parts, 3);
	if (close(fd) != 0 && !rc)
		rc = -errno;
	/* Without fsync(): what a crash leaves is found out by its checksum. */
	if (!rc && renameat(cache->dir, fresh, cache->dir, name) != 0)
		rc = -errno;
	if (rc)
		unlinkat(cache->dir, fresh, 0);
	return rc;
}

/* Trimming */

struct file {
	char name[NAME_SIZE + 8];
	uint64_t size;
	struct timespec used;
};

static int used_order(const void *pa, const void *pb)
{
	const struct file *a = pa, *b = pb;

	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec < b->used.tv_sec ? -1 : 1;
	return (a->used.tv_nsec > b->used.tv_nsec) - (a->used.tv_nsec < b->used.tv_nsec);
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len >= n && strcmp(name + len - n, suffix) == 0;
}

/* Ours by name; the sum of their sizes. Half-written ones go at once. */
static uint64_t list_files(struct db_cache *cache, DIR *dir, struct file **files, size_t *count)
{
	const struct dirent *entry;
	uint64_t total = 0;
	size_t room = 0;
	struct stat st;

	while ((entry = readdir(dir))) {
		if (ends_in(entry->d_name, SUFFIX ".new"))
			unlinkat(cache->dir, entry->d_name, 0);
		if (!ends_in(entry->d_name, SUFFIX) || strlen(entry->d_name) >= NAME_SIZE ||
		    fstatat(cache->dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (*count == room) {
			size_t more = room ? room * 2 : 64;
			struct file *grown = reallocarray(*files, more, sizeof(*grown));

			if (!grown)
				break;
			*files = grown;
			room = more;
		}
		snprintf((*files)[*count].name, sizeof((*files)[*count].name), "%s", entry->d_name);
		(*files)[*count].size = (uint64_t)st.st_size;
		(*files)[(*count)++].used = st.st_mtim;
		total += (uint64_t)st.st_size;
	}
	return total;
}

void db_cache_trim(struct db_cache *cache)
{
	int fd = openat(cache->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct file *files = NULL;
	size_t count = 0;
	uint64_t total;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	total = list_files(cache, dir, &files, &count);
	closedir(dir);
	if (count)
		qsort(files, count, sizeof(*files), used_order);
	for (size_t i = 0; i < count && total > cache->limit; i++) {
		if (unlinkat(cache->dir, files[i].name, 0) == 0)
			total -= files[i].size;
	}
	free(files);
}
